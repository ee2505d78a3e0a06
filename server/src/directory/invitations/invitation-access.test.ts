import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'
import { assertRefused, expireInvitation, type Inviting, openInviting } from '../../../test/inviting.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Actor } from '../access/permission.ts'
import { archiveProject } from '../projects/project.ts'
import { getInvitation, listInvitations } from './invitation.ts'

let database: Database
let acme: Inviting
let other: Inviting
before(async () => {
  ;({ database } = await freshDatabase({ poolSize: 4 }))
  acme = await openInviting(database)
  other = await openInviting(database)
})

describe('nobody invites to more than they hold', () => {
  test('to owner only owners do, to admin only who holds everything', async () => {
    const [admin, manager] = [
      await acme.memberKey('admin'),
      await acme.memberKey('member', ['invitations:write']),
    ]
    await assertRefused(acme.invite({ level: 'owner' }, admin), 'permission.denied', 'level')
    await assertRefused(acme.invite({ level: 'owner' }, manager), 'permission.denied', 'level')
    await assertRefused(acme.invite({ level: 'admin' }, manager), 'role.permission_exceeded')
    await acme.invite({ level: 'admin' }, admin)
    await acme.invite({}, manager)
    await acme.invite({ level: 'owner' }, acme.world.apiKey)
    const narrow = { ...acme.world.apiKey, scopes: ['invitations:write'] } as Actor
    await assertRefused(acme.invite({ level: 'admin' }, narrow), 'role.permission_exceeded')
    await acme.invite({}, narrow)
  })

  test('a role takes holding what it gives where it gives it', async () => {
    const manager = await acme.memberKey('member', ['invitations:write'])
    const { id: projectId } = await acme.project()
    const grants = [{ roleId: await acme.roleId('project', 'admin'), projectId }]
    await assertRefused(acme.invite({ grants }, manager), 'role.permission_exceeded')
    await acme.invite({ grants: [{ roleId: await acme.roleId('project', 'viewer'), projectId }] }, manager)
    const owners = [{ roleId: await acme.roleId('organization', 'owner') }]
    await assertRefused(
      acme.invite({ grants: owners }, await acme.memberKey('admin')),
      'permission.denied',
      'role',
    )
    await acme.invite({ grants: owners })
  })

  test('a role is given where it fits, on projects that are there and not archived', async () => {
    const [live, archived] = [await acme.project(), await acme.project()]
    await change(acme.world, (context) => archiveProject(context, archived.id))
    const viewer = await acme.roleId('project', 'viewer')
    const give = (projectId: string, role = viewer) => acme.invite({ grants: [{ roleId: role, projectId }] })
    await give(live.id)
    await assertRefused(give(archived.id), 'project.archived')
    await assertRefused(give(crypto.randomUUID()), 'project.not_found')
    await assertRefused(give(live.id, await acme.roleId('workspace', 'guest')), 'role.wrong_target', 'role')
    await assertRefused(give(live.id, crypto.randomUUID()), 'role.not_found')
    const missing = [{ roleId: await acme.roleId('workspace', 'guest'), workspaceId: crypto.randomUUID() }]
    await assertRefused(acme.invite({ grants: missing }), 'workspace.not_found')
  })

  test('it takes invitations:write to invite and to revoke, invitations:read to read', async () => {
    const row = await acme.invite()
    const reader = await acme.memberKey('member', ['invitations:read'])
    await assertRefused(acme.invite({}, reader), 'permission.denied')
    await assertRefused(acme.revoke(row.id, reader), 'permission.denied')
    assert.deepEqual(await getInvitation(acme.reading(reader), row.id), row)
    const writer = await acme.memberKey('member', ['invitations:write'])
    const page = { afterId: null, limit: 1, statuses: null }
    await assertRefused(getInvitation(acme.reading(writer), row.id), 'permission.denied')
    await assertRefused(listInvitations(acme.reading(writer), page), 'permission.denied')
    await acme.revoke(row.id, writer)
  })
})

describe('a list of invitations', () => {
  test('has every status or those asked for, page by page, each with what it gives', async () => {
    const listed = await openInviting(database)
    const role = await listed.roleId('project', 'viewer')
    const { id: projectId } = await listed.project()
    const ids: string[] = []
    for (let count = 0; count < 5; count++) {
      const { id } = await listed.invite({ grants: [{ roleId: role, projectId }] })
      ids.push(id)
    }
    await listed.revoke(ids[0]!)
    await expireInvitation(database, ids[1]!)
    await listed.accept(ids[2]!)
    const list = async (statuses: Parameters<typeof listInvitations>[1]['statuses'], limit = 2) => {
      const found = []
      for (let afterId: string | null = null; ; ) {
        const rows = await listInvitations(listed.reading(), { afterId, limit, statuses })
        found.push(...rows)
        if (rows.length < limit) return found
        afterId = rows.at(-1)!.id
      }
    }
    const all = await list(null)
    assert.deepEqual(
      all.map(({ id, status }) => [id, status]),
      ids.map((id, index) => [id, ['revoked', 'expired', 'accepted', 'pending', 'pending'][index]]),
    )
    for (const row of all) assert.deepEqual(row, await getInvitation(listed.reading(), row.id))
    assert.ok(all.every(({ grants }) => grants.length === 1 && grants[0]!.project_id === projectId))
    const idsWith = async (...statuses: ('pending' | 'expired' | 'revoked')[]) =>
      (await list(statuses)).map(({ id }) => id)
    assert.deepEqual(await idsWith('pending'), ids.slice(3))
    assert.deepEqual(await idsWith('expired', 'revoked'), ids.slice(0, 2))
  })
})

describe('another organization', () => {
  test('does not see, revoke or give away anything of this one', async () => {
    const theirs = await other.invite()
    await assertRefused(getInvitation(acme.reading(), theirs.id), 'invitation.not_found')
    await assertRefused(acme.revoke(theirs.id), 'invitation.not_found')
    await assertRefused(getInvitation(acme.reading(), crypto.randomUUID()), 'invitation.not_found')
    const rows = await listInvitations(acme.reading(), { afterId: null, limit: 1000, statuses: null })
    assert.ok(rows.length > 0 && rows.every(({ id }) => id !== theirs.id))

    const viewer = await acme.roleId('project', 'viewer')
    const [theirProject, theirViewer] = [await other.project(), await other.roleId('project', 'viewer')]
    const foreign = (role: string, projectId: string) =>
      acme.invite({ grants: [{ roleId: role, projectId }] })
    await assertRefused(foreign(viewer, theirProject.id), 'project.not_found')
    await assertRefused(foreign(theirViewer, (await acme.project()).id), 'role.not_found')
    assert.equal((await getInvitation(other.reading(), theirs.id)).status, 'pending')
  })
})
