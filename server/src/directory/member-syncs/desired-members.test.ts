import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freshDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { DirectoryError } from '../errors.ts'
import { type DesiredMember, DesiredMembers } from './desired-members.ts'

function collect(...members: DesiredMember[]): DesiredMembers {
  const collected = new DesiredMembers('reference_id')
  for (const member of members) collected.add(member)
  return collected
}

/** The columns as PostgreSQL reads them. */
async function read(members: DesiredMembers) {
  const { database } = await freshDatabase()
  const { referenceIds, emails, emailKeys, displayNames, firstNames, lastNames, attributes, outcomes } =
    members.columns()
  return await database.row(sql<Record<string, (string | null)[] | null>>`
    select ${referenceIds}::text[] as ids, ${emails}::text[] as emails, ${emailKeys}::text[] as keys,
      ${displayNames}::text[] as names, ${firstNames}::text[] as first, ${lastNames}::text[] as last,
      ${attributes}::text[] as attributes, ${outcomes}::text[] as outcomes`)
}

describe('the desired members of a submission', () => {
  test('are stored column by column, and a column nobody filled is null', async () => {
    const columns = await read(
      collect(
        { referenceId: 'a', email: 'Ann@X.co', firstName: 'Ann' },
        { referenceId: 'b', email: null, attributes: { plan_id: 'gold' } },
      ),
    )
    assert.deepEqual(columns, {
      ids: ['a', 'b'],
      emails: ['Ann@x.co', null],
      keys: ['ann@x.co', null],
      names: null,
      first: ['Ann', null],
      last: null,
      attributes: [null, '{"plan_id":"gold"}'],
      outcomes: null,
    })
  })

  test('a row that breaks a rule is refused by name and keeps its place; the others stand', async () => {
    const columns = await read(
      collect(
        { referenceId: 'a', email: 'no address' },
        { referenceId: 'b', email: 'b@x.co' },
        { referenceId: 'c', attributes: { phone: '1' } },
      ),
    )
    assert.deepEqual(columns!.emails, [null, 'b@x.co', null])
    const [first, second, third] = columns!.outcomes!
    assert.match(first!, /^email must/)
    assert.equal(second, null)
    assert.match(third!, /^phone must/)
  })

  test('none are an empty list, not an absent one', async () => {
    const members = collect()
    assert.equal(members.count, 0)
    assert.deepEqual((await read(members))!.ids, [])
  })

  test('a person who stands twice is refused, naming both rows as the dialect does', () => {
    const members = collect({ referenceId: 'a' }, { referenceId: 'b' })
    assert.throws(
      () => members.add({ referenceId: 'a' }),
      (error: unknown) =>
        error instanceof DirectoryError &&
        error.code === 'member_sync.duplicate_reference_id' &&
        /members\[2\]\.reference_id is the same as members\[0\]\.reference_id/.test(error.message),
    )
    assert.equal(members.count, 2)
  })

  test('reference ids are told apart exactly: case, spaces and Unicode forms', () => {
    assert.equal(
      collect(...['a', 'A', ' a', 'é', 'e\u0301'].map((referenceId) => ({ referenceId }))).count,
      5,
    )
  })
})
