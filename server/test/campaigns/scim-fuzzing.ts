import { Agent, request } from 'node:http'
import { HttpClient } from '../../../cli/replay/http-client.ts'
import { OrganizationClient } from '../../../cli/replay/organization-client.ts'
import { ScimConnection } from '../../../cli/replay/scim-connection.ts'
import { type ServerProcess, startServerProcess } from '../server-process.ts'
import { type FuzzedRequest, ScimRequests } from './scim-requests.ts'
import { ServerInspector } from './server-inspector.ts'

const ROOT_KEY = 'root-key-of-the-fuzzing'
/** In every value of the other organization, and in no request. */
const SECRET = 'Zyzzyva'
/** Connections of the fuzzed organization, and requests under way of each. */
const CONNECTIONS = 3
const LANES = 3
const VICTIMS = 20
/** Times at which memory is looked at. */
const SAMPLES = 12

export interface FuzzReport {
  readonly requests: number
  /** How often each status was answered; 0: the connection ended without an answer. */
  readonly statuses: Readonly<Record<number, number>>
  /** Memory in use after a collection, in MB, in the order of time. */
  readonly heapMegabytes: readonly number[]
  readonly peakMegabytes: number
  /** Everything that is not as it should be, a sentence each. */
  readonly failures: readonly string[]
}

export interface FuzzOptions {
  readonly seed: number
  readonly requests: number
  readonly onSample?: (done: number, heapMegabytes: number) => void
}

const FAILURES_MAX = 20

/**
 * Sends odd requests to a server of its own, of several clients at once: none may be answered with a fault, none may
 * show or change what another organization has, and the server's memory may not grow with them.
 */
export async function fuzzScim({ seed, requests, onSample }: FuzzOptions): Promise<FuzzReport> {
  const server = await startServerProcess({
    env: { ROLLCALL_ROOT_KEY: ROOT_KEY, LOG_LEVEL: 'error', NODE_OPTIONS: '--inspect=127.0.0.1:0' },
  })
  const inspector = await ServerInspector.open(server)
  const root = new HttpClient(server.url, ROOT_KEY)
  const victim = await openVictim(root)
  const before = await victim.state()
  const organization = await OrganizationClient.open(root, 'Fuzzed', 'fuzzed')
  const failures: string[] = []
  const statuses: Record<number, number> = {}
  const heapMegabytes: number[] = []
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, number) => {
      const connection = await ScimConnection.open(organization)
      const made = new ScimRequests(seed + number, `c${number}`, victim.ids)
      return { connection, made, agent: new Agent({ keepAlive: true, maxSockets: LANES }) }
    }),
  )
  let sent = 0
  const lane = async ({ connection, made, agent }: (typeof clients)[number], until: number) => {
    while (sent < until && failures.length < FAILURES_MAX) {
      sent++
      const fuzzed = made.next()
      const { status, text } = await exchange(server, connection, fuzzed, agent)
      statuses[status] = (statuses[status] ?? 0) + 1
      if (status >= 500 && status !== 501)
        failures.push(`${status} for ${describe(fuzzed)}: ${text.slice(0, 300)}`)
      if (text.includes(SECRET))
        failures.push(`a value of another organization in the answer to ${describe(fuzzed)}`)
      const id = status === 201 ? /"id":"([0-9a-f-]{36})"/.exec(text)?.[1] : undefined
      if (id !== undefined) made.learn(fuzzed.path.startsWith('/Groups') ? 'group' : 'user', id)
    }
  }
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const until = Math.ceil((requests * sample) / SAMPLES)
    await Promise.all(clients.flatMap((client) => Array.from({ length: LANES }, () => lane(client, until))))
    const megabytes = await inspector.heapMegabytes()
    heapMegabytes.push(megabytes)
    onSample?.(sent, megabytes)
  }
  for (const { agent } of clients) agent.destroy()
  if ((await victim.state()) !== before) failures.push('another organization has changed')
  if (/"level":(50|60)/.test(server.stderr)) failures.push(`the log says: ${server.stderr.slice(-2000)}`)
  failures.push(...growthOf(heapMegabytes))
  const peakMegabytes = await inspector.peakMegabytes()
  inspector.close()
  return { requests: sent, statuses, heapMegabytes, peakMegabytes, failures }
}

/** Megabytes that caches, code and pools may still take after the first third. */
const GROWTH_MEGABYTES_MAX = 15

function growthOf(samples: readonly number[]): string[] {
  const third = Math.floor(samples.length / 3)
  const early = Math.max(...samples.slice(0, third))
  const late = Math.min(...samples.slice(-third))
  if (late - early <= GROWTH_MEGABYTES_MAX) return []
  return [`memory grew from ${early.toFixed(1)} to ${late.toFixed(1)} MB`]
}

const describe = ({ method, path, headers, body }: FuzzedRequest) =>
  `${method} ${path.slice(0, 300)} ${JSON.stringify(headers)} ${(body?.toString() ?? '').slice(0, 600)}`

function exchange(
  server: ServerProcess,
  connection: ScimConnection,
  { method, path, headers, body }: FuzzedRequest,
  agent: Agent,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const options = {
      ...{ method, agent, path: connection.path + path },
      headers: {
        ...{ authorization: `Bearer ${connection.token}`, ...headers },
        ...(body === undefined ? {} : { 'content-length': String(body.length) }),
      },
    }
    const none = () => resolve({ status: 0, text: '' })
    const asked = request(server.url, options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.once('error', none)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.once('error', none)
    asked.end(body)
  })
}

/** An organization that nobody asks about; everything in it has the secret in its name. */
async function openVictim(root: HttpClient) {
  const organization = await OrganizationClient.open(root, `${SECRET} Inc`, 'victim')
  const connection = await ScimConnection.open(organization)
  const users: string[] = []
  for (let number = 0; number < VICTIMS; number++) {
    const fields = { displayName: `${SECRET} ${number}`, externalId: `${SECRET}-${number}` }
    users.push((await connection.createUser(`${SECRET}-${number}@victim.example`, fields)).id)
  }
  const group = await connection.createGroup(`${SECRET} group`)
  await connection.patchMembers(group, 'add', users)
  return {
    ids: { users: users.slice(0, 3), groups: [group] },
    /** Everything that can be seen of it, as one text. */
    async state(): Promise<string> {
      const seen: unknown[] = []
      for await (const user of connection.list('Users')) seen.push(user)
      for await (const one of connection.list('Groups')) seen.push(one)
      for await (const member of organization.list('/members')) seen.push(member)
      seen.push(await organization.changesAfter(0))
      return JSON.stringify(seen)
    },
  }
}
