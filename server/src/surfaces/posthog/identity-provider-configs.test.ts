import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { findScimClient } from '#src/directory/identity-providers/scim-token.ts'
import { makeCertificate } from '../../../test/certificate.ts'
import { openPosthogWorld, type PosthogWorld } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

const PATH = '/identity_provider_configs/'

describe('an identity provider config', () => {
  it('needs nothing, and no domain', async () => {
    const { client } = world
    const made = await client.post(PATH)
    assert.partialDeepStrictEqual(made, {
      ...{ name: '', has_saml: false, has_scim: false, has_id_jag: false, scim_bearer_token: null },
      ...{ saml_entity_id: null, saml_acs_url: null, saml_x509_cert: null, id_jag_allowed_clients: [] },
    })
  })

  it('keeps what is left out, and loses what is null or blank', async () => {
    const { client } = world
    const { id } = await client.post(PATH, {
      ...{ name: 'Okta', saml_entity_id: 'https://a.example', saml_acs_url: 'https://a.example/sso' },
      ...{ id_jag_issuer_url: 'https://a.example/' },
    })
    const changed = await client.patch(`${PATH}${id}/`, { saml_entity_id: null, saml_acs_url: ' ' })
    assert.partialDeepStrictEqual(changed, {
      ...{ name: 'Okta', saml_entity_id: null, saml_acs_url: null, id_jag_issuer_url: 'https://a.example' },
    })
    assert.deepEqual(await client.put(`${PATH}${id}/`, changed), changed)
  })

  it('takes one certificate or several, with or without their lines', async () => {
    const { client } = world
    const [one, two] = [makeCertificate().pem.trim(), makeCertificate().pem.trim()]
    const { id } = await client.post(PATH, { saml_x509_cert: `${one}\n${two}\n` })
    const both = (await client.get(`${PATH}${id}/`)).saml_x509_cert
    assert.equal(both.match(/BEGIN CERTIFICATE/g).length, 2)
    const bare = one.replace(/-----[^-]+-----/g, '').trim()
    const single = (await client.patch(`${PATH}${id}/`, { saml_x509_cert: bare })).saml_x509_cert
    assert.equal(single.trim(), one)
    const refused = [400, 'invalid_input', 'saml_x509_cert'] as const
    await client.refused('PATCH', `${PATH}${id}/`, refused, { saml_x509_cert: 'no certificate' })
  })

  it("refuses URLs into the server's own network and values of another kind, naming the field", async () => {
    const { client } = world
    for (const field of ['saml_acs_url', 'id_jag_issuer_url', 'id_jag_jwks_url']) {
      for (const url of ['https://127.0.0.1/', 'https://169.254.169.254/', 'http://idp.example', 'x']) {
        await client.refused('POST', PATH, [400, 'invalid_input', field], { [field]: url })
      }
      await client.refused('POST', PATH, [400, 'max_length', field], { [field]: 'x'.repeat(513) })
    }
    await client.refused('POST', PATH, [400, 'invalid_input', 'scim_enabled'], { scim_enabled: 'yes' })
    const clients = 'id_jag_allowed_clients'
    await client.refused('POST', PATH, [400, 'invalid_input', clients], { [clients]: 'one' })
    await client.refused('POST', PATH, [400, 'max_length', `${clients}__0`], { [clients]: ['x'.repeat(257)] })
    await client.refused('POST', PATH, [400, 'max_length', 'name'], { name: 'x'.repeat(256) })
  })

  it('answers its SCIM token once, to what switches SCIM on, and a new one beside it when asked', async () => {
    const { client, app } = world
    const made = await client.post(PATH, { scim_enabled: true })
    const path = `${PATH}${made.id}/`
    assert.deepEqual([made.has_scim, (await client.get(path)).scim_bearer_token], [true, null])
    assert.equal((await client.patch(path, { scim_enabled: true })).scim_bearer_token, null)
    const tokens = [made.scim_bearer_token]
    for (let count = 0; count < 2; count++) {
      tokens.push((await client.act(`${path}scim/token/`)).scim_bearer_token)
    }
    const found = await Promise.all(tokens.map((token) => findScimClient(app.database, token)))
    assert.deepEqual(
      found.map((connection) => connection?.connectionId),
      [undefined, made.id, made.id],
    )
    await client.patch(path, { scim_enabled: false })
    await client.refused('POST', `${path}scim/token/`, [400, 'scim_disabled', null])
  })

  it('gives one token to those who switch SCIM on at the same time', async () => {
    const { client } = world
    const { id } = await client.post(PATH)
    const body = { scim_enabled: true }
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.patch(`${PATH}${id}/`, body)))
    assert.equal(answers.filter((answer) => answer.scim_bearer_token !== null).length, 1)
  })

  it('is not shown to mere members, and written by admins', async () => {
    const { client } = world
    const { id } = await client.post(PATH)
    const member = await world.memberKey(1)
    const denied = [403, 'permission_denied', null] as const
    for (const tail of [PATH, `${PATH}${id}/`, '/domains/']) await member.client.refused('GET', tail, denied)
    await member.client.refused('DELETE', `${PATH}${id}/`, denied)
    const admin = await world.memberKey(8)
    await admin.client.remove(`${PATH}${id}/`)
    await admin.client.refused('GET', `${PATH}${id}/`, [404, 'not_found', null])
  })
})
