import assert from 'node:assert/strict'
import fc from 'fast-check'
import type pg from 'pg'
import { compileCriterion, sortOf, startAfter } from '#src/directory/scim/criteria.sql.ts'
import { toCriterion } from '#src/surfaces/scim/protocol/criterion.ts'
import { parseFilter } from '#src/surfaces/scim/protocol/filter.ts'
import { toOrder } from '#src/surfaces/scim/protocol/order.ts'
import { groupType, userType } from '#src/surfaces/scim/protocol/registry.ts'
import { holds, type Json, type Question, type Resource } from '../scim-filter-evaluator.ts'
import { type Choose, filterText } from '../scim-filter-text.ts'
import { loadScratch } from '../scim-scratch.ts'
import { groupQuestions, groups, userQuestions, users } from './scim-filter-arbitrary.ts'
import { sorted } from './scim-sorted.ts'

export interface FilterCounts {
  questions: number
  pairs: number
  found: number
  orders: number
}

export const newFilterCounts = (): FilterCounts => ({ questions: 0, pairs: 0, found: 0, orders: 0 })

const QUESTIONS = 50

const SORTS = [
  'userName',
  'displayName',
  'name.familyName',
  'name.givenName',
  'meta.created',
  'meta.lastModified',
  'id',
  'externalId',
  'active',
  'title',
  'emails',
  'emails.value',
  'profileUrl',
  'manager',
]

/**
 * Random users and groups as JSON, random filters as text: what SQL finds is what RFC 7644's words say of the JSON,
 * the order of all users is the one asked for, and goes on after any of them.
 *
 * @param client a session of `openScratch`
 */
export function scimFilterProperty(client: pg.Client, counts: FilterCounts) {
  const questions = (one: fc.Arbitrary<Question>) =>
    fc.array(one, { minLength: QUESTIONS, maxLength: QUESTIONS })
  const writings = fc.noShrink(fc.array(fc.nat(2 ** 20), { minLength: 97, maxLength: 97 }))
  return fc.asyncProperty(
    users,
    groups,
    questions(userQuestions),
    questions(groupQuestions),
    writings,
    async (allUsers, allGroups, ofUsers, ofGroups, writing) => {
      const withMembers = allGroups.map((group) => withMembersOf(group, allUsers))
      await loadScratch(client, allUsers, withMembers)
      let next = 0
      const choose = (below: number) => writing[next++ % writing.length]! % below
      for (const question of ofUsers) {
        await compareAnswers(client, 'user', allUsers, question, filterText(question, choose), counts)
      }
      for (const question of ofGroups) {
        await compareAnswers(client, 'group', withMembers, question, filterText(question, choose), counts)
      }
      for (const by of SORTS) await compareOrders(client, allUsers, by, choose, counts)
    },
  )
}

function withMembersOf(group: Resource, allUsers: readonly Resource[]): Resource {
  const members = allUsers.filter((user) =>
    (user.groups as { value: string }[]).some(({ value }) => value === group.id),
  )
  return { ...group, members: members.map(({ id }): Json => ({ value: id as string })) }
}

async function compareAnswers(
  client: pg.Client,
  resource: 'user' | 'group',
  all: readonly Resource[],
  question: Question,
  text: string,
  counts: FilterCounts,
): Promise<void> {
  const criterion = toCriterion(resource === 'user' ? userType : groupType, parseFilter(text))
  const params: unknown[] = []
  const condition = compileCriterion(criterion, resource, params)
  const from = resource === 'user' ? 'scim_user u' : 'scim_group g'
  const { rows } = await client.query(`select id, ${condition} as fits from ${from} order by id`, params)
  const expected = all.map((one) => ({ id: one.id, fits: holds(question, one) }))
  assert.deepEqual(
    rows,
    expected,
    `${text}\n${JSON.stringify(question)}\n${condition}\n${JSON.stringify(params)}`,
  )
  counts.questions++
  counts.pairs += all.length
  counts.found += expected.filter(({ fits }) => fits).length
}

async function compareOrders(
  client: pg.Client,
  all: readonly Resource[],
  by: string,
  choose: Choose,
  counts: FilterCounts,
): Promise<void> {
  for (const sortOrder of ['ascending', 'descending'] as const) {
    const expected = sorted(all, by, sortOrder).map(({ id }) => id)
    const order = toOrder(userType, by, sortOrder)
    const params: unknown[] = []
    const sort = sortOf(order, 'user', params)
    const select = `select id, (${sort.value})::text as value from scim_user u`
    const whole = await client.query(`${select} order by ${sort.by}`, params)
    assert.deepEqual(idsOf(whole), expected, `${by} ${sortOrder}: ${sort.by}`)

    const at = choose(all.length)
    const after = startAfter(order, 'user', sort.value, whole.rows[at], params)
    const rest = await client.query(`${select} where ${after} order by ${sort.by}`, params)
    assert.deepEqual(idsOf(rest), expected.slice(at + 1), `${by} ${sortOrder}, after ${at}: ${after}`)
    counts.orders++
  }
}

const idsOf = ({ rows }: pg.QueryResult<{ id: string }>) => rows.map(({ id }) => id)
