import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { findScimClient } from '#src/directory/identity-providers/scim-token.ts'
import { makeCertificate } from '../../../test/certificate.ts'
import { posthogClient } from '../../../test/posthog-client.ts'
import { openPosthogWorld, type PosthogWorld } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

let named = 0
const verified = () => world.verified(`v${++named}.example`)

const saml = () => ({
  saml_entity_id: 'https://idp.example/metadata',
  saml_acs_url: 'https://idp.example/sso',
  saml_x509_cert: makeCertificate().pem,
})

describe('a verified domain', () => {
  it('takes every setting, and mirrors those of the identity provider in its config', async () => {
    const { client } = world
    const domain = await verified()
    const body = {
      ...saml(),
      jit_provisioning_enabled: true,
      sso_enforcement: 'saml',
      scim_enabled: true,
      id_jag_issuer_url: ' https://idp.example/ ',
      id_jag_jwks_url: 'https://idp.example/jwks/',
      id_jag_allowed_clients: ['one', 'two'],
    }
    const changed = await client.patch(`/domains/${domain.id}/`, body)
    assert.partialDeepStrictEqual(changed, {
      ...{ jit_provisioning_enabled: true, sso_enforcement: 'saml', has_saml: true },
      ...{ id_jag_issuer_url: 'https://idp.example', id_jag_jwks_url: 'https://idp.example/jwks' },
      ...{ id_jag_allowed_clients: ['one', 'two'], has_id_jag: true, has_scim: true },
    })
    const config = await client.get(`/identity_provider_configs/${changed.identity_provider_config}/`)
    assert.partialDeepStrictEqual(config, {
      ...{ id_jag_issuer_url: 'https://idp.example', has_scim: true, saml_entity_id: body.saml_entity_id },
      scim_bearer_token: null,
    })
  })

  it("follows a config it is linked to; what the same request says of settings wins and is the config's", async () => {
    const { client } = world
    const [one, two] = [await verified(), await verified()]
    const config = await client.post('/identity_provider_configs/', {
      saml_entity_id: 'https://shared.example',
    })
    const link = { identity_provider_config: config.id }
    const linked = await client.patch(`/domains/${one.id}/`, link)
    assert.equal(linked.saml_entity_id, 'https://shared.example')
    await client.patch(`/domains/${two.id}/`, { ...link, saml_entity_id: 'https://explicit.example' })
    for (const path of [`/domains/${one.id}/`, `/identity_provider_configs/${config.id}/`]) {
      assert.equal((await client.get(path)).saml_entity_id, 'https://explicit.example', path)
    }
    await client.remove(`/identity_provider_configs/${config.id}/`)
    assert.partialDeepStrictEqual(await client.get(`/domains/${one.id}/`), {
      ...{ identity_provider_config: null, saml_entity_id: null },
    })
  })

  it('refuses a way of signing in that is none, and one that leads nowhere for the owners', async () => {
    const { client } = world
    const domain = await verified()
    const path = `/domains/${domain.id}/`
    for (const way of ['okta', 'SAML', null, 5]) {
      await client.refused('PATCH', path, [400, 'invalid_input', 'sso_enforcement'], { sso_enforcement: way })
    }
    const own = await world.verified('acme.example')
    const enforced = { sso_enforcement: 'saml' }
    const lockedOut = [400, 'would_lock_out', 'sso_enforcement'] as const
    await client.refused('PATCH', `/domains/${own.id}/`, lockedOut, enforced)
    await client.patch(`/domains/${own.id}/`, { ...enforced, ...saml() })
    await client.refused('PATCH', `/domains/${own.id}/`, [400, 'would_lock_out', null], {
      saml_entity_id: '',
    })
    await client.patch(`/domains/${own.id}/`, { sso_enforcement: '' })
  })

  it('takes several certificates, one below the other, and no more than a config has', async () => {
    const { client } = world
    const { id } = await verified()
    const { pem } = makeCertificate()
    const several = (count: number) => Array.from({ length: count }, () => pem).join('\n')
    const two = pem + makeCertificate().pem
    const shown = await client.patch(`/domains/${id}/`, { saml_x509_cert: two })
    assert.equal(shown.saml_x509_cert.match(/BEGIN/g).length, 2)
    assert.deepEqual(await client.patch(`/domains/${id}/`, shown), shown)
    const refused = [400, 'invalid_input', 'saml_x509_cert'] as const
    await client.refused('PATCH', `/domains/${id}/`, refused, { saml_x509_cert: several(11) })
  })

  it('takes only a config of its own organization', async () => {
    const { client, app } = world
    const domain = await verified()
    const other = posthogClient(app, (await app.organization('third')).key)
    const theirs = (await other.post('/identity_provider_configs/', {})).id
    const refused = [400, 'invalid_input', 'identity_provider_config'] as const
    for (const id of [theirs, '01990000-0000-7000-8000-00000000abcd', 'x', '', 7]) {
      await client.refused('PATCH', `/domains/${domain.id}/`, refused, { identity_provider_config: id })
    }
  })

  it('is gone with everything it did when it is deleted', async () => {
    const { client } = world
    const { id } = await verified()
    await client.remove(`/domains/${id}/`)
    for (const method of ['GET', 'DELETE']) {
      await client.refused(method, `/domains/${id}/`, [404, 'not_found', null])
    }
    await client.refused('PATCH', '/domains/not-a-uuid/', [404, 'not_found', null], {})
  })
})

describe('the SCIM token of a domain', () => {
  it('is answered by what switches SCIM on, and by nothing else', async () => {
    const { client } = world
    const { id } = await verified()
    const path = `/domains/${id}/`
    const on = await client.patch(path, { scim_enabled: true })
    assert.match(on.scim_bearer_token, /^rcscim_/)
    assert.equal(on.scim_base_url, `https://rollcall.example/scim/v2/${on.identity_provider_config}`)
    for (const again of [await client.patch(path, { scim_enabled: true }), await client.get(path)]) {
      assert.deepEqual([again.scim_bearer_token, again.has_scim], [null, true])
    }
    const off = await client.patch(path, { scim_enabled: false })
    assert.deepEqual([off.has_scim, off.scim_base_url], [false, null])
    await client.refused('POST', `${path}scim/token/`, [400, 'scim_disabled', null])
    const anew = await client.patch(path, { scim_enabled: true })
    assert.notEqual(anew.scim_bearer_token, on.scim_bearer_token)
    assert.equal(await works(on.scim_bearer_token), false)
    assert.equal(await works(anew.scim_bearer_token), true)
  })

  it('has one before it that works on, until the next', async () => {
    const { client } = world
    const { id } = await verified()
    const tokens = [(await client.patch(`/domains/${id}/`, { scim_enabled: true })).scim_bearer_token]
    for (const expected of [
      [true, true],
      [false, true, true],
      [false, false, true, true],
    ]) {
      const made = await client.act(`/domains/${id}/scim/token/`)
      assert.equal(made.scim_enabled, true)
      tokens.push(made.scim_bearer_token)
      assert.deepEqual(await Promise.all(tokens.map(works)), expected)
    }
  })
})

async function works(token: string): Promise<boolean> {
  return (await findScimClient(world.app.database, token)) !== undefined
}
