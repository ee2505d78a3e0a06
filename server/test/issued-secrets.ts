import assert from 'node:assert/strict'
import type { ServerProcess } from './server-process.ts'
import { type SmtpSink, tokenOf } from './smtp-sink.ts'

/** A request, what it was answered, and the secrets that this one answer is there to show. */
interface Exchange {
  readonly about: string
  readonly status: number
  /** Headers and body. */
  readonly text: string
  readonly shows: readonly string[]
}

/** Everything secret that a server was made to issue or given to keep, by where it came from, and all it answered. */
export interface Issued {
  readonly secrets: ReadonlyMap<string, string>
  readonly exchanges: readonly Exchange[]
}

const ORGANIZATION = '/directory/v1/organizations/acme'
const CLIENT_SECRETS = [
  'client-secret-of-ours-6b1f',
  'client-secret-of-posthog-90ce',
  'client-secret-refused-5d2a',
]
const INTEGRATION_SECRETS = ['integration-secret-kept-77d1', 'integration-secret-refused-a3c4']

/**
 * Makes a new server do every operation that issues a secret or takes one to keep, on every surface; sends each of them
 * again wherever it may stand by right or by mistake; and reads every list.
 *
 * @param sink where its mails go; absent: they stay in its outbox, and are read there
 */
export async function issueSecrets(server: ServerProcess, sink?: SmtpSink): Promise<Issued> {
  const exchanges: Exchange[] = []
  const secrets = new Map<string, string>([['the root key', server.rootKey!]])
  for (const [n, secret] of CLIENT_SECRETS.entries()) secrets.set(`client secret ${n}`, secret)
  for (const [n, secret] of INTEGRATION_SECRETS.entries())
    secrets.set(`secret of an integration ${n}`, secret)
  const issuing: Issuing = { server, sink, exchanges, secrets, key: server.rootKey! }
  await issueEverything(issuing)
  await carryThemEverywhere(issuing)
  await readEverything(issuing)
  return issuing
}

interface Issuing {
  readonly server: ServerProcess
  readonly sink: SmtpSink | undefined
  readonly exchanges: Exchange[]
  readonly secrets: Map<string, string>
  /** What requests are sent with that do not say otherwise. */
  key: string
  /** A SCIM connection, and a token of it. */
  scim?: { readonly path: string; readonly token: string }
}

interface Sending {
  readonly key?: string | null
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** The field of the answer that shows a secret. */
  readonly shows?: string
}

const isMailed = (about: string) => about.endsWith('(mailed)')

async function send(
  { server, sink, exchanges, secrets, key }: Issuing,
  method: string,
  path: string,
  given: Sending = {},
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
): Promise<any> {
  const secret = given.key === undefined ? key : given.key
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
      ...(given.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...given.headers,
    },
    ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
  })
  const text = await response.text()
  const body = text === '' ? undefined : JSON.parse(text)
  const about = `${method} ${path}`
  const shows: string[] = []
  if (given.shows !== undefined) {
    assert.equal(typeof body[given.shows], 'string', `${about} ${text}`)
    shows.push(body[given.shows])
    secrets.set(`${about} ${exchanges.length}`, body[given.shows])
  }
  // Without a mail server this is where mails are read: the links in them are what it is for. With one it shows none.
  if (sink === undefined && path.startsWith(`${ORGANIZATION}/mails`)) {
    for (const row of body.data) if (row.body !== null) shows.push(tokenOf(row.body))
  }
  const headers = JSON.stringify([...response.headers])
  exchanges.push({ about, status: response.status, text: `${headers} ${text}`, shows })
  return body
}

/** Does what mails a token, and keeps the token. */
async function mailed(
  issuing: Issuing,
  about: string,
  [path, body]: readonly [path: string, body: object],
): Promise<void> {
  const { sink, secrets } = issuing
  const count = (sink?.mails.length ?? 0) + 1
  await send(issuing, 'POST', path, { body })
  await sink?.arrived(count)
  const mail = sink === undefined ? await newestInOutbox(issuing) : sink.mails.at(-1)!
  secrets.set(`${about} (mailed)`, tokenOf(mail))
}

async function newestInOutbox(issuing: Issuing): Promise<{ text: string }> {
  const { data } = await send(issuing, 'GET', `${ORGANIZATION}/mails?limit=1000`)
  return data.at(-1).body
}

/** Every operation of every surface that makes a secret, or takes one to keep. */
async function issueEverything(issuing: Issuing): Promise<void> {
  const root = issuing.key
  const owner = { email: 'owner@acme.example' }
  await send(issuing, 'POST', '/directory/v1/organizations', {
    key: root,
    body: { name: 'Acme', slug: 'acme', owner },
  })
  const all = { name: 'all', scopes: ['*'] }
  issuing.key = (
    await send(issuing, 'POST', `${ORGANIZATION}/api_keys`, { key: root, body: all, shows: 'key' })
  ).key
  const replayed = { body: { name: 'again', scopes: ['*'] }, headers: { 'idempotency-key': 'key' } }
  await send(issuing, 'POST', `${ORGANIZATION}/api_keys`, { ...replayed, shows: 'key' })
  await send(issuing, 'POST', `${ORGANIZATION}/api_keys`, replayed)
  await send(issuing, 'POST', '/v1/auth/access-tokens', {
    body: { grant_type: 'client_credentials' },
    shows: 'access_token',
  })

  const oidc = { client_secret: CLIENT_SECRETS[0] }
  const provider = { name: 'IdP', scim: { enabled: true }, oidc }
  const { id } = await send(issuing, 'POST', `${ORGANIZATION}/identity_providers`, { body: provider })
  await send(issuing, 'POST', `${ORGANIZATION}/identity_providers/${id}/scim_tokens`, { shows: 'token' })
  const refused = { client_secret: CLIENT_SECRETS[2], issuer: 'https://127.0.0.1/' }
  await send(issuing, 'PATCH', `${ORGANIZATION}/identity_providers/${id}`, { body: { oidc: refused } })
  const configs = '/api/organizations/@current/identity_provider_configs/'
  const config = { name: 'Config', scim_enabled: true, oidc_client_secret: CLIENT_SECRETS[1] }
  const made = await send(issuing, 'POST', configs, { body: config, shows: 'scim_bearer_token' })
  await send(issuing, 'POST', `${configs}${made.id}/scim/token/`, { shows: 'scim_bearer_token' })
  issuing.scim = { path: `/scim/v2/${made.id}`, token: made.scim_bearer_token }
  const domain = { domain: 'acme.example', identity_provider_config: made.id }
  const linked = await send(issuing, 'POST', '/api/organizations/@current/domains/', { body: domain })
  await send(issuing, 'PATCH', `${configs}${made.id}/`, {
    body: { oidc_client_secret: CLIENT_SECRETS[2], unknown: 1 },
  })

  const integration = { kind: 'x', secrets: { token: INTEGRATION_SECRETS[0] } }
  await send(issuing, 'POST', `${ORGANIZATION}/integrations`, { body: integration })
  await send(issuing, 'POST', `${ORGANIZATION}/integrations`, {
    body: { ...integration, kind: '', secrets: { token: INTEGRATION_SECRETS[1] } },
  })

  await send(issuing, 'POST', `${ORGANIZATION}/workspaces`, { body: { name: 'Space', slug: 'space' } })
  const email = (name: string) => ({ email: `${name}@people.example` })
  const mails = {
    'an invitation': [`${ORGANIZATION}/invitations`, email('one')],
    'invitations together': [`${ORGANIZATION}/invitations/bulk`, { invitations: [email('two')] }],
    'an invite of OpenAI': ['/v1/organization/invites', { ...email('three'), role: 'reader' }],
    'an invite of PostHog': ['/api/organizations/@current/invites/', { target_email: email('four').email }],
    'an invitation of Plane': ['/api/v1/workspaces/space/invitations/', { ...email('five'), role: 15 }],
  } as const
  for (const [about, request] of Object.entries(mails)) await mailed(issuing, about, request)
  assert.equal(linked.domain, 'acme.example')
}

/** Requests that fail, and some that do not, with every secret where one may stand by right or by mistake. */
async function carryThemEverywhere(issuing: Issuing): Promise<void> {
  const { secrets } = issuing
  const { path: scim, token } = issuing.scim!
  for (const secret of secrets.values()) {
    const encoded = encodeURIComponent(secret)
    await send(issuing, 'GET', `${scim}/Users`, { key: secret })
    for (const tail of [`/Users/${encoded}`, `/nothing/${encoded}`, `/Users?count=${encoded}`]) {
      await send(issuing, 'GET', `${scim}${tail}`, { key: token })
    }
    await send(issuing, 'POST', `${scim}/Users`, {
      key: token,
      body: { password: secret },
    })
    for (const path of [
      ORGANIZATION,
      '/v1/groups',
      '/v1/organization/users',
      '/api/organizations/@current/',
    ]) {
      await send(issuing, 'GET', path, { key: secret })
    }
    for (const path of [
      ...[`/directory/v1/organizations/${encoded}`, `${ORGANIZATION}/members/${encoded}`],
      ...[`${ORGANIZATION}/api_keys/${encoded}`, `/directory/v1/nothing/${encoded}`, `/nothing/${encoded}`],
      ...[
        `/v1/groups/${encoded}`,
        `/v1/organization/users/${encoded}`,
        `/v1/organization/nothing/${encoded}`,
      ],
      ...[`/api/v1/workspaces/${encoded}/members/`, `/api/v1/workspaces/space/nothing/${encoded}/`],
      ...[
        `/api/organizations/@current/invites/${encoded}/`,
        `/api/organizations/@current/nothing/${encoded}/`,
      ],
      ...[`${ORGANIZATION}/groups?after=${encoded}`, `${ORGANIZATION}/groups?limit=${encoded}`],
    ]) {
      await send(issuing, 'GET', path)
    }
    for (const body of [{ token: [secret] }, { token: secret, extra: secret }, { token: `${secret}x` }]) {
      await send(issuing, 'POST', '/directory/v1/invitation_lookups', { key: null, body })
    }
    await send(issuing, 'POST', `${ORGANIZATION}/api_keys`, { body: { name: { secret }, scopes: [secret] } })
    await send(issuing, 'POST', `${ORGANIZATION}/members`, { body: { email: secret } })
    await send(issuing, 'POST', `${ORGANIZATION}/groups`, {
      body: { name: 'G' },
      headers: { 'if-match': secret },
    })
    await send(issuing, 'POST', '/v1/groups', { body: { name: 7, external_reference_id: [secret] } })
    await send(issuing, 'PATCH', ORGANIZATION, { body: { settings: secret } })
  }
  const invitations = [...secrets].filter(([about]) => isMailed(about))
  assert.equal(invitations.length, 5)
  for (const [, secret] of invitations) {
    const body = { token: secret, email: 'nobody@people.example' }
    await send(issuing, 'POST', '/directory/v1/invitation_acceptances', { key: null, body })
  }
  // Some are used for good.
  for (const [, secret] of invitations.slice(0, 2)) {
    await send(issuing, 'POST', '/directory/v1/invitation_acceptances', {
      key: null,
      body: { token: secret },
    })
  }
}

/** Every list that is there without naming a thing, and every change by itself. */
async function readEverything(issuing: Issuing): Promise<void> {
  const { paths } = await send(issuing, 'GET', '/openapi.json', { key: null })
  for (const [path, methods] of Object.entries<object>(paths)) {
    const known = path
      .replace(/\{org\}/, 'acme')
      .replace(/\{organization_id\}/, '@current')
      .replace(/\{slug\}/, 'space')
    if ('get' in methods && !known.includes('{')) await send(issuing, 'GET', known)
  }
  const { data } = await send(issuing, 'GET', `${ORGANIZATION}/changes?limit=1000`)
  for (const { id } of data) await send(issuing, 'GET', `${ORGANIZATION}/changes/${id}`)
}
