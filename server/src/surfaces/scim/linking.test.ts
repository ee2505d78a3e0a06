import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { DirectoryClient } from '../../../test/directory-client.ts'
import { type DomainWorld, openDomainWorld } from '../../../test/domain-world.ts'
import { openConnection, type ScimTestClient } from '../../../test/scim-client.ts'

let world: DomainWorld
let acme: DirectoryClient
let scim: ScimTestClient
before(async () => {
  world = await openDomainWorld()
  acme = await world.client('acme')
  await world.verified(acme, 'acme.example')
  const other = await world.client('other')
  await world.verified(other, 'other.example')
  scim = await openConnection(world.app, acme)
})

let made = 0
const address = (domain = 'acme.example') => `l${++made}@${domain}`

async function membersOf(email: string): Promise<{ id: string; status: string; display_name: string }[]> {
  const of = encodeURIComponent(email)
  const { data } = await acme.get(`/members?email=${of}`)
  const removed = await acme.get(`/members?email=${of}&status=removed`)
  return [...data, ...removed.data]
}
async function statusOf(email: string): Promise<string | undefined> {
  return (await membersOf(email))[0]?.status
}
const taken = (body: object) =>
  scim.refused(409, 'uniqueness', 'POST', '/Users', { userName: address('logins.example'), ...body })
const emailsOf = (value: string) => [{ value, primary: true }]

describe('a user with the address of a member', () => {
  it('takes the member over where the domain of the address is verified, whatever the letters', async () => {
    const email = address()
    const member = await acme.member({ email, display_name: 'By hand' })
    const user = await scim.user({ userName: email.toUpperCase() })
    assert.deepEqual(
      (await membersOf(email)).map(({ id, display_name }) => [id, display_name]),
      [[member.id, 'By hand']],
    )
    await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: false })
    assert.equal(await statusOf(email), 'suspended')
  })

  it('is refused where the domain is not verified, pending, or verified by another organization', async () => {
    await acme.post('/domains', { name: 'pending.example' })
    for (const domain of ['nobody.example', 'pending.example', 'other.example', 'sub.acme.example']) {
      const email = address(domain)
      const { id } = await acme.member({ email })
      assert.match(await taken({ userName: email }), /not verified/)
      assert.match(await taken({ emails: emailsOf(email) }), /not verified/)
      assert.deepEqual(
        (await membersOf(email)).map((one) => [one.id, one.status]),
        [[id, 'active']],
      )
    }
  })

  it('is refused where another connection, or this one, provisions the member', async () => {
    const second = await openConnection(world.app, acme)
    const email = address()
    await second.user({ userName: email })
    assert.match(await taken({ emails: emailsOf(email) }), /provisions it already/)
    const own = address()
    await scim.user({ userName: own })
    assert.match(await taken({ emails: emailsOf(own) }), /provisions it already/)
  })

  it('makes a new member where the old one was removed by hand or was merged into another', async () => {
    const [removed, merged] = [address(), address()]
    const { id } = await acme.member({ email: removed })
    await acme.ok('DELETE', `/members/${id}`)
    await scim.user({ userName: removed })
    assert.deepEqual(
      (await membersOf(removed)).map((one) => [one.id === id, one.status]),
      [
        [false, 'active'],
        [true, 'removed'],
      ],
    )
    const from = await acme.member({ email: merged })
    const into = await acme.member()
    await acme.post(`/members/${into.id}/merge`, { from: from.id })
    await scim.user({ userName: merged })
    assert.equal((await membersOf(merged)).filter(({ status }) => status === 'active').length, 1)
  })

  it('does not bring back by its DELETE and POST whom another connection removed', async () => {
    const email = address('people.example')
    const user = await scim.user({ userName: email })
    const [member] = await membersOf(email)
    await scim.expect(204, 'DELETE', `/Users/${user.id}`)
    const second = await openConnection(world.app, acme)
    await second.user({ userName: email })
    assert.notEqual((await membersOf(email))[0]!.id, member!.id)
  })

  it('leaves suspended whom somebody suspended by hand, inactive and active again too', async () => {
    const email = address()
    const { id } = await acme.member({ email })
    await acme.post(`/members/${id}/suspend`)
    const user = await scim.user({ userName: email })
    for (const active of [false, true]) {
      await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: active })
      assert.equal(await statusOf(email), 'suspended')
    }
    await acme.post(`/members/${id}/reactivate`)
    assert.equal(await statusOf(email), 'active')
  })

  it('that is inactive suspends the member, and activation makes it active again', async () => {
    const email = address()
    const { id } = await acme.member({ email })
    const key = await acme.key(['groups:read'], { member_id: id })
    const user = await scim.user({ userName: email, active: false })
    assert.equal(await statusOf(email), 'suspended')
    await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'active', value: true })
    assert.equal(await statusOf(email), 'active')
    const answer = await acme.send('GET', '/groups', { key })
    assert.equal(answer.status, 401)
  })
})

describe('the last owner', () => {
  it('is taken over, and neither deactivated nor deleted, however that is asked for', async () => {
    const client = await world.client('lone')
    await world.verified(client, 'lone.example')
    const lone = await openConnection(world.app, client)
    const userName = 'owner@lone.example'
    const inactive = { userName, active: false }
    assert.match(await lone.refused(400, undefined, 'POST', '/Users', inactive), /owner/)
    const { id } = await lone.user({ userName })
    const off = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', value: { active: false } }],
    }
    assert.match(await lone.refused(400, undefined, 'PATCH', `/Users/${id}`, off), /owner/)
    assert.match(await lone.refused(400, undefined, 'PUT', `/Users/${id}`, inactive), /owner/)
    assert.match(await lone.refused(400, undefined, 'DELETE', `/Users/${id}`), /owner/)
    const { data } = await client.get(`/members?email=${userName}`)
    assert.equal(data[0].status, 'active')
    assert.equal((await lone.expect(200, 'GET', `/Users/${id}`)).active, true)
  })

  it('stays where two owners are deactivated at the same moment', async () => {
    const client = await world.client('pair')
    await world.verified(client, 'pair.example')
    await client.member({ email: 'second@pair.example', level: 'owner' })
    const pair = await openConnection(world.app, client)
    const users = [
      await pair.user({ userName: 'owner@pair.example' }),
      await pair.user({ userName: 'second@pair.example' }),
    ]
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        users.map(({ id }, n) => {
          const deletes = round === 4 && n === 1
          const body = {
            schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
            Operations: [{ op: 'replace', path: 'active', value: false }],
          }
          return pair.call(deletes ? 'DELETE' : 'PATCH', `/Users/${id}`, deletes ? {} : { body })
        }),
      )
      assert.equal(answers.filter(({ status }) => status === 400).length, 1, JSON.stringify(answers))
      for (const { id } of users) {
        if (round < 4) await pair.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: true })
      }
    }
  })
})

describe('the address of a user', () => {
  it('is refused if another member has it, and the user stays as it is', async () => {
    const email = address()
    await acme.member({ email })
    const user = await scim.user({ userName: address() })
    const body = { ...user, emails: emailsOf(email) }
    await scim.refused(409, 'uniqueness', 'PUT', `/Users/${user.id}`, body)
    assert.deepEqual(await scim.expect(200, 'GET', `/Users/${user.id}`), user)
  })

  it('is free for another user as soon as it changed', async () => {
    const [old, now] = [address(), address()]
    const user = await scim.user({ emails: emailsOf(old) })
    await scim.patch(`/Users/${user.id}`, { op: 'replace', path: 'emails', value: emailsOf(now) })
    await scim.user({ emails: emailsOf(old) })
    assert.equal((await membersOf(old)).length, 1)
    assert.notEqual((await membersOf(old))[0]!.id, (await membersOf(now))[0]!.id)
  })

  it('may be none, and what is no address is refused by name', async () => {
    const user = await scim.user({ userName: `nobody-${++made}` })
    await scim.patch(`/Users/${user.id}`, { op: 'add', path: 'emails', value: emailsOf(address()) })
    await scim.patch(`/Users/${user.id}`, { op: 'remove', path: 'emails' })
    const bad = { userName: `nobody-${++made}`, emails: emailsOf('not an address') }
    await scim.refused(400, 'invalidValue', 'POST', '/Users', bad)
  })

  it('is one and the same in NFC and NFD and in every case', async () => {
    const email = address().replace('l', 'jos\u00e9')
    await scim.user({ userName: email })
    await taken({ emails: emailsOf(email.normalize('NFD').toUpperCase()) })
    await scim.refused(409, 'uniqueness', 'POST', '/Users', {
      userName: email.normalize('NFD').toUpperCase(),
    })
  })
})
