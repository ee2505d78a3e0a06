import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { expireInvitation } from '../../../test/inviting.ts'
import { openPosthogWorld, type PosthogWorld } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

let addressed = 0
const address = () => `p${++addressed}@people.example`

/** The number of no project. */
const UNKNOWN = Number.MAX_SAFE_INTEGER

async function listed(email: string) {
  const { results } = await world.client.get('/invites/?limit=1000')
  return results.filter((row: { target_email: string }) => row.target_email === email)
}

describe('an invite', () => {
  it('needs an address only; the rest has a default', async () => {
    const { client } = world
    const email = address()
    const made = await client.post('/invites/', { target_email: email })
    assert.match(made.id, /^[0-9a-f-]{36}$/)
    assert.partialDeepStrictEqual(made, {
      ...{ target_email: email, first_name: '', level: 1, message: null, private_project_access: null },
      ...{ emailing_attempt_made: true, is_expired: false, created_by: null },
    })
  })

  it('shows all that was said, and the member who said it', async () => {
    const { client } = await world.memberKey(8)
    const id = await world.project()
    const body = {
      ...{ target_email: 'Ann@PEOPLE.example', first_name: 'Ann', level: 8, message: 'Welcome' },
      private_project_access: [
        { id, level: 'member' },
        { id: await world.project(), level: 'none' },
      ],
      send_email: false,
    }
    const made = await client.post('/invites/', body)
    assert.partialDeepStrictEqual(made, {
      ...{ target_email: 'Ann@people.example', first_name: 'Ann', level: 8, message: 'Welcome' },
      ...{ private_project_access: [{ id, level: 'member' }], emailing_attempt_made: false },
    })
    assert.deepEqual(Object.keys(made.created_by), [
      ...['id', 'uuid', 'distinct_id', 'first_name', 'last_name', 'email', 'is_email_verified'],
      ...['hedgehog_config', 'role_at_organization'],
    ])
  })

  it('is listed newest first, still after its end and not after its acceptance or deletion', async () => {
    const { client, app } = world
    const made: string[] = []
    for (let count = 0; count < 4; count++) {
      made.push((await client.post('/invites/', { target_email: address() })).id)
    }
    const [expired, deleted, third, newest] = made
    await expireInvitation(app.database, expired!)
    await client.remove(`/invites/${deleted}/`)
    const { results } = await client.get('/invites/')
    const shown = results.filter(({ id }: { id: string }) => made.includes(id))
    assert.deepEqual(
      shown.map((row: { id: string; is_expired: boolean }) => [row.id, row.is_expired]),
      [
        [newest, false],
        [third, false],
        [expired, true],
      ],
    )
    await client.remove(`/invites/${expired}/`)
    await client.refused('DELETE', `/invites/${expired}/`, [404, 'not_found', null])
    await client.refused('GET', `/invites/${third}/`, [404, 'not_found', null])
  })

  it('replaces the pending one of the same address, whatever its case', async () => {
    const { client } = world
    const id = await world.project()
    const email = address()
    const access = [{ id, level: 'admin' }]
    const old = await client.post('/invites/', {
      ...{ target_email: email, level: 8, private_project_access: access },
    })
    const made = await client.post('/invites/', {
      target_email: email.toUpperCase().replace('PEOPLE.EXAMPLE', 'people.example'),
    })
    assert.notEqual(made.id, old.id)
    assert.deepEqual([made.level, made.private_project_access], [1, null])
    await client.refused('DELETE', `/invites/${old.id}/`, [404, 'not_found', null])
  })

  it('combines with the pending one where asked: the highest level, every project, admin above member', async () => {
    const { client } = world
    const [one, two] = [await world.project(), await world.project()]
    const target_email = address()
    const access = (...pairs: [number, string][]) => pairs.map(([id, level]) => ({ id, level }))
    await client.post('/invites/', { target_email, level: 8, private_project_access: access([one, 'admin']) })
    const combined = await client.post('/invites/', {
      ...{ target_email, combine_pending_invites: true },
      private_project_access: access([one, 'member'], [two, 'member']),
    })
    assert.equal(combined.level, 8)
    const levels = combined.private_project_access.map((row: { id: number; level: string }) => [
      row.id,
      row.level,
    ])
    assert.deepEqual(
      new Map(levels),
      new Map([
        [one, 'admin'],
        [two, 'member'],
      ]),
    )
    assert.equal((await listed(target_email)).length, 1)
  })

  it('does not combine with one that is past its end', async () => {
    const { client, app } = world
    const target_email = address()
    const { id } = await client.post('/invites/', { target_email, level: 8 })
    await expireInvitation(app.database, id)
    const made = await client.post('/invites/', { target_email, combine_pending_invites: true })
    assert.equal(made.level, 1)
  })

  it('is refused, naming the field, where the request is wrong', async () => {
    const { client } = world
    const target_email = address()
    const cases: [readonly [number, string, string | null], object][] = [
      [[400, 'required', 'target_email'], {}],
      [[400, 'invalid_input', 'target_email'], { target_email: 'nobody' }],
      [[400, 'invalid_input', 'target_email'], { target_email: null }],
      [[400, 'invalid_input', 'level'], { target_email, level: 2 }],
      [[400, 'invalid_input', 'level'], { target_email, level: '8' }],
      [[400, 'max_length', 'first_name'], { target_email, first_name: 'x'.repeat(31) }],
      [[400, 'max_length', 'message'], { target_email, message: 'x'.repeat(1001) }],
      [[400, 'invalid_input', 'send_email'], { target_email, send_email: 'no' }],
      [
        [400, 'invalid_input', 'private_project_access__0__id'],
        { target_email, private_project_access: [{ id: 'x', level: 'member' }] },
      ],
      [
        [400, 'invalid_input', 'private_project_access__0__level'],
        { target_email, private_project_access: [{ id: await world.project(), level: 'owner' }] },
      ],
      [
        [400, 'invalid_input', 'private_project_access'],
        { target_email, private_project_access: [{ id: UNKNOWN, level: 'member' }] },
      ],
    ]
    for (const [refusal, body] of cases) await client.refused('POST', '/invites/', refusal, body)
    assert.deepEqual(await listed(target_email), [])
  })

  it('is refused to who is a member, about the person and not the field', async () => {
    const { client, directory } = world
    const { email } = await directory.member()
    await client.refused('POST', '/invites/', [400, 'invalid_input', null], { target_email: email })
  })

  it('offers nothing above what the inviter holds, and members invite nobody', async () => {
    const denied = [403, 'permission_denied'] as const
    const admin = await world.memberKey(8)
    await admin.client.refused('POST', '/invites/', [...denied, 'level'], {
      target_email: address(),
      level: 15,
    })
    await admin.client.post('/invites/', { target_email: address(), level: 8 })
    const member = await world.memberKey(1)
    await member.client.refused('POST', '/invites/', [...denied, null], { target_email: address() })
  })
})

describe('invites in bulk', () => {
  it('are made together, in their order', async () => {
    const { client } = world
    const emails = Array.from({ length: 20 }, address)
    const made = await client.post(
      '/invites/bulk/',
      emails.map((target_email) => ({ target_email })),
    )
    assert.deepEqual(
      made.map((row: { target_email: string }) => row.target_email),
      emails,
    )
    assert.deepEqual(await client.post('/invites/bulk/', []), [])
  })

  it('are all refused with one of them, whose place the refusal names', async () => {
    const { client, directory } = world
    const [one, two] = [address(), address()]
    const { email } = await directory.member()
    const bulk = (...rest: object[]) => [{ target_email: one }, ...rest]
    const access = [{ id: UNKNOWN, level: 'member' }]
    const cases: [readonly [number, string, string | null], unknown][] = [
      [[400, 'invalid_input', '1__target_email'], bulk({ target_email: 'nobody' })],
      [[400, 'required', '1__target_email'], bulk({})],
      [[400, 'invalid_input', '1__target_email'], bulk({ target_email: one })],
      [[400, 'invalid_input', null], bulk({ target_email: email })],
      [
        [400, 'invalid_input', '1__private_project_access'],
        bulk({ target_email: two, private_project_access: access }),
      ],
      [[400, 'max_length', null], Array.from({ length: 21 }, () => ({ target_email: address() }))],
      [[400, 'invalid_input', null], { target_email: one }],
    ]
    for (const [refusal, body] of cases) await client.refused('POST', '/invites/bulk/', refusal, body)
    assert.deepEqual(await listed(one), [])
  })
})
