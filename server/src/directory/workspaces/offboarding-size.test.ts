import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type Bulk, enter, makeBulk } from '../../../test/bulk-membership.ts'
import { type Containers, openContainers } from '../../../test/campaigns/containers-world.ts'
import { assertSound } from '../../../test/campaigns/snapshot.ts'
import { change } from '../../../test/campaigns/world.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { freshDatabase } from '../../../test/harness.ts'
import type { Database, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { applyChange, previewChange } from '../changes/change.ts'
import { type Effects, readEffects } from '../changes/effects.ts'
import type { Context } from '../context.ts'
import { removeMember } from '../members/lifecycle.ts'
import { removeFromWorkspace } from './offboarding.ts'

const MANY = { projects: 2_000, groups: 500 }
const FEW = { projects: 2, groups: 1 }

let database: Database
let containers: Containers
let bulk: Bulk
before(async () => {
  ;({ database } = await freshDatabase())
  containers = await openContainers(database)
  bulk = await makeBulk(containers, MANY, await containers.person())
  // Somebody who stays, in everything.
  await enter(containers, await containers.person(), bulk)
  // Some who left, so that there is a past; then what the server does by itself after so much was written.
  for (const size of [MANY, ...Array(10).fill(FEW)]) {
    await change(containers.world, WAYS_OUT['out of the organization']!(await personIn(size)))
  }
  await database.run({ name: '', text: 'analyze', values: [] })
})

/** Somebody new in so many projects and groups. */
async function personIn(size: typeof MANY): Promise<string> {
  const id = await containers.person()
  const { projects, groups } = bulk
  await enter(containers, id, {
    projects: projects.slice(0, size.projects),
    groups: groups.slice(0, size.groups),
  })
  return id
}

/** Each ends the role on the workspace as well. */
const WAYS_OUT: Record<string, (id: string) => (context: Context) => Promise<unknown>> = {
  'out of the workspace': (id: string) => (context: Context) =>
    removeFromWorkspace(context, containers.workspaceId, id),
  'out of the organization': (id: string) => (context: Context) => removeMember(context, id),
}

const request = () => ({ organizationId: containers.world.organizationId, actor: containers.world.root })

/** Rows that a connection has written, by table, and read: those of transactions before as well. */
async function countRows(tx: Transaction) {
  const rows = await tx.rows(sql<{ name: string; written: number; read: number }>`
    select relname as name, n_tup_ins + n_tup_upd + n_tup_del as written, seq_tup_read + idx_tup_fetch as read
    from pg_stat_xact_user_tables`)
  return {
    written: new Map(rows.map(({ name, written }) => [name, written])),
    read: rows.reduce((sum, { read }) => sum + read, 0),
  }
}

/** Does it, and answers the rows it wrote and read and what it says it did. */
async function done(work: (context: Context) => Promise<unknown>) {
  const { organizationId } = request()
  let start: Awaited<ReturnType<typeof countRows>> | undefined
  let end: Awaited<ReturnType<typeof countRows>> | undefined
  let effects: Effects | undefined
  const counted = async (context: Context) => {
    start = await countRows(context.db)
    await work(context)
  }
  await applyChange(containers.world.directory, request(), counted, async (tx, _result, { id }) => {
    end = await countRows(tx)
    effects = await readEffects(tx, organizationId, id)
  })
  const record = await database.row(sql<{ kind: string; member_id: string; detail: unknown; ended: number }>`
    select kind, member_id, detail, ended_count as ended from change where organization_id = ${organizationId}
    order by seq desc limit 1`)
  const written = [...end!.written].map(
    ([name, count]) => [name, count - (start!.written.get(name) ?? 0)] as const,
  )
  return {
    written: Object.fromEntries(written.filter(([, count]) => count > 0)),
    read: end!.read - start!.read,
    effects: effects!,
    record: record!,
  }
}

/** What a member holds: every live grant of its own by its place, and every membership. */
async function held(memberId: string): Promise<string[]> {
  const rows = await database.rows(sql<{ held: string }>`
    select 'role ' || target_id as held from role_grant
    where member_id = ${memberId} and ended_change is null and target_id is not null
    union all
    select 'group ' || group_id from group_membership where member_id = ${memberId}`)
  return rows.map((row) => row.held).toSorted()
}

for (const [name, wayOut] of Object.entries(WAYS_OUT)) {
  describe(`the way ${name} of a member in 2,000 projects and 500 groups`, () => {
    test('takes as many statements as that of one in 2 projects and 1 group', async () => {
      const counts: number[] = []
      for (const size of [FEW, MANY]) {
        const id = await personIn(size)
        counts.push(await countStatements(database, () => change(containers.world, wayOut(id))))
        assert.deepEqual(await held(id), [])
      }
      assert.equal(counts[0], counts[1])
      assert.ok(counts[1]! <= 20, `${counts[1]} statements`)
    })

    test('writes one row for a role that ends and two for a membership, and little besides', async () => {
      const {
        role_grant: _,
        group_membership: __,
        group_membership_past: ___,
        ...besides
      } = (await done(wayOut(await personIn(FEW)))).written
      for (const size of [FEW, MANY]) {
        const { written, record } = await done(wayOut(await personIn(size)))
        assert.deepEqual(written, {
          ...besides,
          // One more: the role on the workspace.
          role_grant: size.projects + 1,
          group_membership: size.groups,
          group_membership_past: size.groups,
        })
        assert.equal(record.ended, size.projects + 1 + size.groups)
      }
      const rows = Object.values(besides).reduce((sum, count) => sum + count, 0)
      assert.ok(rows <= 4, JSON.stringify(besides))
    })

    test('reads rows in proportion to what ends, whatever else there is in the workspace', async () => {
      const few = await done(wayOut(await personIn(FEW)))
      const many = await done(wayOut(await personIn(MANY)))
      assert.ok(few.read <= 1000, `${few.read} rows read for ${few.record.ended} that end`)
      const each = many.read / many.record.ended
      assert.ok(each <= 30, `${each} rows read for each that ends`)
    })

    test('is shown by its preview as it then happens, which writes nothing', async () => {
      for (const size of [FEW, MANY]) {
        const id = await personIn(size)
        const before = await held(id)
        assert.equal(before.length, size.projects + 1 + size.groups)
        const preview = await previewChange(containers.world.directory, request(), wayOut(id))
        assert.deepEqual(await held(id), before)
        const { effects, record } = await done(wayOut(id))
        assert.deepEqual(preview.effects, effects)
        assert.deepEqual([preview.effects.opened, preview.effects.ended], [0, before.length])
        const { kind, memberId, detail } = preview.record!
        assert.deepEqual([kind, memberId, detail], [record.kind, record.member_id, record.detail])
        // The list of one answer is bounded; each of those it names was held.
        for (const { grant, groupId, workspaceId, projectId } of effects.grants) {
          const place = grant === 'role' ? `role ${workspaceId ?? projectId}` : `group ${groupId}`
          assert.ok(before.includes(place), place)
        }
        assert.equal(effects.grants.length, Math.min(before.length, 1000))
        assert.deepEqual(await held(id), [])
      }
      await assertSound(containers.world)
    })
  })
}
