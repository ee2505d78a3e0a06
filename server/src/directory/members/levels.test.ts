import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { assertSound } from '../../../test/campaigns/snapshot.ts'
import { change, openWorld, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { assignRole } from '../roles/assignment.ts'
import { requirePredefinedRole } from '../roles/role.ts'
import { ORGANIZATION } from '../roles/target.ts'
import { changeMemberLevel, createMember } from './member.ts'

let world: World
before(async () => {
  const { database } = await freshDatabase()
  world = await openWorld(database)
})

test('a level that has expired is given anew by setting it, even before anything recorded the expiry', async () => {
  const { database, organizationId } = world
  const { id } = await change(world, (context) => createMember(context, { email: 'a@x.co' }))
  await change(world, async (context) => {
    const role = await requirePredefinedRole(context, 'organization', 'admin')
    const subject = { kind: 'member', id } as const
    return await assignRole(
      context,
      { subject, roleId: role.id, target: ORGANIZATION },
      '2099-01-01T00:00:00Z',
    )
  })
  await database.run(sql`
    update role_grant set expires_at = now() where organization_id = ${organizationId} and member_id = ${id}`)
  const after = await change(world, (context) => changeMemberLevel(context, id, 'admin'))
  assert.equal(after.level, 'admin')
  await assertSound(world)
})
