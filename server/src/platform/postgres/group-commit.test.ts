import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { holdOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { sqlState } from './database.ts'
import { GroupCommit, type GroupedWrite, type WriteKind } from './group-commit.ts'
import { sql } from './sql.ts'

let test: TestDatabase
let commits: GroupCommit<null>
before(async () => {
  test = await freshDatabase({ poolSize: 8 })
  await test.database.run(sql`
    create table note (place bigint generated always as identity, name text unique, kind text, xid bigint not null)`)
  commits = new GroupCommit(test.database)
})

type Names = readonly string[]
const kindOf = (kind: string, mayWait: boolean): WriteKind<null, string> => ({
  mayWait,
  statements: (_, names: Names) => [
    sql`
      insert into note (name, kind, xid)
      select name, ${kind}, pg_current_xact_id()::text::bigint from unnest(${[...names]}::text[]) n (name)`,
  ],
})
const later = kindOf('later', false)
const first = kindOf('first', true)
const write = (kind: WriteKind<null, string>, row: string): GroupedWrite<null> => ({ kind, row })
const commit = (kind: WriteKind<null, string>, name: string, lane = 'lane') =>
  commits.commit(lane, null, write(kind, name))
const notes = async (names: Names) =>
  await test.database.rows(sql<{ name: string; kind: string; xid: number }>`
    select name, kind, xid from note where name = any(${[...names]}::text[]) order by place`)

describe('a group commit', () => {
  it('writes what comes together in one transaction, by one statement', async () => {
    const names = ['a1', 'a2', 'a3', 'a4']
    await Promise.all(names.map((name) => commit(later, name)))
    const written = await notes(names)
    assert.deepEqual(
      written.map(({ name }) => name),
      names,
    )
    assert.equal(new Set(written.map(({ xid }) => xid)).size, 1)
  })

  it('writes first what may have to wait', async () => {
    const names = ['b1', 'b2', 'b3']
    await Promise.all([commit(later, 'b1'), commit(first, 'b2'), commit(later, 'b3')])
    assert.deepEqual(
      (await notes(names)).map(({ name }) => name),
      ['b2', 'b1', 'b3'],
    )
  })

  it('lets the others through where one fails, and tells that one alone', async () => {
    await commit(later, 'c-taken')
    const names = ['c1', 'c-taken', 'c2']
    const outcomes = await Promise.allSettled(names.map((name) => commit(later, name)))
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal(sqlState((outcomes[1] as PromiseRejectedResult).reason), '23505')
    assert.equal((await notes(names)).length, 3)
  })

  it('keeps nobody waiting behind who waits for somebody else', async () => {
    const held = await holdOpen(test.connectionString)
    await held.query(`insert into note (name, xid) values ('d-held', 0)`)
    const waiting = commit(first, 'd-held')
    await untilWaiting(test.database, 1)
    await Promise.all(['d1', 'd2', 'd3'].map((name) => commit(later, name)))
    await commit(later, 'd-lane', 'another lane')
    assert.equal((await notes(['d1', 'd2', 'd3', 'd-lane'])).length, 4)
    assert.equal((await notes(['d-held'])).length, 0)
    await held.rollback()
    await waiting
    assert.equal((await notes(['d-held'])).length, 1)
  })

  it('outlives the end of its connection: nothing is written, everybody is told, and the lane goes on', async () => {
    const deadly: WriteKind<null, string> = {
      mayWait: false,
      statements: (_, names: Names) => [
        ...later.statements(null, names),
        sql`select pg_terminate_backend(pg_backend_pid())`,
      ],
    }
    const outcomes = await Promise.allSettled([commit(deadly, 'e1'), commit(deadly, 'e2')])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal((await notes(['e1', 'e2'])).length, 0)
    await commit(later, 'e3')
    assert.equal((await notes(['e3'])).length, 1)
  })
})
