import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change, openWorld, type World } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Actor } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { removeMember, suspendMember } from '../members/lifecycle.ts'
import { createMember } from '../members/member.ts'
import { archiveProject, createProject } from '../projects/project.ts'
import { createRole, requirePredefinedRole } from '../roles/role.ts'
import { ORGANIZATION, type TargetKind } from '../roles/target.ts'
import { createWorkspace } from '../workspaces/workspace.ts'
import {
  createInvitation,
  getInvitation,
  INVITATION_GRANTS_MAX,
  INVITATION_SECONDS_MAX,
  INVITATION_SECONDS_MIN,
  listInvitations,
  type NewInvitation,
  revokeInvitation,
} from './invitation.ts'

let database: Database
let world: World
let other: World
before(async () => {
  ;({ database } = await freshDatabase({ poolSize: 24 }))
  world = await openWorld(database)
  other = await openWorld(database)
})

let made = 0
const address = () => `p${++made}@x.co`

const invite = (more: Partial<NewInvitation> = {}, where = world, actor: Actor = where.root) =>
  change(
    where,
    (context) => createInvitation(context, { email: address(), level: 'member', grants: [], ...more }),
    actor,
  )
const revoke = (id: string, where = world, actor: Actor = where.root) =>
  change(where, (context) => revokeInvitation(context, id), actor)
const reading = (where = world, actor: Actor = where.root): ReadContext => ({
  ...{ db: database, actor, organizationId: where.organizationId },
})
const get = (id: string) => getInvitation(reading(), id)

function refused(work: Promise<unknown>, code: string, field?: string): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(error instanceof DirectoryError, String(error))
    assert.deepEqual([error.code, error.details.field], [code, field], error.message)
    return true
  })
}

/** Moves the end of an invitation into the past. */
const expire = (id: string) =>
  database.run(sql`update invitation set expires_at = now() where id = ${id} and status = 'pending'`)
const accept = (id: string) =>
  database.run(sql`update invitation set status = 'accepted', accepted_at = now() where id = ${id}`)

async function roleId(resource: TargetKind, key: string, where = world): Promise<string> {
  return (await requirePredefinedRole(reading(where), resource, key)).id
}
const project = (where = world) =>
  change(where, (context) =>
    createProject(context, { workspaceSlug: null, identifier: null, name: 'P', metadata: {} }),
  )
const workspace = (where = world) =>
  change(where, (context) =>
    createWorkspace(context, { slug: `w${++made}`, name: 'W', metadata: {}, purchasedSeats: null }),
  )

/** A key of a member at some level who holds some permissions on the organization beside it. */
async function memberKey(level: 'member' | 'admin', permissions: string[]): Promise<Actor> {
  const { id } = await change(world, (context) => createMember(context, { email: address() }))
  const key = { kind: 'api_key', id, organizationId: world.organizationId, memberId: id } as const
  return { ...key, scopes: ['*'], level, permissions }
}

async function changesOf(id: string): Promise<object[]> {
  return await database.rows(sql`
    select kind, detail from change where detail ->> 'invitation' = ${id} order by seq`)
}

describe('an invitation', () => {
  test('keeps what it is to give, in order, each once, with names', async () => {
    const [own, space] = [await project(), await workspace()]
    const [onProject, onSpace] = [await roleId('project', 'member'), await roleId('workspace', 'guest')]
    const custom = await change(world, (context) =>
      createRole(context, {
        ...{ of: ORGANIZATION, resource: 'organization', name: 'Bills', description: null, metadata: {} },
        permissions: ['invoices.approve'],
      }),
    )
    const row = await invite({
      email: 'Ann@Acme.Example',
      level: 'admin',
      grants: [
        { roleId: onProject, projectId: own.id },
        { roleId: onSpace, workspaceId: space.id },
        { roleId: custom.id },
        { roleId: onProject, projectId: own.id, workspaceId: null },
      ],
    })
    assert.deepEqual([row.email, row.email_key], ['Ann@acme.example', 'ann@acme.example'])
    assert.deepEqual(
      [row.level, row.status, row.accepted_at, row.revoked_at],
      ['admin', 'pending', null, null],
    )
    assert.deepEqual([row.invited_by_kind, row.invited_by_id], ['root', null])
    const nowhere = { workspace_id: null, workspace_slug: null, project_id: null, project_name: null }
    assert.deepEqual(row.grants, [
      {
        ...{ ...nowhere, role_id: onProject, role_key: 'member', role_name: 'Member' },
        ...{ project_id: own.id, project_name: 'P' },
      },
      {
        ...{ ...nowhere, role_id: onSpace, role_key: 'guest', role_name: 'Guest' },
        ...{ workspace_id: space.id, workspace_slug: space.slug },
      },
      { ...nowhere, role_id: custom.id, role_key: null, role_name: 'Bills' },
    ])
    assert.deepEqual(await get(row.id), row)
  })

  test('is one change without the address, and opens nothing', async () => {
    const { id } = await invite({ email: 'quiet@x.co' })
    const detail = { invitation: id, level: 'member' }
    assert.deepEqual(await changesOf(id), [{ kind: 'invitation.created', detail }])
    const [row] = await database.rows<{ text: string; opened_count: number }>(sql`
      select change::text as text, opened_count from change where detail ->> 'invitation' = ${id}`)
    assert.ok(!row!.text.includes('quiet'))
    assert.equal(row!.opened_count, 0)
  })

  test('names who invited: a member for a key that acts as one', async () => {
    const actor = await memberKey('admin', [])
    const row = await invite({}, world, actor)
    assert.deepEqual(
      [row.invited_by_kind, row.invited_by_id],
      ['member', 'memberId' in actor && actor.memberId],
    )
    const own = await invite({}, world, world.apiKey)
    assert.deepEqual(own.invited_by_kind, 'api_key')
  })

  test('ends after three days, or after as long as asked for within the limits', async () => {
    const lasts = async (expiresInSeconds?: number) => {
      const row = await invite({ expiresInSeconds })
      return (Date.parse(row.expires_at) - Date.parse(row.created_at)) / 1000
    }
    assert.equal(await lasts(), 3 * 24 * 60 * 60)
    for (const seconds of [INVITATION_SECONDS_MIN, INVITATION_SECONDS_MAX]) {
      assert.equal(await lasts(seconds), seconds)
    }
    for (const seconds of [INVITATION_SECONDS_MIN - 1, INVITATION_SECONDS_MAX + 1, 60.5, Number.NaN]) {
      await refused(invite({ expiresInSeconds: seconds }), 'request.invalid', 'expires_in_seconds')
    }
    await refused(invite({ email: 'nobody' }), 'request.invalid', 'email')
  })

  test('gives as many roles as the limit allows', async () => {
    const role = await roleId('project', 'viewer')
    const ids: string[] = []
    for (let count = 0; count <= INVITATION_GRANTS_MAX; count++) ids.push((await project()).id)
    const grants = ids.map((projectId) => ({ roleId: role, projectId }))
    const row = await invite({ grants: grants.slice(1) })
    assert.deepEqual(
      row.grants.map((grant) => grant.project_id),
      ids.slice(1),
    )
    await refused(invite({ grants }), 'request.invalid', 'grants')
    const both = { roleId: role, projectId: ids[0]!, workspaceId: (await workspace()).id }
    await refused(invite({ grants: [both] }), 'request.invalid', 'grants')
  })
})

describe('an address', () => {
  test('of an active or suspended member is not invited, of a removed one it is', async () => {
    const { id } = await change(world, (context) => createMember(context, { email: 'bob@x.co' }))
    const again = () => invite({ email: 'BOB@x.co' })
    await refused(again(), 'invitation.already_member', 'email')
    await change(world, (context) => suspendMember(context, id))
    await refused(again(), 'invitation.already_member', 'email')
    await change(world, (context) => removeMember(context, id))
    await again()
  })

  test('has one pending invitation, and another one when that is revoked, accepted or past its end', async () => {
    const email = 'carl@x.co'
    const first = await invite({ email })
    await refused(invite({ email: 'Carl@X.co' }), 'invitation.already_pending', 'email')
    await expire(first.id)
    assert.equal((await get(first.id)).status, 'expired')
    const second = await invite({ email })
    // The one that gave way keeps its status when its own end is moved.
    await database.run(
      sql`update invitation set expires_at = now() + interval '1 day' where id = ${first.id}`,
    )
    assert.equal((await get(first.id)).status, 'expired')
    await revoke(second.id)
    const third = await invite({ email })
    await accept(third.id)
    await invite({ email })
  })

  test('that 20 want to invite at once is invited once, new or after one that is past its end', async () => {
    const email = 'dora@x.co'
    for (const round of ['new', 'expired']) {
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => invite({ email })))
      const won = results.filter((result) => result.status === 'fulfilled')
      const lost = results.filter((result) => result.status === 'rejected')
      assert.equal(won.length, 1, round)
      for (const { reason } of lost) assert.equal(reason.code, 'invitation.already_pending', String(reason))
      assert.equal((await changesOf(won[0]!.value.id)).length, 1)
      await expire(won[0]!.value.id)
    }
    const stored = await database.rows<{ status: string }>(sql`
      select status from invitation where email_key = ${email} order by id`)
    assert.deepEqual(
      stored.map(({ status }) => status),
      ['expired', 'pending'],
    )
  })

  test('may be invited by two organizations', async () => {
    const email = address()
    await invite({ email })
    await invite({ email }, other)
  })
})

describe('nobody invites to more than they hold', () => {
  test('to owner only owners do, to admin only who holds everything', async () => {
    const [admin, manager] = [await memberKey('admin', []), await memberKey('member', ['invitations:write'])]
    await refused(invite({ level: 'owner' }, world, admin), 'permission.denied', 'level')
    await refused(invite({ level: 'owner' }, world, manager), 'permission.denied', 'level')
    await refused(invite({ level: 'admin' }, world, manager), 'role.permission_exceeded')
    await invite({ level: 'admin' }, world, admin)
    await invite({}, world, manager)
    await invite({ level: 'owner' }, world, world.apiKey)
    const narrow = { ...world.apiKey, scopes: ['invitations:write'] } as Actor
    await refused(invite({ level: 'admin' }, world, narrow), 'role.permission_exceeded')
    await invite({}, world, narrow)
  })

  test('a role takes holding what it gives where it gives it', async () => {
    const manager = await memberKey('member', ['invitations:write'])
    const { id: projectId } = await project()
    const grants = [{ roleId: await roleId('project', 'admin'), projectId }]
    await refused(invite({ grants }, world, manager), 'role.permission_exceeded')
    await invite({ grants: [{ roleId: await roleId('project', 'viewer'), projectId }] }, world, manager)
    const owners = [{ roleId: await roleId('organization', 'owner') }]
    await refused(
      invite({ grants: owners }, world, await memberKey('admin', [])),
      'permission.denied',
      'role',
    )
    await invite({ grants: owners })
  })

  test('a role is given where it fits, on projects that are there and not archived', async () => {
    const [live, archived] = [await project(), await project()]
    await change(world, (context) => archiveProject(context, archived.id))
    const viewer = await roleId('project', 'viewer')
    const give = (projectId: string, role = viewer) => invite({ grants: [{ roleId: role, projectId }] })
    await give(live.id)
    await refused(give(archived.id), 'project.archived')
    await refused(give(crypto.randomUUID()), 'project.not_found')
    await refused(give(live.id, await roleId('workspace', 'guest')), 'role.wrong_target', 'role')
    await refused(give(live.id, crypto.randomUUID()), 'role.not_found')
    const missing = [{ roleId: await roleId('workspace', 'guest'), workspaceId: crypto.randomUUID() }]
    await refused(invite({ grants: missing }), 'workspace.not_found')
  })

  test('it takes invitations:write to invite and to revoke, invitations:read to read', async () => {
    const row = await invite()
    const reader = await memberKey('member', ['invitations:read'])
    await refused(invite({}, world, reader), 'permission.denied')
    await refused(revoke(row.id, world, reader), 'permission.denied')
    assert.deepEqual(await getInvitation(reading(world, reader), row.id), row)
    const writer = await memberKey('member', ['invitations:write'])
    const page = { afterId: null, limit: 1, statuses: null }
    await refused(getInvitation(reading(world, writer), row.id), 'permission.denied')
    await refused(listInvitations(reading(world, writer), page), 'permission.denied')
    await revoke(row.id, world, writer)
  })
})

describe('revoking', () => {
  test('is one change, however many do it at once', async () => {
    const { id } = await invite()
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => revoke(id)))
    const won = results.filter((result) => result.status === 'fulfilled')
    const lost = results.filter((result) => result.status === 'rejected')
    assert.equal(won.length, 1)
    for (const { reason } of lost) assert.equal(reason.code, 'invitation.not_found', String(reason))
    const row = won[0]!.value
    assert.equal(row.status, 'revoked')
    assert.ok(row.revoked_at !== null)
    assert.deepEqual(await get(id), row)
    assert.deepEqual((await changesOf(id)).slice(1), [
      { kind: 'invitation.revoked', detail: { invitation: id } },
    ])
  })

  test('clears an expired invitation away, and leaves an accepted one', async () => {
    const [expired, accepted] = [await invite(), await invite()]
    await expire(expired.id)
    assert.equal((await revoke(expired.id)).status, 'revoked')
    await accept(accepted.id)
    await refused(revoke(accepted.id), 'invitation.wrong_status')
    assert.equal((await get(accepted.id)).status, 'accepted')
  })
})

describe('a list of invitations', () => {
  test('has every status or those asked for, page by page, each with what it gives', async () => {
    const listed = await openWorld(database)
    const role = await roleId('project', 'viewer', listed)
    const { id: projectId } = await project(listed)
    const ids: string[] = []
    for (let count = 0; count < 5; count++) {
      const { id } = await invite({ grants: [{ roleId: role, projectId }] }, listed)
      ids.push(id)
    }
    await revoke(ids[0]!, listed)
    await expire(ids[1]!)
    await accept(ids[2]!)
    const list = async (statuses: Parameters<typeof listInvitations>[1]['statuses'], limit = 2) => {
      const found = []
      for (let afterId: string | null = null; ; ) {
        const rows = await listInvitations(reading(listed), { afterId, limit, statuses })
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
    for (const row of all) assert.deepEqual(row, await getInvitation(reading(listed), row.id))
    assert.ok(all.every(({ grants }) => grants.length === 1 && grants[0]!.project_id === projectId))
    const idsWith = async (...statuses: ('pending' | 'expired' | 'revoked')[]) =>
      (await list(statuses)).map(({ id }) => id)
    assert.deepEqual(await idsWith('pending'), ids.slice(3))
    assert.deepEqual(await idsWith('expired', 'revoked'), ids.slice(0, 2))
  })
})

describe('another organization', () => {
  test('does not see, revoke or give away anything of this one', async () => {
    const theirs = await invite({}, other)
    await refused(get(theirs.id), 'invitation.not_found')
    await refused(revoke(theirs.id), 'invitation.not_found')
    await refused(get(crypto.randomUUID()), 'invitation.not_found')
    const rows = await listInvitations(reading(), { afterId: null, limit: 1000, statuses: null })
    assert.ok(rows.length > 0 && rows.every(({ id }) => id !== theirs.id))

    const viewer = await roleId('project', 'viewer')
    const [theirProject, theirViewer] = [await project(other), await roleId('project', 'viewer', other)]
    const foreign = (role: string, projectId: string) => invite({ grants: [{ roleId: role, projectId }] })
    await refused(foreign(viewer, theirProject.id), 'project.not_found')
    await refused(foreign(theirViewer, (await project()).id), 'role.not_found')
    assert.equal((await getInvitation(reading(other), theirs.id)).status, 'pending')
  })
})
