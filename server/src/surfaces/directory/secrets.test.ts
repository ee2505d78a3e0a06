import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Answer } from '../../../test/app.ts'
import { makeCertificate } from '../../../test/certificate.ts'
import { tableNames } from '../../../test/database-state.ts'
import type { DirectoryClient } from '../../../test/directory-client.ts'
import { type DomainWorld, openDomainWorld } from '../../../test/domain-world.ts'
import { openLog } from '../../platform/log.ts'

const CLIENT_SECRETS = ['client-secret-one-3f9a', 'client-secret-two-77b1', 'client-secret-refused-0c2d']
const INTEGRATION_SECRETS = [
  'integration-token-5e1f',
  'integration-token-again-91aa',
  'integration-token-refused-4b',
]

let world: DomainWorld
let acme: DirectoryClient
let log = ''
/** Everything that any answer said, but for those that show a secret once. */
const answers: string[] = []
const scimTokens: string[] = []
before(async () => {
  // The most that a log can hold.
  const destination = {
    write(line: string) {
      log += line
    },
  }
  world = await openDomainWorld({ log: openLog('trace', destination) })
  acme = await world.client('acme')
  await useEverything()
})

async function send(
  method: string,
  path: string,
  body?: object,
  headers?: Record<string, string>,
): Promise<Answer> {
  const given = { ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }
  const answer = await acme.send(method, path, given)
  const showsToken = path.endsWith('/scim_tokens') && answer.status === 201
  if (showsToken) scimTokens.push(answer.body.token)
  else answers.push(JSON.stringify([answer.body, answer.headers]))
  return answer
}

/** Every way a secret goes in, succeeding, refused, repeated and failing. */
async function useEverything(): Promise<void> {
  const oidc = (index: number, more: object = {}) => ({
    oidc: { client_secret: CLIENT_SECRETS[index], ...more },
  })
  const scim = { enabled: true }
  const key = { 'idempotency-key': 'secrets' }
  const { body: provider } = await send('POST', '/identity_providers', { name: 'IdP', scim, ...oidc(0) }, key)
  await send('POST', '/identity_providers', { name: 'IdP', scim, ...oidc(0) }, key)
  const path = `/identity_providers/${provider.id}`
  await send('PATCH', path, oidc(1))
  await send('PATCH', `${path}?preview=true`, oidc(0))
  const weak = makeCertificate({ key: 1024 }).pem
  await send('PATCH', path, { ...oidc(2), saml: { certificates: [weak] } })
  await send('POST', '/identity_providers', oidc(2, { issuer: 'https://127.0.0.1/' }))
  await send('POST', '/identity_providers', oidc(2, { unknown: 1 }))
  await send('PATCH', path, oidc(2), { 'if-match': '"99"' })
  await send('POST', '/identity_providers', { oidc: { client_secret: [CLIENT_SECRETS[2]] } })
  await send('POST', `${path}/scim_tokens`, undefined, { 'idempotency-key': 'token' })
  await send('POST', `${path}/scim_tokens`, undefined, { 'idempotency-key': 'token' })
  await send('POST', `${path}/scim_tokens`)
  await send('POST', `${path}/scim_tokens`)
  await send('POST', `${path}/scim_tokens`, { replace: true })
  for (const token of scimTokens) await send('GET', '', undefined, { authorization: `Bearer ${token}` })
  const connection = (index: number) => ({ kind: 'x', secrets: { token: INTEGRATION_SECRETS[index] } })
  const { body: integration } = await send('POST', '/integrations', connection(0), { 'idempotency-key': 'x' })
  await send('POST', '/integrations', connection(2))
  await send('POST', '/integrations', { ...connection(1), kind: 'y' })
  await send('POST', '/integrations', { ...connection(2), kind: '' })
  // A failure of the database while the secret is on its way.
  const { database } = world.app
  await database.run({ name: '', text: 'alter table identity_provider rename to moved', values: [] })
  assert.equal((await send('POST', '/identity_providers', oidc(2))).status, 500)
  await database.run({ name: '', text: 'alter table moved rename to identity_provider', values: [] })
  const lists = [
    '/identity_providers',
    path,
    `${path}/scim_tokens`,
    '/integrations',
    `/integrations/${integration.id}`,
  ]
  for (const list of [...lists, '/changes?limit=1000', '/domains', '/api_keys']) await send('GET', list)
  const { data } = await acme.get('/changes?limit=1000')
  for (const change of data) await send('GET', `/changes/${change.id}`)
  await send('DELETE', `${path}/scim_tokens/${(await acme.get(`${path}/scim_tokens`)).data[0].id}`)
  await send('DELETE', `/integrations/${integration.id}`)
}

/** A secret, and the ways a part of it may be written. */
function traces(secret: string): string[] {
  const bytes = Buffer.from(secret)
  // The hint of a token is its beginning: what follows it is the secret.
  const rest = secret.startsWith('rcscim_') ? secret.slice(12) : secret
  return [rest, bytes.toString('base64').slice(0, -4), bytes.toString('hex'), encodeURIComponent(rest)]
}

const secrets = () => [...CLIENT_SECRETS, ...INTEGRATION_SECRETS, ...scimTokens]

function assertTraceless(text: string, about: string): void {
  for (const secret of secrets()) {
    for (const trace of traces(secret))
      assert.ok(!text.includes(trace), `${about} holds ${secret} as ${trace}`)
  }
}

describe('a client secret, a SCIM token and a secret of an integration', () => {
  it('were really used here, so that there is something to find', () => {
    assert.equal(new Set(scimTokens).size, 3)
    assert.ok(answers.length > 35)
    const expected = [
      'identity_provider.certificate_refused',
      'integration.already_connected',
      'idempotency.answer_withheld',
      'version.mismatch',
      'server.error',
      'scim_token.too_many',
    ]
    for (const code of expected)
      assert.ok(
        answers.some((answer) => answer.includes(code)),
        code,
      )
  })

  it('stand in no log line, whatever the level', () => {
    assert.ok(log.split('\n').length > 40 && log.includes('request failed'))
    assertTraceless(log, 'the log')
  })

  it('stand in no answer, list, change or refusal', () => {
    for (const answer of answers) assertTraceless(answer, answer)
  })

  it('stand in no table in clear', async () => {
    const { database } = world.app
    for (const table of await tableNames(database)) {
      const rows = await database.rows<{ row: string }>({
        name: '',
        text: `select t::text as row from ${table} t`,
        values: [],
      })
      for (const { row } of rows) assertTraceless(row, table)
    }
    const kept = await database.rows<{ secret: string }>({
      name: '',
      text: `select oidc_client_secret as secret from identity_provider where oidc_client_secret is not null
        union all select secrets from integration where secrets is not null`,
      values: [],
    })
    assert.equal(kept.length, 2)
    for (const { secret } of kept) assert.match(secret, /^v1\.[\w-]{8}\.[\w-]+$/)
  })
})
