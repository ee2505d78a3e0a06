import { setTimeout as sleep } from 'node:timers/promises'
import { describeDifference } from './difference.ts'
import { HttpClient, Unanswered } from './http-client.ts'
import { OrganizationClient, toSlug } from './organization-client.ts'
import { OwnServer } from './own-server.ts'
import { ScimConnection, type ScimUser, scimUserBody } from './scim-connection.ts'
import { seededRandom } from './seeded-random.ts'

export interface ScimCrashOptions {
  readonly kills: number
  readonly seed: number
  /** Operations of one bulk request, 1,000 at most; a fifth of them are groups. */
  readonly operations: number
  readonly onKill?: (what: string) => void
}

export interface ScimCrashReport {
  readonly kills: number
  /** Rounds whose kill met the bulk request before its answer. */
  readonly unanswered: number
  /** Operations that had been carried out when the server was killed, in all rounds. */
  readonly survived: number
  readonly mismatches: readonly string[]
}

/** How often is looked whether the server is to be killed. */
const POLL_MILLIS = 2
/** Users in each group of a round. */
const MEMBERS = 4
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'

/**
 * Kills a server with `kill -9` during bulk requests. After its start each operation has been carried out whole or not
 * at all, in their order and as one change, and the same request again creates what is missing and nothing twice.
 */
export async function runScimCrashCampaign(options: ScimCrashOptions): Promise<ScimCrashReport> {
  const { kills, seed, operations, onKill } = options
  const random = seededRandom(seed)
  const server = await OwnServer.start()
  const mismatches: string[] = []
  let unanswered = 0
  let survived = 0
  try {
    const root = new HttpClient(server.url, server.rootKey)
    for (let kill = 0; kill < kills; kill++) {
      // By what is there and not by a time: how long a request takes is another on every machine and in every round.
      const killAt = random.below(operations)
      const outcome = await round(root, server, `round-${kill}`, operations, killAt)
      onKill?.(`killed at ${killAt}: ${outcome.survived} of ${operations} operations were carried out`)
      mismatches.push(...outcome.mismatches.map((text) => `round ${kill} (killed at ${killAt}): ${text}`))
      survived += outcome.survived
      if (outcome.isUnanswered) unanswered++
    }
  } finally {
    await server.stop()
  }
  return { kills, unanswered, survived, mismatches }
}

interface Round {
  readonly isUnanswered: boolean
  readonly survived: number
  readonly mismatches: string[]
}

async function round(
  root: HttpClient,
  server: OwnServer,
  name: string,
  count: number,
  killAt: number,
): Promise<Round> {
  const organization = await OrganizationClient.open(root, name, toSlug('', name))
  const connection = await ScimConnection.open(organization)
  const baseline = (await organization.changesAfter(0)).length
  const wanted = plan(name, count)
  const sent = connection.bulk(wanted.map(({ operation }) => operation)).catch((error: unknown) => {
    if (error instanceof Unanswered) return undefined
    throw error
  })
  let isSent = false
  const end = () => {
    isSent = true
  }
  sent.then(end, end)
  const isMet = async () => (await organization.changesAfter(baseline + killAt - 1, 1)).length > 0
  while (!isSent && !(await isMet())) await sleep(POLL_MILLIS)
  await server.kill()
  await server.startAgain()
  const answered = await sent
  const mismatches: string[] = []
  const there = await read(connection)
  mismatches.push(...whatIsNotWhole(wanted, there))
  const changes = (await organization.changesAfter(0)).length - baseline
  if (changes !== there.size) mismatches.push(`${there.size} resources, but ${changes} changes`)
  if (answered !== undefined) mismatches.push(...compareStatuses(answered, wanted, new Map()))
  const again = await connection.bulk(wanted.map(({ operation }) => operation))
  mismatches.push(...compareStatuses(again, wanted, there))
  return {
    ...{ isUnanswered: answered === undefined, survived: there.size },
    mismatches: [...mismatches, ...(await compareEnd(connection, wanted, there))],
  }
}

interface Wanted {
  readonly key: string
  readonly operation: { readonly bulkId: string }
  /** Of a group: whom it is to hold. */
  readonly memberKeys?: readonly string[]
}

/** Users, and after every four of them a group of these. */
function plan(name: string, count: number): Wanted[] {
  return Array.from({ length: count }, (_, index): Wanted => {
    const bulkId = `b${index}`
    if (index % (MEMBERS + 1) !== MEMBERS) {
      const key = `user-${index}@${name}.example`
      return { key, operation: operationOf(bulkId, '/Users', scimUserBody(key)) }
    }
    const key = `group ${index}`
    const places = Array.from({ length: MEMBERS }, (_, back) => index - MEMBERS + back)
    const members = places.map((place) => ({ value: `bulkId:b${place}` }))
    const data = { schemas: [GROUP], displayName: key, members }
    const memberKeys = places.map((place) => `user-${place}@${name}.example`)
    return { key, memberKeys, operation: operationOf(bulkId, '/Groups', data) }
  })
}

const operationOf = (bulkId: string, path: string, data: unknown) => ({ method: 'POST', path, bulkId, data })

/** What is there by the names of users and groups; of a group, the names of its members. */
async function read(connection: ScimConnection): Promise<Map<string, ReadonlySet<string>>> {
  const there = new Map<string, ReadonlySet<string>>()
  const names = new Map<string, string>()
  for await (const { id, userName } of connection.list<ScimUser>('Users')) {
    names.set(id, userName)
    there.set(userName, new Set())
  }
  for await (const { displayName, members = [] } of connection.list<ScimGroup>('Groups')) {
    there.set(displayName, new Set(members.map(({ value }) => names.get(value) ?? value)))
  }
  return there
}

interface ScimGroup {
  readonly displayName: string
  readonly members?: readonly { readonly value: string }[]
}

function whatIsNotWhole(
  wanted: readonly Wanted[],
  there: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const mismatches: string[] = []
  const first = wanted.findIndex(({ key }) => !there.has(key))
  if (first >= 0 && first !== there.size) mismatches.push(`operation ${first} is missing before others`)
  for (const { key, memberKeys } of wanted) {
    const found = there.get(key)
    if (found === undefined || memberKeys === undefined) continue
    const difference = describeDifference(new Set(memberKeys), found)
    if (difference !== undefined) mismatches.push(`half a group: ${difference}`)
  }
  return mismatches
}

/** 201 for what was missing, 409 for what was there; a group of users who were there already cannot refer to them. */
function compareStatuses(
  results: readonly { readonly bulkId?: string; readonly status: string }[],
  wanted: readonly Wanted[],
  there: ReadonlyMap<string, unknown>,
): string[] {
  const found = new Map(results.map(({ bulkId, status }) => [bulkId, status]))
  return wanted.flatMap(({ key, memberKeys, operation }) => {
    const isReferring = memberKeys?.some((member) => there.has(member)) ?? false
    const expected = isReferring ? '400' : there.has(key) ? '409' : '201'
    const status = found.get(operation.bulkId)
    return status === expected ? [] : [`${key} was answered with ${status} instead of ${expected}`]
  })
}

/** Everybody is there, once; and every group but the one whose users were there before it. */
async function compareEnd(
  connection: ScimConnection,
  wanted: readonly Wanted[],
  before: ReadonlyMap<string, unknown>,
): Promise<string[]> {
  const there = await read(connection)
  const expected = wanted.filter(
    ({ key, memberKeys }) => before.has(key) || !(memberKeys ?? []).some((member) => before.has(member)),
  )
  const difference = describeDifference(new Set(expected.map(({ key }) => key)), new Set(there.keys()))
  return [
    ...(difference === undefined ? [] : [`after the request was sent again: ${difference}`]),
    ...whatIsNotWhole(expected, there),
  ]
}
