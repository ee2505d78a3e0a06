import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import type pg from 'pg'
import { newFilterCounts, scimFilterProperty } from '../../../test/campaigns/scim-filter-property.ts'
import { fill, openScratch, userRow } from '../../../test/scim-scratch.ts'
import { compileCriterion, sortOf } from './criteria.sql.ts'
import type { Criterion, Operand, Place } from './criteria.ts'

let client: pg.Client
before(async () => {
  client = await openScratch()
})

const ID = '0190aaaa-0000-7000-8000-100000000000'
const text = (value: string): Operand => ({ type: 'text', value })
const column = (name: 'id' | 'userName' | 'externalId'): Place => ({ kind: 'column', column: name })
const path = (...parts: string[]): Place => ({ kind: 'path', path: parts })
const eq = (on: Place, value: string): Criterion => ({ kind: 'compare', on, op: 'eq', operand: text(value) })

test('filters as text find in PostgreSQL what the words of RFC 7644 say of the resources, and order them so', async () => {
  const counts = newFilterCounts()
  await fc.assert(scimFilterProperty(client, counts), { seed: 11, numRuns: 10 })
  assert.ok(counts.pairs > 5_000 && counts.found > 1_000, JSON.stringify(counts))
})

test('whatever a document holds, every condition is true or false, and every order has an answer', async () => {
  const meta = { created: '2026-01-01T00:00:00.000000Z', lastModified: '2026-01-01T00:00:00.000000Z' }
  const row = userRow({ id: ID, userName: 'ann', active: true, meta }, 0)
  const odd = ['null', '[]', '{}', '"text"', '1', '[1, null, {"value": "a"}]'].map((json) => JSON.parse(json))
  const nested = odd.flatMap((value) => [
    { title: value, emails: value, name: value, x: value },
    { emails: [value, { value, primary: value, type: value }], name: { familyName: value } },
  ])
  const documents = [...odd.filter((value) => value !== null), ...nested]
  await client.query('truncate scim_user')
  await fill(
    client,
    'scim_user',
    documents.map((search) => ({ ...row, search })),
  )

  const operands: Operand[] = [
    text('a'),
    text(''),
    { type: 'boolean', value: true },
    { type: 'number', value: 1e300 },
    { type: 'moment', value: '2026-01-01T00:00:00.000000Z' },
  ]
  const places = [path('title'), path('emails'), path('name', 'familyName'), path('x', '0'), path('value')]
  const ops = (operand: Operand) =>
    operand.type === 'boolean'
      ? (['eq', 'ne'] as const)
      : operand.type === 'text'
        ? (['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const)
        : (['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const)
  const simple = places.flatMap((on): Criterion[] => [
    { kind: 'present', on },
    ...operands.flatMap((operand) =>
      ops(operand).map((op): Criterion => ({ kind: 'compare', on, op, operand })),
    ),
  ])
  const criteria = simple.flatMap((where): Criterion[] => [
    where,
    { kind: 'some', path: ['emails'], where },
    { kind: 'some', path: ['name'], where },
  ])
  for (const criterion of criteria) {
    const params: unknown[] = []
    const condition = compileCriterion(criterion, 'user', params)
    const { rows } = await client.query(
      `select count(*) filter (where ${condition} is null) as unknown,
         count(*) filter (where ${condition}) + count(*) filter (where not ${condition}) as known from scim_user u`,
      params,
    )
    assert.deepEqual(rows, [{ unknown: 0, known: documents.length }], JSON.stringify(criterion))
  }
  for (const by of [path('title'), { kind: 'primary', path: ['emails'], sub: 'value' } as const]) {
    const params: unknown[] = []
    const order = sortOf({ by, descending: false }, 'user', params).by
    const { rowCount } = await client.query(`select id from scim_user u order by ${order}`, params)
    assert.equal(rowCount, documents.length)
  }
})

test('no value or path of a criterion is in the text of its SQL, and numbering goes on from the parameters before', () => {
  const evil = `'; drop table scim_user; --`
  const params: unknown[] = ['organization', 'connection']
  const criterion: Criterion = {
    kind: 'or',
    of: [
      eq(column('userName'), evil),
      { kind: 'compare', on: path(evil), op: 'co', operand: text(evil) },
      { kind: 'present', on: path(evil) },
      { kind: 'some', path: [evil], where: eq(path(evil), evil) },
      { kind: 'some', path: ['emails'], where: eq(path('value'), evil) },
      { kind: 'linked', id: evil },
      eq(column('id'), evil),
    ],
  }
  const sql = compileCriterion(criterion, 'user', params)
  const byPrimary = { by: { kind: 'primary', path: [evil], sub: evil }, descending: true } as const
  const order = sortOf(byPrimary, 'user', params).by
  assert.ok(!(sql + order).includes('drop'))
  const numbers = [...(sql + order).matchAll(/\$(\d+)/g)].map(([, number]) => Number(number))
  assert.deepEqual([Math.min(...numbers), Math.max(...numbers)], [3, params.length])
})

test('equality of id, userName, externalId, an address and a group name is found by an index', async () => {
  await client.query(`
    create index by_id on scim_user (id);
    create index by_user_name on scim_user (user_name_key);
    create index by_external_id on scim_user (external_id);
    create index by_email on scim_user using gin (email_keys);
    create index by_display_name on scim_group (display_name_key);
    set enable_seqscan = off`)
  const address = eq(path('value'), 'ann@acme.example')
  const work: Criterion = { kind: 'and', of: [eq(path('type'), 'work'), address] }
  const cases: [index: string, from: 'user' | 'group', criterion: Criterion][] = [
    ['by_id', 'user', eq(column('id'), ID)],
    ['by_user_name', 'user', eq(column('userName'), 'ann')],
    ['by_external_id', 'user', eq(column('externalId'), 'ann')],
    ['by_email', 'user', { kind: 'some', path: ['emails'], where: address }],
    ['by_email', 'user', { kind: 'some', path: ['emails'], where: work }],
    ['by_display_name', 'group', eq({ kind: 'column', column: 'displayName' }, 'sales')],
  ]
  for (const [index, from, criterion] of cases) {
    const params: unknown[] = []
    const condition = compileCriterion(criterion, from, params)
    const { rows } = await client.query(
      `explain select from scim_${from} ${from[0]} where ${condition}`,
      params,
    )
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    assert.match(plan, new RegExp(`(?:Index|Index Only) Scan (?:using|on) ${index}\\b`), plan)
  }
})
