import { predefinedRoles } from '#src/directory/roles/predefined.ts'
import { type Grant, isOver, ORGANIZATION, type Role, type State } from './access-model.ts'
import type { Status } from './directory-model.ts'

/** What held after one change: with these of all moments, the past is asked like the present. */
export interface Moment {
  readonly at: string
  readonly statuses: Record<string, Status>
  /** Places in the list of grants of those that had not ended. */
  readonly live: readonly number[]
  readonly permissions: Record<string, readonly string[]>
}

export function momentOf(state: State): Moment {
  const statuses = Object.entries(state.members).map(([id, { status }]) => [id, status] as const)
  const permissions = Object.values(state.roles).map((role) => [role.id, givenBy(role)] as const)
  return {
    at: state.changes.at(-1)!.at,
    statuses: Object.fromEntries(statuses),
    live: state.grants.flatMap((grant, place) => (grant.ended === null ? [place] : [])),
    permissions: Object.fromEntries(permissions),
  }
}

const EVERYTHING = '*'

function givenBy(role: Role): readonly string[] {
  if (role.key === null) return role.permissions
  const { gives } = predefinedRoles.find(
    ({ resource, key }) => resource === role.resource && key === role.key,
  )!
  return gives === EVERYTHING ? [EVERYTHING] : [...gives]
}

/** What every active member may do on the organization, and so on everything in it. */
const everybodys = new Set(
  predefinedRoles.flatMap(({ key, resource, gives }) =>
    key === 'member' && resource === ORGANIZATION ? [...gives] : [],
  ),
)

/** A question about now (`at` is `NOW`) or about a moment of the past. */
export interface Asked {
  readonly state: State
  readonly moment: Moment
  readonly at: string
  /** The ways of members that were asked about before. */
  readonly known: Map<string, Way[]>
}

const NOTHING: Moment = { at: '', statuses: {}, live: [], permissions: {} }

export function askedAt(state: State, moments: readonly Moment[], at: string): Asked {
  return { state, moment: moments.findLast((moment) => moment.at <= at) ?? NOTHING, at, known: new Map() }
}

/** One way in which a member has a role: its own grant, or a group's and a membership. */
export interface Way {
  readonly role: Grant
  readonly membership: Grant | null
}

/** Who was not there yet is as one who is gone. */
export const statusAt = (asked: Asked, member: string): Status => asked.moment.statuses[member] ?? 'removed'

/** A member's own grants: roles and memberships of groups. */
export function grantsAt(asked: Asked, subject: string): Grant[] {
  const grants = asked.moment.live.map((place) => asked.state.grants[place]!)
  return grants.filter((grant) => grant.subject === subject && !isOver(grant, asked.at))
}

function waysAt(asked: Asked, member: string): Way[] {
  const known = asked.known.get(member)
  if (known !== undefined) return known
  const ways = grantsAt(asked, member).flatMap((grant): Way[] =>
    grant.kind === 'role'
      ? [{ role: grant, membership: null }]
      : grantsAt(asked, grant.of).map((role) => ({ role, membership: grant })),
  )
  asked.known.set(member, ways)
  return ways
}

export interface Check {
  readonly member: string
  readonly permission: string
  readonly place: string
}

export interface Decision {
  readonly allowed: boolean
  readonly status: Status
  readonly ways: Way[]
  readonly lostByEnding: string[]
}

/** What is held on the organization holds on its workspaces and projects, a workspace's on its projects. */
function reaches(state: State, from: string, to: string): boolean {
  return from === ORGANIZATION || from === to || from === state.places[to]!.workspace
}

export function decide(asked: Asked, { member, permission, place }: Check): Decision {
  const status = statusAt(asked, member)
  const { permissions } = asked.moment
  const ways = waysAt(asked, member).filter(({ role }) => {
    const given = permissions[role.of]!
    const gives = given.includes(EVERYTHING) || given.includes(permission)
    return gives && reaches(asked.state, role.place, place)
  })
  const isEverybodys = everybodys.has(permission)
  const allowed = status === 'active' && (isEverybodys || ways.length > 0)
  const lostByEnding = isEverybodys ? ['organization_membership'] : endingOf(ways)
  return { allowed, status, ways, lostByEnding: allowed ? lostByEnding : [] }
}

/** What of a member's own has to end: each of its grants that a way needs. */
export function endingOf(ways: readonly Way[]): string[] {
  const names = ways.map(({ role, membership }) =>
    membership === null ? `role ${role.id}` : `group_membership ${membership.of} ${membership.source}`,
  )
  return [...new Set(names)].sort()
}

export const sinceOf = ({ state }: Asked, grant: Grant): string => state.changes[grant.opened - 1]!.at

/** When it ended or will: by a change, or by itself if that comes first. */
export function untilOf({ state }: Asked, grant: Grant): string | null {
  const ended = grant.ended === null ? null : state.changes[grant.ended - 1]!.at
  return earlier(ended, grant.expires)
}

const earlier = (one: string | null, other: string | null) =>
  one === null || other === null ? (one ?? other) : one < other ? one : other

export interface HeldRole {
  readonly role: string
  readonly place: string
  readonly since: string
  readonly until: string | null
  readonly ways: Way[]
}

/** The roles a member has, each on one target, from the first of its ways to the end of the last. */
export function rolesAt(asked: Asked, member: string): HeldRole[] {
  const byPlace = Map.groupBy(waysAt(asked, member), ({ role }) => `${role.of} ${role.place}`)
  return [...byPlace.values()].map((ways) => {
    const { of, place } = ways[0]!.role
    const begins = ways.map(
      (way) =>
        partsOf(way)
          .map((grant) => sinceOf(asked, grant))
          .sort()
          .at(-1)!,
    )
    const ends = ways.map((way) =>
      partsOf(way)
        .map((grant) => untilOf(asked, grant))
        .reduce(earlier),
    )
    const until = ends.includes(null) ? null : ends.sort().at(-1)!
    return { role: of, place, since: begins.sort()[0]!, until, ways }
  })
}

/** A way through a group is open while both of its grants are. */
const partsOf = ({ role, membership }: Way) => (membership === null ? [role] : [membership, role])
