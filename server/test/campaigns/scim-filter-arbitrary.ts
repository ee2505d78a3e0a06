import fc from 'fast-check'
import type { Json, Op, Question, Resource } from '../scim-filter-evaluator.ts'

const CORE_USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const CORE_GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** Few, so that filters find something; of every kind that case, normal forms, patterns or quoting could mistake. */
const PIECES = [
  ['a', 'A', 'b', 'Ann', 'ann@acme.example', 'ANN@ACME.EXAMPLE', '', ' ', 'x'],
  ['İ', 'i\u0307', 'ı', 'I', 'i', 'ß', 'ẞ', 'ss', 'ς', 'σ', 'Σ', 'ΑΣ', 'ａ', 'Ａ', 'Ⱥ', 'ⱥ', 'Ω', 'Ω'],
  ['é', 'e\u0301', 'E\u0301', 'e', '\u0301', 'ǰ', 'J\u030c', 'j\u030c', '각', '\u1100\u1161\u11a8'],
  ['\u{1f600}', '\u{10400}', '\u{10428}', '\ud7ff', '\uffff', '\ufeff', '\u202e'],
  ['%', '_', '\\', '"', "'", '\\%', "'; drop table scim_user; --", '$1', '{}', '\n', '\u007f'],
].flat()
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 3 }).map((pieces) => pieces.join(''))

const numbered = (prefix: string, n: number) =>
  `0190aaaa-0000-7000-8000-${prefix}${String(n).padStart(11, '0')}`
const userId = (n: number) => numbered('1', n)
const groupId = (n: number) => numbered('2', n)
const USERS_MAX = 24
const GROUPS = 4

const day = fc.integer({ min: 1, max: 2 }).map((n) => `2026-01-0${n}`)
const micros = fc.constantFrom('000000', '000001', '123456', '123457', '999999')
const stored = fc.tuple(day, micros).map(([date, fraction]) => `${date}T12:00:00.${fraction}Z`)

const entry = (types: readonly string[]) =>
  fc.record(
    { value: text, type: fc.constantFrom(...types), primary: fc.boolean(), display: text },
    { requiredKeys: [] },
  )
const EMAIL_TYPES = ['work', 'Work', 'home', '']

const user = fc.record(
  {
    userName: text,
    externalId: text,
    active: fc.boolean(),
    displayName: text,
    title: text,
    profileUrl: text,
    name: fc.record({ familyName: text, givenName: text }, { requiredKeys: [] }),
    emails: fc.array(entry(EMAIL_TYPES), { maxLength: 3 }),
    photos: fc.array(entry(['photo']), { maxLength: 2 }),
    groups: fc.uniqueArray(fc.nat(GROUPS - 1), { maxLength: 2 }),
    created: stored,
    lastModified: stored,
    enterprise: fc.record(
      { department: text, manager: fc.record({ value: text }, { requiredKeys: [] }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['userName', 'active', 'groups', 'created', 'lastModified'] },
)

/** Users as an identity provider gets them to see. */
export const users: fc.Arbitrary<Resource[]> = fc
  .array(user, { minLength: 12, maxLength: USERS_MAX })
  .map((all) =>
    all.map(({ groups, created, lastModified, enterprise, ...rest }, n): Resource => {
      const extended = enterprise !== undefined && JSON.stringify(enterprise) !== '{}' && hasText(enterprise)
      return {
        ...(rest as Resource),
        schemas: extended ? [CORE_USER, ENTERPRISE] : [CORE_USER],
        id: userId(n),
        groups: groups.map((group) => ({ value: groupId(group) })),
        meta: { resourceType: 'User', created, lastModified },
        ...(extended ? { [ENTERPRISE]: enterprise as Json } : {}),
      }
    }),
  )

const hasText = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.values(value).some(hasText) : value !== ''

const group = fc.record(
  { displayName: text, externalId: text, created: stored, lastModified: stored },
  { requiredKeys: ['displayName', 'created', 'lastModified'] },
)

export const groups: fc.Arbitrary<Resource[]> = fc
  .array(group, { minLength: GROUPS, maxLength: GROUPS })
  .map((all) =>
    all.map(
      ({ created, lastModified, ...rest }, n): Resource => ({
        ...(rest as Resource),
        schemas: [CORE_GROUP],
        id: groupId(n),
        meta: { resourceType: 'Group', created, lastModified },
      }),
    ),
  )

const ORDERED = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const
const ALL_OPS = [...ORDERED, 'co', 'sw', 'ew'] as const

const operandMoment = fc
  .tuple(day, fc.constantFrom('', '.000000', '.123456', '.1234560', '.1234565', '.1234560000', '.9999999'))
  .chain(([date, fraction]) =>
    fc.constantFrom(
      `${date}T12:00:00${fraction}Z`,
      `${date}T14:30:00${fraction}+02:30`,
      `${date}T12:00:00${fraction}z`,
    ),
  )
const operandBoolean = fc.constantFrom(true, false, 'True', 'false', 'TRUE')
const id = fc.oneof(
  fc.nat(USERS_MAX).map(userId),
  fc.nat(GROUPS).map(groupId),
  fc.constantFrom('', 'x', userId(0).toUpperCase(), '0190'),
)

type Kind = 'text' | 'boolean' | 'moment' | 'id' | 'link' | 'whole' | 'schemas' | 'resourceType'
type Asked = readonly [path: readonly string[], kind: Kind]

const SHARED: readonly Asked[] = [
  [['id'], 'id'],
  [['externalId'], 'text'],
  [['schemas'], 'schemas'],
  [['meta', 'resourceType'], 'resourceType'],
  [['meta', 'created'], 'moment'],
  [['meta', 'lastModified'], 'moment'],
]
const USER_ATTRIBUTES: readonly Asked[] = [
  ...SHARED,
  [['userName'], 'text'],
  [['active'], 'boolean'],
  [['displayName'], 'text'],
  [['title'], 'text'],
  [['profileUrl'], 'text'],
  [['name'], 'whole'],
  [['name', 'familyName'], 'text'],
  [['emails'], 'text'],
  [['emails', 'value'], 'text'],
  [['emails', 'type'], 'text'],
  [['emails', 'primary'], 'boolean'],
  [['photos', 'value'], 'text'],
  [['groups'], 'link'],
  [['groups', 'value'], 'link'],
  [[ENTERPRISE], 'whole'],
  [[ENTERPRISE, 'department'], 'text'],
  [[ENTERPRISE, 'manager'], 'text'],
  [[ENTERPRISE, 'manager', 'value'], 'text'],
]
const GROUP_ATTRIBUTES: readonly Asked[] = [
  ...SHARED,
  [['displayName'], 'text'],
  [['members'], 'link'],
  [['members', 'value'], 'link'],
]

const ENTRY_ATTRIBUTES: readonly Asked[] = [
  [['value'], 'text'],
  [['type'], 'text'],
  [['primary'], 'boolean'],
  [['display'], 'text'],
]

const compared = (
  path: readonly string[],
  ops: readonly Op[],
  value: fc.Arbitrary<string | boolean>,
): fc.Arbitrary<Question> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ ask: fc.constantFrom(...ops), path: fc.constant(path), value }) },
    { weight: 2, arbitrary: fc.constant({ ask: 'pr', path } as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('eq' as const, 'ne' as const).map((ask) => ({ ask, path, value: null })),
    },
  )

function term([path, kind]: Asked): fc.Arbitrary<Question> {
  switch (kind) {
    case 'text':
      return compared(path, ALL_OPS, path.at(-1) === 'type' ? fc.constantFrom(...EMAIL_TYPES) : text)
    case 'id':
      return compared(path, ALL_OPS, id)
    case 'boolean':
      return compared(path, ['eq', 'ne'], operandBoolean)
    case 'moment':
      return compared(path, ORDERED, operandMoment)
    case 'link':
      return compared(path, ['eq'], id)
    case 'schemas':
      return compared(path, ['eq', 'ne'], fc.constantFrom(CORE_USER, CORE_GROUP, ENTERPRISE, 'urn:x'))
    case 'resourceType':
      return compared(path, ['eq', 'ne'], fc.constantFrom('User', 'Group', 'user'))
    case 'whole':
      return fc.constant({ ask: 'pr', path } as const)
  }
}

const composed = (one: fc.Arbitrary<Question>, depth: number): fc.Arbitrary<Question> =>
  depth === 0
    ? one
    : fc.oneof(
        { weight: 4, arbitrary: one },
        {
          weight: 3,
          arbitrary: fc.record({
            ask: fc.constantFrom('and' as const, 'or' as const),
            of: fc.array(composed(one, depth - 1), { minLength: 2, maxLength: 3 }),
          }),
        },
        {
          weight: 1,
          arbitrary: composed(one, depth - 1).map((of): Question => ({ ask: 'not', of })),
        },
      )

const bracketed = fc
  .tuple(fc.constantFrom('emails', 'photos'), composed(fc.oneof(...ENTRY_ATTRIBUTES.map(term)), 1))
  .map(([list, where]): Question => ({ ask: 'entry', list, where }))

export const userQuestions = composed(
  fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...USER_ATTRIBUTES.map(term)) },
    { weight: 1, arbitrary: bracketed },
  ),
  2,
)
export const groupQuestions = composed(
  fc.oneof(
    ...GROUP_ATTRIBUTES.map(term),
    id.map(
      (value): Question => ({ ask: 'entry', list: 'members', where: { ask: 'eq', path: ['value'], value } }),
    ),
  ),
  2,
)
