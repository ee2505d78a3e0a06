import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { DirectoryClient } from '../../../test/directory-client.ts'
import { completeSaml, type DomainWorld, openDomainWorld } from '../../../test/domain-world.ts'

let world: DomainWorld
let acme: DirectoryClient
before(async () => {
  world = await openDomainWorld()
  acme = await world.client('acme')
})

let made = 0
const name = () => `d${++made}.acme-domains.example`

describe('a domain', () => {
  it('is named in one form, unverified, with a challenge of its own that never changes', async () => {
    const first = await acme.post('/domains', { name: ' Team.Acme-One.EXAMPLE. ' })
    const { id, created_at, updated_at, challenge, ...rest } = first
    assert.match(id, /^dom_[\w-]{22}$/)
    assert.equal(created_at, updated_at)
    assert.deepEqual([challenge.type, challenge.name], ['TXT', '_rollcall-challenge.team.acme-one.example'])
    assert.match(challenge.value, /^[\w-]{43}$/)
    assert.deepEqual(rest, {
      object: 'domain',
      name: 'team.acme-one.example',
      status: 'unverified',
      verified_at: null,
      last_check: null,
      unverified_from: null,
      just_in_time: false,
      sso_enforcement: null,
      identity_provider: null,
    })
    assert.deepEqual(await acme.get(`/domains/${id}`), first)
    const change = await acme.lastChange()
    assert.deepEqual([change.kind, change.detail], ['domain.created', { domain: id, name: first.name }])
    const second = await acme.post('/domains', { name: name() })
    assert.notEqual(second.challenge.value, challenge.value)
    const listed = (await acme.get('/domains')).data.map((row: { id: string }) => row.id)
    assert.deepEqual(listed, [id, second.id])
  })

  it('is refused when it is none, when it is everybody’s, and when it is listed already', async () => {
    const refuse = (given: string, code: string, status: number) =>
      acme.refused('POST', '/domains', code, status, { body: { name: given } })
    assert.equal((await refuse('127.0.0.1', 'request.invalid', 400)).field, 'name')
    assert.match((await refuse('gmail.com', 'domain.public', 400)).detail, /mailbox at gmail.com/)
    assert.match((await refuse('co.uk', 'domain.public', 400)).detail, /names under co.uk/)
    await acme.post('/domains', { name: 'twice.example' })
    assert.equal((await refuse('TWICE.example.', 'domain.name_taken', 409)).field, 'name')
  })

  it('is one of 500 at most', async () => {
    const many = await world.client('many')
    await world.app.database.run({
      name: '',
      text: `insert into domain (organization_id, id, name, challenge, created_at, updated_at)
        select id, gen_random_uuid(), n || '.many.example', 'x', now(), now()
        from organization, generate_series(1, 499) n where slug = 'many'`,
      values: [],
    })
    await many.post('/domains', { name: 'last.many.example' })
    await many.refused('POST', '/domains', 'domain.too_many', 409, { body: { name: 'beyond.many.example' } })
  })

  it('keeps its name, and takes nothing that comes with the proof when it is made', async () => {
    const { id } = await acme.post('/domains', { name: name() })
    for (const body of [
      { name: 'other.example' },
      { verified_at: '2026-01-01T00:00:00Z' },
      { challenge: 'x' },
    ]) {
      await acme.refused('PATCH', `/domains/${id}`, 'request.invalid', 400, { body })
    }
    for (const more of [{ just_in_time: true }, { sso_enforcement: 'saml' }, { verified_at: null }]) {
      const body = { name: name(), ...more }
      await acme.refused('POST', '/domains', 'request.invalid', 400, { body })
    }
  })

  it('switches nothing on before it is verified, and says which field needs the proof', async () => {
    const { id } = await acme.post('/domains', { name: name() })
    const refuse = (body: object) =>
      acme.refused('PATCH', `/domains/${id}`, 'domain.not_verified', 409, { body })
    assert.equal((await refuse({ just_in_time: true })).field, 'just_in_time')
    assert.equal((await refuse({ sso_enforcement: 'saml' })).field, 'sso_enforcement')
    await acme.ok('PATCH', `/domains/${id}`, { just_in_time: false, sso_enforcement: null })
    assert.equal((await acme.lastChange()).kind, 'domain.created', 'nothing changed')
    const verified = await world.verified(acme, name())
    const on = { just_in_time: true, sso_enforcement: 'saml' }
    const changed = await acme.ok('PATCH', `/domains/${verified.id}`, on)
    assert.deepEqual([changed.just_in_time, changed.sso_enforcement], [true, 'saml'])
    assert.deepEqual((await acme.lastChange()).detail, {
      domain: verified.id,
      name: verified.name,
      before: { just_in_time: false, sso_enforcement: '' },
      after: { just_in_time: true, sso_enforcement: 'saml' },
    })
    const wrong = { body: { sso_enforcement: 'ldap' } }
    await acme.refused('PATCH', `/domains/${verified.id}`, 'request.invalid', 400, wrong)
  })

  it('changes only if nobody changed it since, and can be previewed', async () => {
    const verified = await world.verified(acme, name())
    const { headers } = await acme.send('GET', `/domains/${verified.id}`)
    const given = { headers: { 'if-match': String(headers.etag) } }
    const preview = await acme.ok('PATCH', `/domains/${verified.id}?preview=true`, { just_in_time: true })
    assert.deepEqual([preview.object, preview.change.kind], ['preview', 'domain.updated'])
    assert.equal((await acme.get(`/domains/${verified.id}`)).just_in_time, false)
    await acme.ok('PATCH', `/domains/${verified.id}`, { just_in_time: true })
    const late = { ...given, body: { just_in_time: false } }
    await acme.refused('PATCH', `/domains/${verified.id}`, 'version.mismatch', 412, late)
    await acme.refused('DELETE', `/domains/${verified.id}`, 'version.mismatch', 412, given)
  })

  it('that is removed is gone with all it did, and anybody may prove its name', async () => {
    const verified = await world.verified(acme, name())
    await acme.ok('PATCH', `/domains/${verified.id}`, { just_in_time: true })
    await acme.ok('DELETE', `/domains/${verified.id}`)
    await acme.refused('GET', `/domains/${verified.id}`, 'domain.not_found', 404)
    const { detail } = await acme.lastChange()
    assert.deepEqual([detail.verified, detail.before.just_in_time], [true, true])
    const other = await world.client('other-owner')
    assert.equal((await world.verified(other, verified.name)).status, 'verified')
  })

  it('is read by every member, and changed by no mere one', async () => {
    const { id: member } = await acme.member()
    const asMember = await acme.key(['*'], { member_id: member })
    const { id } = await acme.post('/domains', { name: name() })
    assert.equal((await acme.send('GET', `/domains/${id}`, { key: asMember })).status, 200)
    const asking = { key: asMember, body: { name: name() } }
    await acme.refused('POST', '/domains', 'permission.denied', 403, asking)
    await acme.refused('POST', `/domains/${id}/verify`, 'permission.denied', 403, { key: asMember })
    await acme.refused('DELETE', `/domains/${id}`, 'permission.denied', 403, { key: asMember })
  })
})

describe('a link to an identity provider', () => {
  it('is many domains’ to one, of the same organization, and ends with it', async () => {
    const provider = await acme.post('/identity_providers', { name: 'Main' })
    const [one, two] = [
      await acme.post('/domains', { name: name(), identity_provider: provider.id }),
      await acme.post('/domains', { name: name() }),
    ]
    assert.equal(one.identity_provider, provider.id)
    await acme.ok('PATCH', `/domains/${two.id}`, { identity_provider: provider.id })
    assert.equal((await acme.lastChange()).detail.after.identity_provider, provider.id)
    const linked = await acme.get(`/domains?identity_provider=${provider.id}`)
    assert.deepEqual(
      linked.data.map((row: { id: string }) => row.id),
      [one.id, two.id],
    )
    const other = await world.client('other-idp')
    const theirs = await other.post('/identity_providers', { name: 'Theirs' })
    const foreign = { body: { identity_provider: theirs.id } }
    await acme.refused('PATCH', `/domains/${one.id}`, 'identity_provider.not_found', 404, foreign)
    await acme.ok('PATCH', `/domains/${one.id}`, { identity_provider: null })
    await acme.ok('DELETE', `/identity_providers/${provider.id}`)
    assert.equal((await acme.lastChange()).detail.domains_unlinked, 1)
    assert.equal((await acme.get(`/domains/${two.id}`)).identity_provider, null)
  })
})

describe('an organization', () => {
  /** Its only owner’s address is in its only domain. */
  async function ownersOwn(slug: string) {
    const client = await world.client(slug)
    return { client, domain: await world.verified(client, `${slug}.example`) }
  }
  const refuse = (client: DirectoryClient, path: string, body: object) =>
    client.refused('PATCH', path, 'domain.would_lock_out', 409, { body })

  it('cannot enforce a way of signing in by which its last owner cannot get in', async () => {
    const { client, domain } = await ownersOwn('locked')
    const path = `/domains/${domain.id}`
    for (const way of ['saml', 'oidc', 'google-oauth2', 'github', 'gitlab']) {
      assert.equal((await refuse(client, path, { sso_enforcement: way })).field, 'sso_enforcement')
    }
    const { entity_id, sso_url, certificates } = completeSaml()
    const provider = await client.post('/identity_providers', { saml: { entity_id, sso_url } })
    await refuse(client, path, { sso_enforcement: 'saml', identity_provider: provider.id })
    await client.ok('PATCH', `/identity_providers/${provider.id}`, { saml: { certificates } })
    await client.ok('PATCH', path, { sso_enforcement: 'saml', identity_provider: provider.id })
    await refuse(client, path, { sso_enforcement: 'oidc' })
    await client.ok('PATCH', path, { sso_enforcement: null })
  })

  it('cannot take away the identity provider that its last owner needs, nor empty it', async () => {
    const { client, domain } = await ownersOwn('holding')
    const provider = await client.post('/identity_providers', { saml: completeSaml() })
    const path = `/domains/${domain.id}`
    await client.ok('PATCH', path, { sso_enforcement: 'saml', identity_provider: provider.id })
    assert.equal((await refuse(client, path, { identity_provider: null })).field, 'identity_provider')
    await refuse(client, `/identity_providers/${provider.id}`, { saml: { certificates: [] } })
    await refuse(client, `/identity_providers/${provider.id}`, { saml: { sso_url: ' ' } })
    await client.refused('DELETE', `/identity_providers/${provider.id}`, 'domain.would_lock_out', 409)
    await client.ok('PATCH', `/identity_providers/${provider.id}`, {
      saml: { certificates: completeSaml().certificates },
    })
    await client.ok('DELETE', path)
    await client.ok('DELETE', `/identity_providers/${provider.id}`)
  })

  it('may enforce it while a lasting owner of another domain remains', async () => {
    const { client, domain } = await ownersOwn('two-owners')
    const path = `/domains/${domain.id}`
    const { id } = await client.member({ email: 'second@elsewhere.example', level: 'admin' })
    await refuse(client, path, { sso_enforcement: 'saml' })
    await client.ok('PUT', `/members/${id}/level`, { level: 'owner' })
    assert.equal((await client.ok('PATCH', path, { sso_enforcement: 'saml' })).sso_enforcement, 'saml')
    const second = await world.verified(client, 'elsewhere.example')
    await refuse(client, `/domains/${second.id}`, { sso_enforcement: 'saml' })
  })

  it('cannot be locked out by two settings at the same moment', async () => {
    for (let round = 0; round < 10; round++) {
      const { client, domain } = await ownersOwn(`race-${round}`)
      const { id } = await client.member({ email: `b@second-${round}.example` })
      await client.ok('PUT', `/members/${id}/level`, { level: 'owner' })
      const second = await world.verified(client, `second-${round}.example`)
      const answers = await Promise.all(
        [domain, second].map((one) =>
          client.send('PATCH', `/domains/${one.id}`, { body: { sso_enforcement: 'saml' } }),
        ),
      )
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409])
    }
  })
})
