import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { makeCertificate } from '../../../test/certificate.ts'
import { posthogClient } from '../../../test/posthog-client.ts'
import { openPosthogWorld, type PosthogWorld } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

let named = 0
const unverified = (more: object = {}) =>
  world.client.post('/domains/', { domain: `u${++named}.example`, ...more })

const saml = () => ({
  saml_entity_id: 'https://idp.example/metadata',
  saml_acs_url: 'https://idp.example/sso',
  saml_x509_cert: makeCertificate().pem,
})

describe('the name of a domain', () => {
  it('is kept in one form, and never changes', async () => {
    const { client } = world
    const made = await client.post('/domains/', { domain: 'Bücher.Example.' })
    assert.equal(made.domain, 'xn--bcher-kva.example')
    const after = await client.patch(`/domains/${made.id}/`, { domain: 'other.example' })
    assert.equal(after.domain, made.domain)
  })

  it('is refused where it is none, is public, is too long or is left out', async () => {
    const { client } = world
    for (const domain of [
      '',
      'a@acme.example',
      'https://acme.example',
      '😀',
      'localhost:80',
      'gmail.com',
      'co.uk',
    ]) {
      await client.refused('POST', '/domains/', [400, 'invalid_input', 'domain'], { domain })
    }
    await client.refused('POST', '/domains/', [400, 'max_length', 'domain'], { domain: 'x'.repeat(129) })
    await client.refused('POST', '/domains/', [400, 'required', 'domain'], {})
    await client.refused('POST', '/domains/', [400, 'invalid_input', 'domain'], { domain: 5 })
    await client.refused('POST', '/domains/', [400, 'invalid_input', 'domain'], { domain: null })
  })

  it('is listed once by an organization, and by any number of organizations until one has proven it', async () => {
    const { client, app, prove } = world
    const domain = 'shared.example'
    const mine = await client.post('/domains/', { domain })
    await client.refused('POST', '/domains/', [400, 'unique', 'domain'], { domain: 'SHARED.example' })
    const other = posthogClient(app, (await app.organization('other')).key)
    const theirs = await other.post('/domains/', { domain })
    prove(theirs)
    assert.equal((await other.act(`/domains/${theirs.id}/verify/`)).is_verified, true)
    prove(mine)
    await client.refused('POST', `/domains/${mine.id}/verify/`, [400, 'unique', 'domain'])
  })

  it('orders the list', async () => {
    const { client } = world
    for (const domain of ['zz.example', 'aa.example']) await client.post('/domains/', { domain })
    const { results } = await client.get('/domains/?limit=1000')
    const names = results.map((row: { domain: string }) => row.domain)
    assert.deepEqual(names, names.toSorted())
  })
})

describe('creating a domain', () => {
  it("does not hear what needs the proof, nor what is the server's", async () => {
    const domain = await unverified({
      jit_provisioning_enabled: true,
      sso_enforcement: 'saml',
      scim_enabled: true,
      id_jag_issuer_url: 'https://idp.example',
      verified_at: '2026-01-01T00:00:00Z',
      verification_challenge: 'mine',
    })
    assert.match(domain.verification_challenge, /^[A-Za-z0-9_-]{43}$/)
    assert.partialDeepStrictEqual(domain, {
      ...{ is_verified: false, verified_at: null, jit_provisioning_enabled: false, sso_enforcement: '' },
      ...{ scim_enabled: false, has_scim: false, scim_base_url: null, scim_bearer_token: null },
      ...{ id_jag_issuer_url: null, has_id_jag: false, id_jag_allowed_clients: [] },
      ...{ identity_provider_config: null, saml_entity_id: null, has_saml: false },
    })
  })

  it('takes SAML settings, into a config of its own or into the one it is linked to', async () => {
    const { client } = world
    const settings = saml()
    const alone = await unverified(settings)
    assert.equal(alone.has_saml, true)
    const config = await client.get(`/identity_provider_configs/${alone.identity_provider_config}/`)
    assert.partialDeepStrictEqual(config, { name: alone.domain, saml_entity_id: settings.saml_entity_id })
    const linked = await unverified({
      saml_entity_id: 'https://new.example',
      identity_provider_config: config.id,
    })
    assert.equal(linked.identity_provider_config, config.id)
    assert.equal((await client.get(`/domains/${alone.id}/`)).saml_entity_id, 'https://new.example')
  })

  it('leaves nothing behind when it is refused', async () => {
    const { client } = world
    const before = (await client.get('/identity_provider_configs/')).count
    await client.refused('POST', '/domains/', [400, 'invalid_input', 'domain'], {
      domain: 'gmail.com',
      ...saml(),
    })
    assert.equal((await client.get('/identity_provider_configs/')).count, before)
  })
})

describe('an unverified domain', () => {
  const gated = {
    jit_provisioning_enabled: true,
    sso_enforcement: 'saml',
    scim_enabled: true,
    id_jag_issuer_url: 'https://idp.example',
    id_jag_jwks_url: 'https://idp.example/jwks',
    id_jag_allowed_clients: ['client'],
  }
  it('may be sent back as it was read, linked to a config whose settings are on; only new ones need the proof', async () => {
    const { client } = world
    const config = await client.post('/identity_provider_configs/', {
      ...{ scim_enabled: true, id_jag_issuer_url: 'https://idp.example' },
      ...{ id_jag_jwks_url: 'https://idp.example/jwks', id_jag_allowed_clients: ['one'] },
    })
    const { id } = await unverified()
    const path = `/domains/${id}/`
    const linked = await client.patch(path, { identity_provider_config: config.id })
    assert.equal(linked.has_scim, true)
    assert.deepEqual(await client.patch(path, linked), linked)
    assert.deepEqual(await client.put(path, { ...linked, id_jag_issuer_url: 'https://idp.example/' }), linked)
    const refused = [400, 'verification_required', 'id_jag_allowed_clients'] as const
    await client.refused('PATCH', path, refused, { ...linked, id_jag_allowed_clients: ['one', 'two'] })
    assert.deepEqual((await client.patch(path, { id_jag_allowed_clients: [] })).id_jag_allowed_clients, [])
  })

  for (const [field, value] of Object.entries(gated)) {
    it(`refuses ${field}, and stores nothing of the request`, async () => {
      const { client } = world
      const domain = await unverified()
      const body = { saml_entity_id: 'https://idp.example', [field]: value }
      const path = `/domains/${domain.id}/`
      await client.refused('PATCH', path, [400, 'verification_required', field], body)
      assert.deepEqual(await client.get(path), domain)
    })
  }

  it('takes SAML settings, and itself as it was read', async () => {
    const { client } = world
    const { id } = await unverified()
    const settings = saml()
    const changed = await client.patch(`/domains/${id}/`, settings)
    assert.partialDeepStrictEqual(changed, { has_saml: true, saml_acs_url: settings.saml_acs_url })
    assert.deepEqual(await client.put(`/domains/${id}/`, changed), changed)
  })
})

describe('verify', () => {
  it('answers the domain with 200 whether the record is missing, wrong, not to be had or there', async () => {
    const { client, dns, prove } = world
    const domain = await unverified()
    const record = `_posthog-challenge.${domain.domain}`
    const path = `/domains/${domain.id}/verify/`
    const states = [
      undefined,
      { txt: ['another text'] },
      ...(['SERVFAIL', 'REFUSED'] as const).map((failure) => ({ failure })),
    ]
    for (const state of states) {
      if (state !== undefined) dns.zone.set(record, state)
      assert.partialDeepStrictEqual(await client.act(path, {}), { is_verified: false, verified_at: null })
    }
    prove(domain)
    const after = await client.act(path)
    assert.equal(after.is_verified, true)
    assert.ok(Math.abs(Date.parse(after.verified_at) - Date.now()) < 60_000)
    assert.equal(after.verification_challenge, domain.verification_challenge)
    await client.refused('POST', path, [400, 'already_verified', null])
  })
})
