import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { fingerprintOf, makeCertificate } from '../../../test/certificate.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import {
  getIdentityProvider,
  oidcClientSecret,
} from '../../directory/identity-providers/identity-provider.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
let acme: DirectoryClient
let organizationId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { id, path, key } = await app.organization('acme')
  organizationId = decodeId(idPrefixes.organization, id)!
  acme = directoryClient(app, path, key)
})

const create = (body: object = {}): Promise<Answer['body']> => acme.post('/identity_providers', body)
const patch = (id: string, body: object): Promise<Answer['body']> =>
  acme.ok('PATCH', `/identity_providers/${id}`, body)
const refuse = (body: object, code = 'request.invalid') =>
  acme.refused('POST', '/identity_providers', code, 400, { body })

const URL_FIELDS = [
  ['saml', 'sso_url'],
  ['oidc', 'issuer'],
  ['id_jag', 'issuer'],
  ['id_jag', 'jwks_url'],
] as const

describe('an identity provider', () => {
  it('may be made with nothing, and filled in later', async () => {
    const made = await create()
    const { id, created_at, updated_at, ...rest } = made
    assert.match(id, /^idp_[\w-]{22}$/)
    assert.equal(created_at, updated_at)
    assert.deepEqual(rest, {
      object: 'identity_provider',
      name: '',
      saml: { entity_id: null, sso_url: null, certificates: [], complete: false },
      oidc: { issuer: null, client_id: null, has_client_secret: false, complete: false },
      id_jag: { issuer: null, jwks_url: null, allowed_clients: [], complete: false },
      scim: { enabled: false },
    })
    const named = await patch(id, { name: 'Okta', saml: { entity_id: 'urn:idp' } })
    assert.deepEqual([named.name, named.saml.entity_id], ['Okta', 'urn:idp'])
    assert.deepEqual((await acme.lastChange()).detail, {
      identity_provider: id,
      name: 'Okta',
      before: { name: '', saml_entity_id: null },
      after: { name: 'Okta', saml_entity_id: 'urn:idp' },
    })
    const { id: last } = await acme.lastChange()
    await patch(id, { name: 'Okta' })
    assert.equal((await acme.lastChange()).id, last, 'what is so already is no change')
  })

  it('keeps texts without the space around them, takes blank for none, and leaves what is left out', async () => {
    const made = await create({
      saml: { entity_id: ' https://idp.example/e/ ', sso_url: ' https://idp.example/sso/ ' },
      oidc: { issuer: ' https://idp.example/oidc/ ', client_id: ' id ' },
      id_jag: {
        ...{ issuer: ' https://idp.example/jag// ', jwks_url: ' https://idp.example/jwks/ ' },
        allowed_clients: ['a', 'b', 'a'],
      },
    })
    // Compared letter by letter by SAML and OIDC: a slash at the end belongs to the name.
    assert.deepEqual(
      [made.saml.entity_id, made.saml.sso_url],
      ['https://idp.example/e/', 'https://idp.example/sso/'],
    )
    assert.deepEqual([made.oidc.issuer, made.oidc.client_id], ['https://idp.example/oidc/', 'id'])
    assert.deepEqual(made.id_jag, {
      ...{ issuer: 'https://idp.example/jag', jwks_url: 'https://idp.example/jwks' },
      ...{ allowed_clients: ['a', 'b'], complete: true },
    })
    const changed = await patch(made.id, {
      saml: { sso_url: '  ' },
      oidc: { issuer: null },
      id_jag: { issuer: '', allowed_clients: [] },
    })
    assert.deepEqual([changed.saml.entity_id, changed.saml.sso_url], [made.saml.entity_id, null])
    assert.deepEqual([changed.oidc.issuer, changed.oidc.client_id], [null, 'id'])
    assert.deepEqual(
      [changed.id_jag.issuer, changed.id_jag.allowed_clients, changed.id_jag.complete],
      [null, [], false],
    )
    assert.equal(changed.id_jag.jwks_url, 'https://idp.example/jwks')
  })

  it('takes only URLs that the server would ask itself, and names the field', async () => {
    const bad = [
      ...[
        'http://idp.example.com',
        'https://127.0.0.1/',
        'https://169.254.169.254/latest',
        'https://[::1]/',
        'ftp://a.example',
      ],
      ...[
        'https://localhost/',
        'https://user:pass@idp.example.com/',
        'https://2130706433/',
        'javascript:alert(1)',
        'idp',
      ],
    ]
    for (const [part, field] of URL_FIELDS) {
      for (const url of bad) {
        assert.equal((await refuse({ [part]: { [field]: url } })).field, `${part}.${field}`, url)
      }
    }
    assert.equal((await refuse({ oidc: { issuer: 'https://idp.example/?x=1' } })).field, 'oidc.issuer')
  })

  it('shows each of its certificates, several at once, and refuses by place what is none', async () => {
    const [old, next] = [
      makeCertificate({ notAfter: new Date(Date.now() - 1000) }),
      makeCertificate({ key: 2048 }),
    ]
    const made = await create({ saml: { certificates: [old.pem, next.pem, old.pem] } })
    const shown = made.saml.certificates
    assert.deepEqual(
      shown.map((one: Answer['body']) => one.fingerprint),
      [old, next].map(({ pem }) => fingerprintOf(pem)),
    )
    assert.deepEqual(
      shown.map((one: Answer['body']) => one.expired),
      [true, false],
    )
    assert.deepEqual(shown[1].key, { type: 'RSA', size: '2048' })
    assert.deepEqual(
      (await acme.lastChange()).detail.after.saml_certificates,
      shown.map((one: Answer['body']) => one.fingerprint),
    )
    const rotated = await patch(made.id, { saml: { certificates: [next.pem] } })
    assert.equal(rotated.saml.certificates.length, 1)
    const weak = { saml: { certificates: [next.pem, makeCertificate({ key: 1024 }).pem] } }
    const refusal = await refuse(weak, 'identity_provider.certificate_refused')
    assert.equal(refusal.field, 'saml.certificates[1]')
    await refuse({ saml: { certificates: Array(11).fill(next.pem) } })
  })

  it('is complete when somebody could sign in with it', async () => {
    const { id } = await create({ saml: { entity_id: 'e', sso_url: 'https://idp.example/sso' } })
    assert.equal((await acme.get(`/identity_providers/${id}`)).saml.complete, false)
    assert.equal((await patch(id, { saml: { certificates: [makeCertificate().pem] } })).saml.complete, true)
    const oidc = { issuer: 'https://idp.example', client_id: 'id' }
    assert.equal((await patch(id, { oidc })).oidc.complete, false)
    assert.equal((await patch(id, { oidc: { client_secret: 's3cret' } })).oidc.complete, true)
  })

  it('keeps its client secret encrypted, says only that there is one, and gives it back to the server alone', async () => {
    const secret = 'the client secret of acme'
    const made = await create({ oidc: { client_secret: secret } })
    const id = decodeId(idPrefixes.identityProvider, made.id)!
    assert.equal(made.oidc.has_client_secret, true)
    const server = { db: app.database, actor: { kind: 'system' }, organizationId } as const
    const stored = () => getIdentityProvider(server, id)
    const opened = async () => oidcClientSecret(app.directory, organizationId, await stored())
    assert.ok(!(await stored()).oidc_client_secret!.includes(secret))
    assert.equal(await opened(), secret)
    await patch(made.id, { name: 'Renamed', oidc: { client_id: 'x' } })
    assert.equal(await opened(), secret, 'left out, it stays')
    await patch(made.id, { oidc: { client_secret: 'another one' } })
    assert.deepEqual((await acme.lastChange()).detail.after, { oidc_client_secret: 'replaced' })
    assert.equal(await opened(), 'another one')
    assert.equal((await patch(made.id, { oidc: { client_secret: '' } })).oidc.has_client_secret, false)
    assert.equal(await opened(), null)
  })

  it('changes only if nobody changed it since, and is listed in pages', async () => {
    const { id } = await create({ name: 'Versioned' })
    const { headers } = await acme.send('GET', `/identity_providers/${id}`)
    const given = { headers: { 'if-match': String(headers.etag) } }
    assert.equal(
      (await acme.send('PATCH', `/identity_providers/${id}`, { ...given, body: { name: 'a' } })).status,
      200,
    )
    await acme.refused('PATCH', `/identity_providers/${id}`, 'version.mismatch', 412, {
      ...given,
      body: { name: 'b' },
    })
    await acme.refused('DELETE', `/identity_providers/${id}`, 'version.mismatch', 412, given)
    const first = await acme.get('/identity_providers?limit=1')
    const second = await acme.get(`/identity_providers?limit=1000&after=${first.next_cursor}`)
    assert.ok(first.has_more && second.data.some((row: { id: string }) => row.id === id))
  })

  it('is shown with a certificate that has no end, or no subject', async () => {
    const pems = [{ notAfter: '99991231235959Z' }, { hasEmptySubject: true }].map(
      (one) => makeCertificate(one).pem,
    )
    const { id } = await create({ saml: { certificates: pems } })
    const { certificates } = (await acme.get(`/identity_providers/${id}`)).saml
    assert.deepEqual([certificates[0].not_after, certificates[1].subject], ['9999-12-31T23:59:59.000Z', ''])
    await acme.get('/identity_providers?limit=1000')
  })

  it('is not for mere members to read', async () => {
    const { id: member } = await acme.member()
    const key = await acme.key(['*'], { member_id: member })
    const { id } = await create()
    for (const path of ['', `/${id}`, `/${id}/scim_tokens`]) {
      await acme.refused('GET', `/identity_providers${path}`, 'permission.denied', 403, { key })
    }
  })
})

describe('a server without a key for secrets', () => {
  it('refuses what would have to be encrypted, with a sentence, and serves the rest', async () => {
    const keyless = await startTestApp({
      withoutTasks: true,
      settings: { ROLLCALL_ENCRYPTION_KEY: '', ROLLCALL_DATA_DIR: `${import.meta.filename}/data` },
    })
    const { path, key } = await keyless.organization('keyless')
    const client = directoryClient(keyless, path, key)
    const body = { oidc: { client_secret: 'secret' } }
    const refusal = await client.refused('POST', '/identity_providers', 'encryption.unavailable', 503, {
      body,
    })
    assert.match(refusal.detail, /ROLLCALL_ENCRYPTION_KEY/)
    assert.ok(!JSON.stringify(refusal).includes('data'), 'no path of the server')
    await client.post('/identity_providers', { oidc: { client_id: 'id' } })
    // The mail has the link.
    const invited = { email: 'ann@people.example' }
    await client.refused('POST', '/invitations', 'encryption.unavailable', 503, { body: invited })
    const { status } = await client.post('/invitations', { ...invited, send_email: false })
    assert.equal(status, 'pending', 'nothing of the refused one has stayed')
  })
})
