import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openPosthogWorld, type PosthogWorld, uuidOf } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

let named = 0
const role = () => world.client.post('/roles/', { name: `Role ${++named}` })
/** Without its times: the one of a change is known when it is stored, a moment after the answer is made. */
const untimed = ({ joined_at: _joined, updated_at: _updated, ...rest }: Record<string, unknown>) => rest
const member = async () => uuidOf((await world.directory.member()).id)

describe('a role', () => {
  it('is made by its name, without permissions, and shown with who has it', async () => {
    const { client, directory } = world
    const made = await role()
    const { created_at: createdAt, ...rest } = made
    assert.deepEqual(rest, {
      id: made.id,
      name: `Role ${named}`,
      created_by: null,
      members: [],
      is_default: false,
    })
    assert.ok(Date.parse(createdAt) > 0)
    const own = (await directory.get('/roles?limit=1000')).data.find(
      (row: { id: string }) => uuidOf(row.id) === made.id,
    )
    assert.deepEqual([own.resource, own.permissions], ['organization', []])
    const user_uuid = await member()
    const membership = await client.post(`/roles/${made.id}/role_memberships/`, { user_uuid })
    const { members } = await client.get(`/roles/${made.id}/`)
    assert.deepEqual(members.map(untimed), [untimed(membership)])
    const listed = (await client.get('/roles/')).results.find(({ id }: { id: string }) => id === made.id)
    assert.deepEqual(listed.members, members)
  })

  it('has a name that no other one has, whatever its case', async () => {
    const { client } = world
    const [one, two] = [await role(), await role()]
    const taken = [400, 'unique', 'name'] as const
    await client.refused('POST', '/roles/', taken, { name: one.name.toUpperCase() })
    await client.refused('PATCH', `/roles/${two.id}/`, taken, { name: one.name.toLowerCase() })
    assert.equal((await client.patch(`/roles/${two.id}/`, { name: 'Renamed' })).name, 'Renamed')
    await client.refused('POST', '/roles/', [400, 'required', 'name'], {})
    await client.refused('POST', '/roles/', [400, 'invalid_input', 'name'], { name: '' })
  })

  it('is a custom one of the organization; the others are not to be found here', async () => {
    const { client, directory } = world
    const custom = { name: 'Of projects', permissions: [], resource: 'project' }
    await directory.post('/roles', custom)
    const shown = new Set(
      (await client.get('/roles/?limit=1000')).results.map(({ id }: { id: string }) => id),
    )
    const { data } = await directory.get('/roles?limit=1000')
    let others = 0
    for (const { id, predefined, resource } of data) {
      if (shown.has(uuidOf(id))) continue
      others += 1
      assert.ok(
        predefined === true || resource !== 'organization',
        JSON.stringify({ id, predefined, resource }),
      )
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        await client.refused(method, `/roles/${uuidOf(id)}/`, [404, 'not_found', null])
      }
    }
    assert.ok(others > 3)
  })

  it('ends with its memberships when it is deleted', async () => {
    const { client, directory } = world
    const made = await role()
    await client.post(`/roles/${made.id}/role_memberships/`, { user_uuid: await member() })
    await client.remove(`/roles/${made.id}/`)
    assert.equal((await directory.lastChange()).kind, 'role.deleted')
    for (const tail of ['', 'role_memberships/']) {
      await client.refused('GET', `/roles/${made.id}/${tail}`, [404, 'not_found', null])
    }
  })

  it('is written by admins and read by everybody', async () => {
    const plain = await world.memberKey(1)
    const admin = await world.memberKey(8)
    const denied = [403, 'permission_denied', null] as const
    await plain.client.refused('POST', '/roles/', denied, { name: 'Mine' })
    const { id } = await admin.client.post('/roles/', { name: `Role ${++named}` })
    assert.equal((await plain.client.get(`/roles/${id}/`)).id, id)
    await plain.client.refused('DELETE', `/roles/${id}/`, denied)
    await plain.client.refused('PATCH', `/roles/${id}/`, denied, { name: 'Mine' })
    await plain.client.refused('POST', `/roles/${id}/role_memberships/`, denied, { user_uuid: plain.id })
  })
})

describe('a role membership', () => {
  it('is made once, listed, read and ended', async () => {
    const { client } = world
    const { id: roleId } = await role()
    const path = `/roles/${roleId}/role_memberships/`
    const user_uuid = await member()
    const made = await client.post(path, { user_uuid })
    assert.deepEqual(Object.keys(made), [
      'id',
      'role_id',
      'organization_member',
      'user',
      'joined_at',
      'updated_at',
    ])
    assert.deepEqual(
      [made.role_id, made.user.uuid, made.organization_member.id],
      [roleId, user_uuid, user_uuid],
    )
    await client.refused('POST', path, [400, 'invalid_input', 'user_uuid'], { user_uuid })
    const [listed] = (await client.get(path)).results
    assert.deepEqual(untimed(listed), untimed(made))
    assert.deepEqual(await client.get(`${path}${made.id}/`), listed)
    const elsewhere = await role()
    for (const method of ['GET', 'DELETE']) {
      await client.refused(method, `/roles/${elsewhere.id}/role_memberships/${made.id}/`, [
        404,
        'not_found',
        null,
      ])
    }
    await client.remove(`${path}${made.id}/`)
    assert.equal((await client.get(path)).count, 0)
    await client.refused('DELETE', `${path}${made.id}/`, [404, 'not_found', null])
  })

  it('is of a member who is there', async () => {
    const { client } = world
    const path = `/roles/${(await role()).id}/role_memberships/`
    const removed = await member()
    await client.remove(`/members/${removed}/`)
    const wrong = [400, 'invalid_input', 'user_uuid'] as const
    for (const user_uuid of [removed, '01990000-0000-7000-8000-00000000abcd', 'x', null]) {
      await client.refused('POST', path, wrong, { user_uuid })
    }
    await client.refused('POST', path, [400, 'required', 'user_uuid'], {})
  })
})
