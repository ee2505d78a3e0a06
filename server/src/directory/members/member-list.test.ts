import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openWorld, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import type { Queryable } from '../../platform/postgres/database.ts'
import { type Statement, sql } from '../../platform/postgres/sql.ts'
import type { MemberPage } from './member.sql.ts'
import { listMembersByEmails } from './member-list.sql.ts'

let test: TestDatabase
let world: World
before(async () => {
  test = await freshDatabase()
  world = await openWorld(test.database)
  await test.database.run(sql`
    insert into member (organization_id, id, email, email_key, status, created_at, updated_at)
    select ${world.organizationId}, uuid_v7(), email, email, case when n % 2 = 0 then 'active' else 'removed' end, now(), now()
    from generate_series(1, 20000) n, lateral (select 'n' || n / 2 || '@size.example') e (email)`)
  await test.database.run(sql`analyze member`)
})

const page = { afterId: null, limit: 100, status: null }
const keys = ['n1@size.example', 'n2@size.example', 'nobody@size.example']

describe('members looked up by address', () => {
  it('are those who are there, and removed ones where they are asked for', async () => {
    const emailsOf = async (status: MemberPage['status']) => {
      const found = await listMembersByEmails(test.database, world.organizationId, keys, { ...page, status })
      return found.map((row) => row.email).toSorted()
    }
    assert.deepEqual(await emailsOf(null), ['n1@size.example', 'n2@size.example'])
    assert.deepEqual(await emailsOf('removed'), ['n1@size.example', 'n2@size.example'])
    assert.deepEqual(await emailsOf('suspended'), [])
  })

  it('are found through the indexes of addresses, whatever the number of members', async () => {
    let asked: Statement<unknown> | undefined
    const noting = {
      rows: async (statement: Statement<unknown>) => {
        asked = statement
        return []
      },
    } as unknown as Queryable
    await listMembersByEmails(noting, world.organizationId, keys, page)
    const rows = await test.database.rows<{ 'QUERY PLAN': string }>({
      ...{ name: '', text: `explain (analyze, timing off) ${asked!.text}`, values: asked!.values },
    })
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    assert.match(plan, /member_email\b/)
    assert.match(plan, /member_removed_email\b/)
    const read = [...plan.matchAll(/rows=(\d+)(?:\.\d+)? loops/g)].map(([, count]) => Number(count))
    assert.ok(Math.max(...read) < 100, plan)
  })
})
