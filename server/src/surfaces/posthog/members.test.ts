import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openPosthogWorld, type PosthogWorld, uuidOf } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

const denied = [403, 'permission_denied', null] as const
const idsOf = ({ results }: { results: { id: string }[] }) => results.map(({ id }) => id)

describe('the list of members', () => {
  it('shows each with every field, newest first unless asked otherwise', async () => {
    const { client, directory, ownerId } = world
    const { id } = await directory.member({
      first_name: 'Ada',
      last_name: 'Lovelace',
      email: 'ada@people.example',
    })
    const { results } = await client.get('/members/')
    const { joined_at, updated_at, ...shown } = results[0]
    const uuid = uuidOf(id)
    assert.deepEqual(shown, {
      id: uuid,
      user: {
        ...{ id: uuid, uuid, distinct_id: uuid, first_name: 'Ada', last_name: 'Lovelace' },
        ...{ email: 'ada@people.example', is_email_verified: null, hedgehog_config: null },
        role_at_organization: null,
      },
      ...{
        level: 1,
        is_2fa_enabled: false,
        has_social_auth: false,
        last_login: null,
        search_match_type: null,
      },
    })
    assert.equal(joined_at, updated_at)
    assert.equal(idsOf(await client.get('/members/?order=joined_at'))[0], ownerId)
    for (const order of ['-joined_at', 'level', '']) {
      assert.equal(idsOf(await client.get(`/members/?order=${order}`))[0], uuid, order)
    }
  })

  it('finds by the exact address and by parts of names and addresses, and no wildcards', async () => {
    const { client, directory } = world
    const one = uuidOf(
      (await directory.member({ first_name: 'Grace', last_name: 'Hopper', email: 'g_h@navy.example' })).id,
    )
    await directory.member({ email: 'gxh@army.example' })
    const found = async (query: string) => idsOf(await client.get(`/members/?${query}`))
    for (const query of [
      'email=G_H@navy.example',
      'search=hopp',
      'search=grace%20hopper',
      'search=g_h',
      'search=NAVY',
    ]) {
      assert.deepEqual(await found(query), [one], query)
    }
    for (const query of ['email=navy.example', 'email=nobody', 'search=%25navy', 'search=zz']) {
      assert.deepEqual(await client.get(`/members/?${query}`), {
        count: 0,
        next: null,
        previous: null,
        results: [],
      })
    }
    await client.refused('GET', `/members/?search=${'x'.repeat(201)}`, [400, 'max_length', 'search'])
    await client.refused('GET', '/members/?updated_after=yesterday', [400, 'invalid_input', 'updated_after'])
    assert.deepEqual(await found('updated_after=2999-01-01T00:00:00Z'), [])
  })

  it('hides who is suspended or removed', async () => {
    const { client, directory } = world
    const [one, two] = [await directory.member(), await directory.member()]
    await directory.ok('POST', `/members/${one.id}/suspend`)
    await client.remove(`/members/${uuidOf(two.id)}/`)
    const shown = idsOf(await client.get('/members/?limit=1000'))
    assert.deepEqual(
      [one, two].filter(({ id }) => shown.includes(uuidOf(id))),
      [],
    )
    await client.refused('GET', `/members/${uuidOf(two.id)}/`, [404, 'not_found', null])
  })
})

describe('the level of a member', () => {
  it('is changed by who ranks as high, up to their own', async () => {
    const { client, directory } = world
    const admin = await world.memberKey(8)
    const id = uuidOf((await directory.member()).id)
    assert.equal((await admin.client.patch(`/members/${id}/`, { level: 8 })).level, 8)
    await admin.client.refused('PATCH', `/members/${id}/`, [403, 'permission_denied', 'level'], { level: 15 })
    assert.equal((await client.patch(`/members/${id}/`, { level: 15 })).level, 15)
    await admin.client.refused('PATCH', `/members/${id}/`, denied, { level: 1 })
  })

  it('is given to further owners by an owner, who stays one', async () => {
    const { directory } = world
    const owner = await world.memberKey(15)
    const id = uuidOf((await directory.member()).id)
    await owner.client.patch(`/members/${id}/`, { level: 15 })
    assert.equal((await owner.client.get('/members/@me/')).level, 15)
  })

  it("is nobody's own to change, nor a member's", async () => {
    const { directory } = world
    for (const level of [8, 15] as const) {
      const { client, id } = await world.memberKey(level)
      for (const path of [id, '@me']) await client.refused('PATCH', `/members/${path}/`, denied, { level: 1 })
    }
    const { client } = await world.memberKey(1)
    await client.refused('PATCH', `/members/${uuidOf((await directory.member()).id)}/`, denied, { level: 1 })
  })

  it('is 1, 8 or 15', async () => {
    const { client, directory } = world
    const path = `/members/${uuidOf((await directory.member()).id)}/`
    for (const level of [0, 2, '8', null]) {
      await client.refused('PATCH', path, [400, 'invalid_input', 'level'], { level })
    }
    await client.refused('PATCH', path, [400, 'required', 'level'], {})
    await client.refused('PATCH', '/members/not-a-uuid/', [404, 'not_found', null], { level: 1 })
  })
})

describe('removing a member', () => {
  it('is open to who ranks as high, and of oneself to everybody', async () => {
    const { directory } = world
    const admin = await world.memberKey(8)
    const other = await world.memberKey(8)
    await admin.client.remove(`/members/${other.id}/`)
    const member = await world.memberKey(1)
    await member.client.refused('DELETE', `/members/${uuidOf((await directory.member()).id)}/`, denied)
    await member.client.remove('/members/@me/')
    const byId = await world.memberKey(1)
    await byId.client.remove(`/members/${byId.id}/`)
    await world.client.refused('GET', `/members/${byId.id}/`, [404, 'not_found', null])
  })

  it('is not open to owners, nor of owners, before another one has changed the level', async () => {
    const { client } = world
    const owner = await world.memberKey(15)
    const refused = [400, 'invalid_input', null] as const
    await owner.client.refused('DELETE', '/members/@me/', refused)
    await client.refused('DELETE', `/members/${owner.id}/`, refused)
    await client.patch(`/members/${owner.id}/`, { level: 1 })
    await owner.client.remove('/members/@me/')
  })

  it('never leaves an organization without an owner', async () => {
    const { client, ownerId } = world
    for (const { id } of (await client.get('/members/?limit=1000')).results) {
      if (id !== ownerId) await client.send('PATCH', `/members/${id}/`, { level: 1 })
    }
    await client.refused('PATCH', `/members/${ownerId}/`, [400, 'last_owner', null], { level: 8 })
    assert.equal((await client.get(`/members/${ownerId}/`)).level, 15)
  })

  it('is not found by @me for a key that acts as nobody', async () => {
    await world.client.refused('GET', '/members/@me/', [404, 'not_found', null])
  })
})
