import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { openDomainWorld } from '../../../domain-world.ts'
import { openConnection, openScim, PATCH, USER } from '../../../scim-client.ts'
import { asIdentityProvider, conforming, type IdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
let other: IdentityProvider
let contractors: IdentityProvider
before(async () => {
  const world = await openDomainWorld()
  const app = conforming(world.app)
  scim = asIdentityProvider(world.app, await openScim(app, 'acme'))
  other = asIdentityProvider(world.app, await openScim(app, 'evil'))
  contractors = asIdentityProvider(world.app, await openConnection(app, scim.directory))
  await world.verified(scim.directory, 'acme.example')
})

const userOf = (name: string, domain = 'acme.example') => ({
  ...{ userName: `${name}@${domain}`, emails: [{ type: 'work', value: `${name}@${domain}`, primary: true }] },
})
const moved = (address: string) => [
  { op: 'Replace', path: 'userName', value: address },
  { op: 'Replace', path: 'emails[type eq "work"].value', value: address },
]

describe('the lives of users', () => {
  it('B-113: a renamed user is who it was; its old address is free for another', async () => {
    const user = await scim.user(userOf('ann'))
    const member = (await scim.directory.get('/members?email=ann@acme.example')).data[0]
    const renamed = await scim.patch(`/Users/${user.id}`, ...moved('ann.b@acme.example'))
    assert.deepEqual([renamed.id, renamed.userName], [user.id, 'ann.b@acme.example'])
    const after = (await scim.directory.get('/members?email=ann.b@acme.example')).data[0]
    assert.equal(after.id, member.id)
    const next = await scim.user(userOf('ann'))
    assert.notEqual(next.id, user.id)
    const [newcomer] = (await scim.directory.get('/members?email=ann@acme.example')).data
    assert.notEqual(newcomer.id, member.id)
  })

  it('B-114: in a domain that is not verified a user is a member like any other, and takes over nobody', async () => {
    const user = await scim.user(userOf('mover'))
    const theirs = await other.user(userOf('mover', 'elsewhere.example'))
    const before = (await other.directory.get('/members?email=mover@elsewhere.example')).data
    const renamed = await scim.patch(`/Users/${user.id}`, ...moved('mover@elsewhere.example'))
    assert.equal(renamed.userName, 'mover@elsewhere.example')
    assert.deepEqual((await other.directory.get('/members?email=mover@elsewhere.example')).data, before)
    assert.equal((await other.expect(200, 'GET', `/Users/${theirs.id}`)).active, true)

    const member = await scim.directory.member({ email: 'by-hand@elsewhere.example' })
    const body = { schemas: [USER], ...userOf('by-hand', 'elsewhere.example') }
    const detail = await scim.refused(409, 'uniqueness', 'POST', '/Users', body)
    assert.match(detail, /domain .* not verified/)
    const Operations = moved('by-hand@elsewhere.example')
    await scim.refused(409, 'uniqueness', 'PATCH', `/Users/${user.id}`, { schemas: [PATCH], Operations })
    const [same] = (await scim.directory.get('/members?email=by-hand@elsewhere.example')).data
    assert.equal(same.id, member.id)
  })

  it('B-114: in a verified domain the member with the address is the one that is provisioned', async () => {
    const member = await scim.directory.member({ email: 'known@acme.example' })
    await scim.user(userOf('known'))
    const { data } = await scim.directory.get('/members?email=known@acme.example')
    assert.deepEqual(
      data.map(({ id }: { id: string }) => id),
      [member.id],
    )
  })

  it('B-115: five workers look up and create at their own pace: no 429, and nobody twice', async () => {
    const names = Array.from({ length: 200 }, (_, at) => `sync-${at}`)
    const queue = [...names, ...names.slice(0, 10)]
    const statuses: number[] = []
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
          const found = await contractors.find(`userName eq "${name}"`)
          const body = { schemas: [USER], userName: name }
          if (found.length === 0) statuses.push((await contractors.call('POST', '/Users', { body })).status)
        }
      }),
    )
    assert.equal(statuses.filter((status) => status === 201).length, 200)
    assert.ok(statuses.every((status) => status === 201 || status === 409))
    const { totalResults } = await contractors.expect(
      200,
      'GET',
      '/Users?filter=userName+sw+%22sync-%22&count=0',
    )
    assert.equal(totalResults, 200)
  })

  it('B-118: two connections of one organization own their users; the same address in both is refused', async () => {
    const [staff, contractor] = [
      await scim.user({ userName: 'same' }),
      await contractors.user({ userName: 'same' }),
    ]
    assert.notEqual(staff.id, contractor.id)
    assert.deepEqual(await scim.find('userName eq "same"'), [staff.id])
    await contractors.refused(404, undefined, 'GET', `/Users/${staff.id}`)
    const ann = await scim.user(userOf('both'))
    const body = { schemas: [USER], ...userOf('both') }
    const detail = await contractors.refused(409, 'uniqueness', 'POST', '/Users', body)
    assert.match(detail, /provisions it already/)
    assert.deepEqual(await contractors.find('emails eq "both@acme.example"'), [])
    assert.equal((await scim.expect(200, 'GET', `/Users/${ann.id}`)).active, true)
  })
})
