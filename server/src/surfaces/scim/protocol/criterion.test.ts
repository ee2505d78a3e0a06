import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Comparison, Criterion, Operand, Place, ScimColumn } from '../../../directory/scim/criteria.ts'
import { toCriterion } from './criterion.ts'
import { parseFilter } from './filter.ts'
import { toOrder } from './order.ts'
import { groupType, userType } from './registry.ts'
import { ScimError } from './scim-error.ts'

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const ID = '0190aaaa-0000-7000-8000-100000000000'

const text = (value: string): Operand => ({ type: 'text', value })
const truth = (value: boolean): Operand => ({ type: 'boolean', value })
const moment = (value: string): Operand => ({ type: 'moment', value })
const column = (name: ScimColumn): Place => ({ kind: 'column', column: name })
const path = (...parts: string[]): Place => ({ kind: 'path', path: parts })
const compare = (on: Place, op: Comparison, operand: Operand): Criterion => ({
  kind: 'compare',
  on,
  op,
  operand,
})
const eq = (on: Place, operand: Operand) => compare(on, 'eq', operand)
const present = (on: Place): Criterion => ({ kind: 'present', on })
const some = (list: string, where: Criterion): Criterion => ({ kind: 'some', path: [list], where })
const and = (...of: Criterion[]): Criterion => ({ kind: 'and', of })
const or = (...of: Criterion[]): Criterion => ({ kind: 'or', of })
const not = (of: Criterion): Criterion => ({ kind: 'not', of })
const linked = (id: string | null): Criterion => ({ kind: 'linked', id })
const never: Criterion = { kind: 'never' }
const always = and()
const extended = present(path(ENTERPRISE))
const manager = eq(path(ENTERPRISE, 'manager', 'value'), text('26118915'))
const ann = text('ann@acme.example')

describe('toCriterion of users', () => {
  const cases: [row: string, filter: string, means: Criterion][] = [
    ['B-10', 'userName eq "ANN@ACME.EXAMPLE"', eq(column('userName'), ann)],
    ['B-11', 'USERNAME Eq "ann@acme.example"', eq(column('userName'), ann)],
    ['B-11', `${CORE}:userName eq "ann@acme.example"`, eq(column('userName'), ann)],
    ['B-11', `${CORE.toUpperCase()}:username eq "ann@acme.example"`, eq(column('userName'), ann)],
    ['B-12', 'externalId eq "X"', eq(column('externalId'), text('X'))],
    [
      'B-14',
      'emails[type eq "Work"].value eq "Ann@acme.example"',
      some('emails', and(eq(path('type'), text('work')), eq(path('value'), ann))),
    ],
    ['B-14', 'emails.value eq "ann@ACME.example"', some('emails', eq(path('value'), ann))],
    ['B-14', 'emails eq "ann@acme.example"', some('emails', eq(path('value'), ann))],
    ['B-15', `id eq "${ID}"`, eq(column('id'), text(ID))],
    ['B-15', 'id eq "no-uuid"', eq(column('id'), text('no-uuid'))],
    ['B-15', 'id eq "x" and manager eq "26118915"', and(eq(column('id'), text('x')), manager)],
    ['B-15', `${ENTERPRISE}:manager eq "26118915"`, manager],
    ['B-15', `${ENTERPRISE}:manager.VALUE eq "26118915"`, manager],
    [
      'B-16',
      '(ActiVe eq true) and meta.lastmodified ge "2026-01-01T00:00:00.0000000Z"',
      and(
        eq(column('active'), truth(true)),
        compare(column('lastModified'), 'ge', moment('2026-01-01T00:00:00.000000Z')),
      ),
    ],
    ['B-17', 'active eq "True"', eq(column('active'), truth(true))],
    ['B-17', 'active ne "false"', compare(column('active'), 'ne', truth(false))],
    [
      'B-18',
      String.raw`displayName eq "R&D \"core\" (EU) / 100%"`,
      eq(path('displayName'), text('r&d "core" (eu) / 100%')),
    ],
    [
      'B-20',
      'title pr and (emails co "a" or userName sw "b") and not (active eq false)',
      and(
        present(path('title')),
        or(
          some('emails', compare(path('value'), 'co', text('a'))),
          compare(column('userName'), 'sw', text('b')),
        ),
        not(eq(column('active'), truth(false))),
      ),
    ],
    ['B-26', `groups.value eq "${ID}"`, linked(ID)],
    ['B-26', `groups[value eq "${ID}"]`, linked(ID)],
    ['B-26', 'groups pr', linked(null)],
    ['B-26', 'groups eq null', not(linked(null))],
    ['pr', 'emails pr', present(path('emails'))],
    ['pr', 'emails.type pr', some('emails', present(path('type')))],
    ['pr', 'name pr', present(path('name'))],
    ['null', 'title eq null', not(present(path('title')))],
    ['null', 'title ne null', present(path('title'))],
    ['null', 'emails.type eq null', not(some('emails', present(path('type'))))],
    ['null', 'emails[type eq null]', some('emails', not(present(path('type'))))],
    [
      'ne of a list',
      'emails ne "a"',
      or(some('emails', compare(path('value'), 'ne', text('a'))), not(some('emails', always))),
    ],
    [
      'primary that is not there is false',
      'emails[primary eq false]',
      some('emails', not(eq(path('primary'), truth(true)))),
    ],
    ['caseExact', 'profileUrl eq "HTTPS://A"', eq(path('profileUrl'), text('HTTPS://A'))],
    ['caseExact', 'x509Certificates eq "QQ=="', some('x509Certificates', eq(path('value'), text('QQ==')))],
    ['schemas', `schemas eq "${CORE}"`, or(always)],
    ['schemas', `schemas eq "${ENTERPRISE}"`, or(extended)],
    ['schemas', 'schemas eq "urn:x"', or()],
    ['schemas', `schemas ne "${CORE}"`, or(extended)],
    ['schemas', `${ENTERPRISE} pr`, extended],
    ['meta', 'meta.resourceType eq "User"', always],
    ['meta', 'meta.resourceType eq "Group"', never],
    ['meta', 'meta.resourceType ne "Group"', always],
    ['meta', 'meta pr', always],
    [
      'an offset',
      'meta.created lt "2026-01-01T01:30:00+02:00"',
      compare(column('created'), 'lt', moment('2025-12-31T23:30:00.000000Z')),
    ],
    [
      'no offset',
      'meta.created eq "2026-01-01T01:30:00"',
      eq(column('created'), moment('2026-01-01T01:30:00.000000Z')),
    ],
  ]
  for (const [row, filter, means] of cases) {
    test(`${row}: ${filter}`, () => assert.deepEqual(toCriterion(userType, parseFilter(filter)), means))
  }

  test('between two microseconds lies no stored moment, and what is before and after stays so', () => {
    const of = (op: Comparison) => toCriterion(userType, parseFilter(`meta.created ${op} "${between}"`))
    const between = '2026-01-01T00:00:00.1234567Z'
    const cut = moment('2026-01-01T00:00:00.123456Z')
    assert.deepEqual(of('eq'), never)
    assert.deepEqual(of('ne'), always)
    assert.deepEqual([of('gt'), of('ge')], Array(2).fill(compare(column('created'), 'gt', cut)))
    assert.deepEqual([of('lt'), of('le')], Array(2).fill(compare(column('created'), 'le', cut)))
  })
})

describe('toCriterion of groups', () => {
  const cases: [row: string, filter: string, means: Criterion][] = [
    ['B-24', 'displayName eq "Sales"', eq(column('displayName'), text('sales'))],
    ['B-15', `id eq "1" and members eq "${ID}"`, and(eq(column('id'), text('1')), linked(ID))],
    ['B-15', `members.value eq "${ID}"`, linked(ID)],
    ['B-15', `members[value eq "${ID}"]`, linked(ID)],
    ['B-15', `members[value eq "${ID}" or VALUE eq "x"]`, or(linked(ID), linked('x'))],
    ['null', 'members ne null', linked(null)],
    ['meta', 'meta.resourceType eq "Group"', always],
  ]
  for (const [row, filter, means] of cases) {
    test(`${row}: ${filter}`, () => assert.deepEqual(toCriterion(groupType, parseFilter(filter)), means))
  }
})

describe('what cannot be asked is refused by name, never answered with nobody', () => {
  const cases: [filter: string, why: RegExp, type?: typeof groupType][] = [
    ['shoeSize eq "x"', /A User has no attribute "shoeSize"/],
    ['name.shoeSize pr', /no attribute "name.shoeSize"/],
    ['constructor eq "x"', /no attribute "constructor"/],
    ['emails.toString eq "x"', /no attribute/],
    ['emails[shoeSize eq "x"]', /"emails" has no sub-attribute "shoeSize"/],
    ['emails[constructor pr]', /no sub-attribute/],
    ['urn:acme:custom:2.0:User:tags eq "x"', /of no schema that a User has here/],
    [`${ENTERPRISE}:shoeSize eq "x"`, /has no attribute/],
    [`${ENTERPRISE} eq "x"`, /is a schema: name one of its attributes/],
    ['userName eq "x"', /A Group has no attribute "userName"/, groupType],
    ['emails eq "x"', /A Group has no attribute/, groupType],
    ['active gt true', /"active" is true or false/],
    ['active eq "yes"', /compared with true or false/],
    ['active eq 1', /compared with true or false/],
    ['active co "t"', /"active" is true or false/],
    ['userName eq 5', /"userName" is compared with a text/],
    ['userName eq true', /"userName" is compared with a text/],
    ['userName gt null', /"userName" cannot be compared with null/],
    ['emails[type sw null]', /"type" cannot be compared with null/],
    ['x509Certificates gt "a"', /is binary/],
    ['name eq "x"', /"name" has parts: name one of them, as in name.formatted/],
    ['addresses eq "x"', /"addresses" has parts/],
    ['name[familyName eq "x"]', /"name" is no list/],
    ['emails.value[type eq "x"]', /"emails.value" is no list/],
    ['password pr', /"password" cannot be filtered by/],
    ['password eq "x"', /"password" cannot be filtered by/],
    ['manager.displayName eq "x"', /"manager.displayName" cannot be filtered by/],
    ['groups.display eq "x"', /"groups.display" can be looked up by the id/],
    ['groups co "x"', /"groups" can be looked up by the id/],
    ['members ne "x"', /"members" can be looked up by the id/, groupType],
    ['members[value eq "x" and value eq "y"]', /"members\[…\]" can have "value eq"/, groupType],
    ['members[not (value eq "x")]', /"members\[…\]" can have "value eq"/, groupType],
    ['members[type eq "User"]', /"type" can be looked up/, groupType],
    ['members[value eq null]', /"members\[…\]" can have "value eq"/, groupType],
    ['schemas co "urn"', /"schemas" can be compared with eq and ne only/],
    ['schemas eq true', /"schemas" is compared with a text/],
    ['meta eq "x"', /"meta" cannot be filtered by/],
    ['meta.version eq "x"', /"meta.version" cannot be filtered by/],
    ['meta.location eq "x"', /"meta.location" cannot be filtered by/],
    ['meta.resourceType sw "U"', /can be compared with eq and ne only/],
    ['meta.created co "2026"', /"meta.created" is a moment/],
    ['meta.created gt 2026', /compared with a moment, such as/],
    ...['2026-01-01', '2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:00:60Z'].map(misread),
    ...['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-01:00', '0001-01-01T00:00:00+01:00'].map(misread),
    ...['2026-01-01T00:00:00+99:00', '2026-01-01T00:00:00.Z', '', ' 2026-01-01T00:00:00Z'].map(misread),
  ]
  for (const [filter, why, type = userType] of cases) {
    test(filter, () => {
      assert.throws(
        () => toCriterion(type, parseFilter(filter)),
        (error) => {
          assert.ok(error instanceof ScimError, String(error))
          assert.deepEqual([error.status, error.scimType], [400, 'invalidFilter'])
          assert.match(error.message, why)
          return true
        },
      )
    })
  }
})

function misread(value: string): [filter: string, why: RegExp] {
  return [`meta.created gt "${value}"`, /"meta.created" is compared with a moment, such as/]
}

describe('toOrder', () => {
  test('any single value that can be filtered by can be sorted by, and the primary of a list', () => {
    const by = (name: string) => toOrder(userType, name, undefined).by
    assert.deepEqual(by('USERNAME'), column('userName'))
    assert.deepEqual(by('id'), column('id'))
    assert.deepEqual(by('meta.lastmodified'), column('lastModified'))
    assert.deepEqual(by('displayName'), path('displayName'))
    assert.deepEqual(by(`${CORE}:name.familyName`), path('name', 'familyName'))
    assert.deepEqual(by('manager'), path(ENTERPRISE, 'manager', 'value'))
    assert.deepEqual(by('emails'), { kind: 'primary', path: ['emails'], sub: 'value' })
    assert.deepEqual(toOrder(groupType, 'displayName', undefined).by, column('displayName'))
  })

  test('sortOrder is ascending unless it says descending, in any letter case', () => {
    const descending = [undefined, 'Ascending', 'DESCENDING'].map(
      (word) => toOrder(userType, 'title', word).descending,
    )
    assert.deepEqual(descending, [false, false, true])
  })

  const refused: [by: string, order: string | undefined][] = [
    ['', undefined],
    ['shoeSize', undefined],
    ['name', undefined],
    ['addresses', undefined],
    ['emails.primary', undefined],
    ['groups', undefined],
    ['password', undefined],
    ['schemas', undefined],
    ['meta', undefined],
    ['meta.location', undefined],
    ['manager.displayName', undefined],
    ['x509Certificates', undefined],
    [ENTERPRISE, undefined],
    ['urn:x:y', undefined],
    ['userName', 'up'],
    ['userName', ''],
  ]
  for (const [by, order] of refused) {
    test(`sortBy ${JSON.stringify(by)} with sortOrder ${JSON.stringify(order)} is refused`, () => {
      assert.throws(() => toOrder(userType, by, order), { status: 400, scimType: 'invalidValue' })
    })
  }

  test('members are no order of groups', () => {
    assert.throws(() => toOrder(groupType, 'members', undefined), { scimType: 'invalidValue' })
  })
})
