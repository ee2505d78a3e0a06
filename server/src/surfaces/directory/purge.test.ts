import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { TestApp } from '../../../test/app.ts'
import { tableNames } from '../../../test/database-state.ts'
import { directoryClient } from '../../../test/directory-client.ts'
import { type DomainWorld, openDomainWorld } from '../../../test/domain-world.ts'
import { applyChange } from '../../directory/changes/change.ts'
import { createInvitation } from '../../directory/invitations/invitation.ts'
import { requirePredefinedRole } from '../../directory/roles/role.ts'
import { sweep } from '../../directory/sweep.tasks.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let world: DomainWorld
let app: TestApp
before(async () => {
  world = await openDomainWorld({ withTasks: true })
  app = world.app
})

const run = (text: string, ...values: unknown[]) => app.database.run({ name: '', text, values })

/** Rows of one organization in every table that has an organization. */
async function rowsOf(slug: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const [organization] = await app.database.rows<{ id: string }>({
    name: '',
    text: 'select id from organization where slug = $1',
    values: [slug],
  })
  // Remembered, because after the purge nobody knows it any more.
  if (organization !== undefined) ids[slug] = organization.id
  const columns: [string, string][] = [
    ['organization', 'id'],
    ['idempotency_key', 'scope'],
  ]
  for (const table of await tableNames(app.database, 'organization_id'))
    columns.push([table, 'organization_id'])
  for (const [table, column] of columns) {
    const row = await app.database.row<{ count: number }>({
      name: '',
      text: `select count(*) as count from ${table} where ${column} = $1`,
      values: [ids[slug]],
    })
    counts[table] = row!.count
  }
  return counts
}
const ids: Record<string, string> = {}

async function invite(organizationId: string): Promise<void> {
  await applyChange(app.directory, { organizationId, actor: { kind: 'root' } }, async (context) => {
    const { id: roleId } = await requirePredefinedRole(context, 'organization', 'member')
    await createInvitation(context, { email: 'invited@x.co', level: 'member', grants: [{ roleId }] })
  })
}

/** An organization with a row in every table that can hold one. */
async function filled(slug: string) {
  const { id: organization, path, key } = await app.organization(slug)
  const client = directoryClient(app, path)
  await invite(decodeId(idPrefixes.organization, organization)!)
  const role = await client.post('/roles', { name: 'Role', permissions: ['groups:read'] })
  await client.ok('PATCH', `/roles/${role.id}`, { name: 'Renamed' })
  const group = await client.group()
  const given = { body: { name: 'Idempotent' }, headers: { 'idempotency-key': 'purge' } }
  assert.equal((await client.send('POST', '/groups', given)).status, 201)
  await client.sync(group.id, ['a', 'b'])
  const failing = { external_reference_id: 'c', email: 'no address' }
  const rows = [{ external_reference_id: 'a' }, { external_reference_id: 'b' }, failing]
  const { id } = await client.post(`/groups/${group.id}/member_syncs`, { members: rows })
  await client.sync(group.id, ['a', 'b'])
  assert.equal((await client.get(`/groups/${group.id}/member_syncs/${id}`)).status, 'completed')
  const member = await client.member({ level: 'admin' })
  await client.add(group.id, member.id)
  await client.ok('DELETE', `/groups/${group.id}/members/${member.id}`)
  await client.post(`/changes/${(await client.lastChange()).id}/undo`)
  const merged = await client.member()
  await client.post(`/members/${member.id}/merge`, { from: merged.id })
  await client.key(['*'], { member_id: member.id })
  await client.post('/workspaces', { name: 'Space', slug: `${slug}-space` })
  await client.post(`/workspaces/${slug}-space/projects`, { name: 'P', identifier: 'PRO' })
  await client.post(`/workspaces/${slug}-space/teamspaces`, { name: 'Team' })
  await client.post(`/workspaces/${slug}-space/pages`, { name: 'Page' })
  const groupSync = `/workspaces/${slug}-space/group_sync`
  const [mapped] = (await client.get('/roles?resource=workspace')).data
  await client.post(`${groupSync}/workspace_mappings`, { idp_group_name: 'staff', role: mapped.id })
  await client.ok('PATCH', groupSync, { is_enabled: true })
  await client.post(`${groupSync}/runs`, { claims: [{ member: member.id, groups: ['staff'] }] })
  const provider = await client.post('/identity_providers', { scim: { enabled: true } })
  const { token } = await client.post(`/identity_providers/${provider.id}/scim_tokens`)
  const connectionId = decodeId(idPrefixes.identityProvider, provider.id)!
  app.scim.requestLog.record({
    client: await app.scim.authentication.authenticate(token, connectionId),
    ...{ connectionId, method: 'GET', route: '/Users', url: '/Users', status: 200, durationMillis: 1 },
    headers: {},
  })
  const scim = async (tail: string, body: object) => {
    const answer = await app.call('POST', `/scim/v2/${connectionId}${tail}`, { key: token, body })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body
  }
  const user = await scim('/Users', { userName: `user@${slug}.example` })
  await scim('/Groups', { displayName: 'Staff', members: [{ value: user.id }] })
  // Written down now, not while the rows are counted.
  await app.scim.requestLog.flush()
  // As a group sync leaves it that its brake has refused.
  await run(
    `insert into scim_group_sync_due (organization_id, member_id, due_at)
     select u.organization_id, u.member_id, now() + interval '1 day' from scim_user u where u.id = $1`,
    user.id,
  )
  await world.verified(client, `${slug}.example`)
  await client.post('/domains', { name: `linked.${slug}.example`, identity_provider: provider.id })
  const integration = await client.post('/integrations', { kind: 'x', config: { type: 'connectable' } })
  const production = (await client.get('/projects')).data[0].id
  await client.ok('PUT', `/integrations/${integration.id}/environment_mapping`, { production })
  await client.ok('PATCH', '', { settings: { removal_brake: { member_sync: { max_removals: 0 } } } })
  assert.equal((await client.sync(group.id, [])).status, 'held')
  await run(
    `insert into task (id, kind, key, organization_id, run_at)
     select gen_random_uuid(), 'a kind of another version', $1, id, now() from organization where slug = $1`,
    slug,
  )
  return { client, key }
}

const graceIsOver = (slug: string) =>
  run(`update organization set purge_at = now() where slug = $1 and deleted_at is not null`, slug)

describe('the purge of a deleted organization', () => {
  it('leaves no row of it in any table, and every row of others', async () => {
    const { client, key } = await filled('purged')
    const { key: otherKey, client: other } = await filled('kept')
    const before = await rowsOf('purged')
    const empty = Object.keys(before).filter((table) => before[table] === 0)
    assert.deepEqual(empty, [], 'this test has to fill every table')
    const kept = await rowsOf('kept')
    await client.ok('DELETE', '')
    await sweep(app.directory)
    assert.equal((await rowsOf('purged')).member, before.member, 'nothing is purged within the grace period')

    await graceIsOver('purged')
    await sweep(app.directory)
    assert.deepEqual(
      await rowsOf('purged'),
      Object.fromEntries(Object.keys(before).map((table) => [table, 0])),
    )
    assert.deepEqual(await rowsOf('kept'), kept)
    assert.equal((await other.send('GET', '', { key: otherKey })).status, 200)
    assert.equal((await client.send('GET', '', { key })).status, 401)
    await client.refused('GET', '', 'organization.not_found', 404)
    assert.equal((await app.organization('purged')).slug, 'purged', 'its slug is free again')
  })

  it('works where rows that refer to each other come in different batches', async () => {
    const { path } = await app.organization('large')
    const client = directoryClient(app, path)
    // The member that is referred to stands in the first batch, those that were merged into it in the last.
    const into = await client.member({ external_reference_id: 'into' })
    await run(`insert into member (organization_id, id, external_reference_id, status, merged_into, created_at, updated_at)
      select o.id, gen_random_uuid(), 'row ' || n, 'removed', case when n > 10050 then m.id end, now(), now()
      from organization o join member m on m.organization_id = o.id and m.external_reference_id = 'into',
        generate_series(1, 10100) n where o.slug = 'large'`)
    assert.equal((await client.get(`/members/${into.id}`)).status, 'active')
    await client.ok('DELETE', '')
    await rowsOf('large')
    await graceIsOver('large')
    await sweep(app.directory)
    const left = Object.entries(await rowsOf('large')).filter(([, count]) => count > 0)
    assert.deepEqual(left, [])
  })

  it('cannot be raced by a restoration: once the grace period is over there is nothing to restore', async () => {
    const { path } = await app.organization('late')
    const client = directoryClient(app, path)
    await client.ok('DELETE', '')
    await graceIsOver('late')
    await client.refused('POST', '/restore', 'organization.not_found', 404)
  })
})
