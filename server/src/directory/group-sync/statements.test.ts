import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { countStatements } from '../../../test/count-statements.ts'
import { type GroupSyncWorld, openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { previewChange } from '../changes/change.ts'
import { applyClaims, type SyncResult } from './apply.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})
const open = (seats: number | null = null): Promise<GroupSyncWorld> =>
  openGroupSyncWorld(opened.database, seats)

test('a sync takes as many statements for one member as for many, whatever there is of mappings and projects', async () => {
  const world = await open(100)
  await world.configure({ autoRemove: true })
  await world.map('g0', 'member')
  await world.project()
  await world.map('g0', 'member', 'all')
  const members = []
  for (let n = 0; n < 6; n++) members.push(await world.member())
  const request = { organizationId: world.organizationId, actor: world.world.root }
  const count = (ids: readonly string[], groups: readonly string[]) =>
    countStatements(opened.database, () =>
      previewChange(world.world.directory, request, (context) =>
        applyClaims(
          context,
          world.workspaceId,
          ids.map((memberId) => ({ memberId, groups })),
          { origin: 'login' },
        ),
      ),
    )
  const few = await count(members.slice(0, 1), ['g0'])
  for (let n = 1; n < 5; n++) {
    await world.map(`g${n}`, 'member')
    await world.map(`g${n}`, 'viewer', await world.project())
  }
  assert.equal(await count(members, ['g0', 'g1', 'g2', 'g3', 'g4']), few)
  assert.ok(few <= 12, `${few} statements`)
})

test('a sync of hundreds does what one of each does, in as many statements as one of a hundred', async () => {
  const world = await open(150)
  await world.configure({ autoRemove: true })
  const project = await world.project()
  await world.map('staff', 'member')
  await world.map('devs', 'viewer', 'all')
  const rows = await opened.database.rows<{ id: string }>({
    name: '',
    text: `insert into member (organization_id, id, status, created_at, updated_at)
      select $1, uuid_v7(), 'active', now(), now() from generate_series(1, 200) returning id`,
    values: [world.organizationId],
  })
  const ids = rows.map(({ id }) => id).toSorted()
  const claims = ids.map((id, n) => [id, n % 2 === 0 ? ['staff', 'devs'] : ['devs']] as const)
  const hundred = await countStatements(opened.database, () => world.sync(claims.slice(0, 100)))
  let result: SyncResult | undefined
  const all = await countStatements(opened.database, async () => {
    result = await world.sync(claims)
  })
  assert.equal(all, hundred)
  const skipped = result!.members.filter((member) => member.skipped === 'no_seat')
  assert.deepEqual(
    skipped.map(({ memberId }) => memberId),
    ids.slice(150),
  )
  assert.equal(result!.opened, 100)
  const both = [`group_sync ${project} viewer`, 'group_sync workspace member'].toSorted()
  for (const id of [ids[0]!, ids[149]!]) assert.deepEqual(await world.held(id), both)
  await world.sync(claims.map(([id]) => [id, []] as const))
  assert.deepEqual(await world.held(ids[0]!), [])
})
