import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { type Authentication, openAuthentication } from '../../directory/api-keys/authentication.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
let acme: DirectoryClient
let organizationId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const organization = await app.organization('acme')
  acme = directoryClient(app, organization.path)
  organizationId = decodeId(idPrefixes.organization, organization.id)!
})

const memberUuid = (id: string) => decodeId(idPrefixes.member, id)!
const groupUuid = (id: string) => decodeId(idPrefixes.group, id)!
const later = (millis: number) => new Date(Date.now() + millis).toISOString()
const past = () => later(-1000)

/** A custom role on the organization. */
async function role(permissions: readonly string[]): Promise<string> {
  const id = uuidV7()
  await app.database.run(sql`
    insert into role (organization_id, id, name, name_key, permissions)
    values (${organizationId}, ${id}, ${id}, ${id}, ${permissions})`)
  return id
}

async function predefined(key: string, resource = 'organization'): Promise<string> {
  const id = uuidV7()
  const row = await app.database.row(sql<{ id: string }>`
    insert into role (organization_id, id, key, resource, name, name_key)
    values (${organizationId}, ${id}, ${key}, ${resource}, ${key}, ${key})
    on conflict (organization_id, resource, key) where key is not null do update set key = excluded.key
    returning id`)
  return row!.id
}

interface Place {
  readonly memberId?: string
  readonly groupId?: string
  readonly projectId?: string
  readonly workspaceId?: string
  readonly expiresAt?: string
}

/** Written as rows: what a key makes of a grant is asked here, not who may open one. */
async function grant(roleId: string, place: Place): Promise<string> {
  const id = uuidV7()
  await app.database.run(sql`
    insert into role_grant (organization_id, id, member_id, group_id, role_id, project_id, workspace_id, source_id,
      opened_change, expires_at)
    select ${organizationId}, ${id}, ${place.memberId ?? null}, ${place.groupId ?? null}, ${roleId},
      ${place.projectId ?? null}, ${place.workspaceId ?? null}, s.id, c.id, ${place.expiresAt ?? null}
    from grant_source s, (select id from change where organization_id = ${organizationId} limit 1) c
    where s.organization_id = ${organizationId} and s.kind = 'manual'`)
  return id
}

/** A member at level `member` with a key that acts as it. */
async function person() {
  const { id } = await acme.member()
  return { id, uuid: memberUuid(id), key: await acme.key(['*'], { member_id: id }) }
}

/** What a process that knows nothing yet makes of a key. */
async function actorOf(key: string) {
  const authentication = await openAuthentication(app.database, 'root key of the other process')
  try {
    const actor = await authentication.authenticate(key)
    assert.ok(actor.kind === 'api_key')
    return { level: actor.level, permissions: [...(actor.permissions ?? [])].sort() }
  } finally {
    await authentication.close()
  }
}

const NOTHING = { level: 'member', permissions: [] }

describe('a key that acts as a member', () => {
  it('may do what a custom role on the organization gives the member, and no more', async () => {
    const [one, without] = [await person(), await person()]
    const body = { email: 'made@acme.example' }
    await acme.refused('POST', '/members', 'permission.denied', 403, { key: without.key, body })
    await grant(await role(['members:write', 'invoices.approve']), { memberId: one.uuid })
    assert.deepEqual(await actorOf(one.key), {
      level: 'member',
      permissions: ['invoices.approve', 'members:write'],
    })
    assert.equal((await acme.send('POST', '/members', { key: one.key, body })).status, 201)
    await acme.refused('POST', '/groups', 'permission.denied', 403, { key: one.key, body: { name: 'x' } })
    const scoped = await acme.key(['members:read'], { member_id: one.id })
    await acme.refused('POST', '/members', 'permission.denied', 403, { key: scoped, body })
  })

  it('has what a group gives for as long as the member is in it', async () => {
    const one = await person()
    const group = await acme.group()
    await grant(await role(['members:write']), { groupId: groupUuid(group.id) })
    assert.deepEqual(await actorOf(one.key), NOTHING)
    await acme.add(group.id, one.id)
    assert.deepEqual((await actorOf(one.key)).permissions, ['members:write'])
    await acme.ok('DELETE', `/groups/${group.id}/members/${one.id}`)
    assert.deepEqual(await actorOf(one.key), NOTHING)
  })

  it('has the union of all roles, and each permission once', async () => {
    const one = await person()
    const group = await acme.group()
    await acme.add(group.id, one.id)
    await grant(await role(['members:write', 'groups:write']), { memberId: one.uuid })
    await grant(await role(['groups:write', 'plans:read']), { groupId: groupUuid(group.id) })
    await grant(await predefined('member'), { memberId: one.uuid })
    assert.deepEqual(await actorOf(one.key), {
      level: 'member',
      permissions: ['groups:write', 'members:write', 'plans:read'],
    })
  })

  it('has nothing of a role or a membership that has expired, or of a role that has ended', async () => {
    const one = await person()
    const [expired, group] = [await acme.group(), await acme.group()]
    const writes = await role(['members:write'])
    await grant(writes, { memberId: one.uuid, expiresAt: past() })
    await grant(writes, { groupId: groupUuid(group.id), expiresAt: past() })
    await acme.add(group.id, one.id)
    await grant(writes, { groupId: groupUuid(expired.id) })
    await acme.add(expired.id, one.id)
    await app.database.run(sql`
      update group_membership set expires_at = now() - interval '1 second'
      where organization_id = ${organizationId} and group_id = ${groupUuid(expired.id)}`)
    const ended = await grant(await role(['plans:write']), { memberId: one.uuid })
    assert.deepEqual(await actorOf(one.key), { level: 'member', permissions: ['plans:write'] })
    await app.database.run(sql`
      update role_grant set ended_change = opened_change
      where organization_id = ${organizationId} and id = ${ended}`)
    assert.deepEqual(await actorOf(one.key), NOTHING)
  })

  it('has nothing on the organization from a role on a workspace or a project', async () => {
    const one = await person()
    const group = await acme.group()
    await acme.add(group.id, one.id)
    const slug = 'space-of-roles'
    await acme.post('/workspaces', { name: 'Space', slug })
    const project = await acme.post(`/workspaces/${slug}/projects`, { name: 'P', identifier: 'PRO' })
    const projectId = decodeId(idPrefixes.project, project.id)!
    const workspace = await app.database.row(
      sql<{ id: string }>`select id from workspace where slug = ${slug}`,
    )
    const writes = await role(['members:write'])
    await grant(writes, { memberId: one.uuid, projectId })
    await grant(writes, { groupId: groupUuid(group.id), projectId })
    await grant(await predefined('admin', 'workspace'), { memberId: one.uuid, workspaceId: workspace!.id })
    await grant(await predefined('admin', 'project'), { groupId: groupUuid(group.id), projectId })
    assert.deepEqual(await actorOf(one.key), NOTHING)
  })

  it('has the highest level that the member holds directly or through a group', async () => {
    const one = await person()
    const [admins, owners] = [await acme.group(), await acme.group()]
    await grant(await predefined('admin'), { groupId: groupUuid(admins.id) })
    await grant(await predefined('owner'), { groupId: groupUuid(owners.id) })
    await acme.add(admins.id, one.id)
    assert.equal((await actorOf(one.key)).level, 'admin')
    await acme.add(owners.id, one.id)
    assert.equal((await actorOf(one.key)).level, 'owner')
    await acme.ok('DELETE', `/groups/${owners.id}/members/${one.id}`)
    assert.equal((await actorOf(one.key)).level, 'admin')
    await acme.ok('DELETE', `/groups/${admins.id}/members/${one.id}`)
    assert.deepEqual(await actorOf(one.key), NOTHING)
  })

  it('has nothing more when it acts as nobody: the organization holds everything anyway', async () => {
    const actor = await actorOf(await acme.key(['groups:read']))
    assert.deepEqual(actor, { level: 'owner', permissions: [] })
  })
})

describe('a role that expires while its key is known', () => {
  /** Whether the permission is there, asked without a pause until it should be gone. */
  async function endsAt(authentication: Authentication, key: string, end: string): Promise<void> {
    const has = async () => {
      const actor = await authentication.authenticate(key)
      return actor.kind === 'api_key' && actor.permissions?.includes('members:write') === true
    }
    assert.equal(await has(), true)
    while (Date.now() < Date.parse(end)) {
      await has()
      await setTimeout(20)
    }
    assert.equal(await has(), false)
  }

  it('gives nothing from that moment on: its own end, or that of the membership it comes through', async () => {
    const authentication = await openAuthentication(app.database, 'root key of the other process')
    const writes = await role(['members:write'])
    const [own, byGroup, byMembership] = [await person(), await person(), await person()]
    const [group, lasting] = [await acme.group(), await acme.group()]
    await acme.add(group.id, byGroup.id)
    const end = later(1200)
    await grant(writes, { memberId: own.uuid, expiresAt: end })
    await grant(writes, { groupId: groupUuid(group.id), expiresAt: end })
    await grant(writes, { groupId: groupUuid(lasting.id) })
    await acme.add(lasting.id, byMembership.id, { expires_at: end })
    await Promise.all([own, byGroup, byMembership].map(({ key }) => endsAt(authentication, key, end)))
    await authentication.close()
  })
})
