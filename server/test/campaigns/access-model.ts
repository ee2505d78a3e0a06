/**
 * Who has which role where, and what every operation does to that, written from the rules and not from the SQL: the
 * property test and the campaign of access compare the database with it. Slow and simple on purpose.
 */
import { Refused, refuseIf, type Status } from './directory-model.ts'

export type Source = 'manual' | 'api' | 'member_sync'
export type PlaceKind = 'organization' | 'workspace' | 'project'
/** The organization as a target; every other one is the id of a workspace or a project. */
export const ORGANIZATION = 'organization'
/** Later than every moment that has passed, earlier than every end that is still to come. */
export const NOW = '2050-01-01T00:00:00.000000Z'

export interface Place {
  id: string
  kind: PlaceKind
  /** Of a project: the workspace it is in, or null. */
  workspace: string | null
}

export interface Role {
  id: string
  resource: PlaceKind
  /** Of a predefined role. */
  key: string | null
  /** The one workspace or project it is of. */
  home: string | null
  permissions: readonly string[]
  deletedBy: number | null
}

export interface Grant {
  kind: 'role' | 'membership'
  /** Who has it: a member, or a group that has a role. */
  subject: string
  /** The role or the group. */
  of: string
  /** Where a role holds. */
  place: string
  source: Source
  /** The moment at which it ends by itself. */
  expires: string | null
  /** The number of the change that opened it, and of the one that ended it. */
  opened: number
  ended: number | null
  /** What the database calls a role that is given. */
  id: string | null
}

export interface Change {
  seq: number
  kind: string
  opened: number
  ended: number
  member: string | null
  group: string | null
  role: string | null
  /** The status a member had before, where the change set one. */
  before: Status | null
  undoes: number | null
  /** The database's own. */
  id: string
  at: string
}

export interface State {
  members: Record<string, { status: Status; mergedInto: string | null; ref: string | null }>
  groups: Record<string, { deletedBy: number | null }>
  roles: Record<string, Role>
  places: Record<string, Place>
  grants: Grant[]
  changes: Change[]
}

export const isLive = (grant: Grant) => grant.ended === null
/** What has an end is gone at that moment, whether or not anything has recorded it. */
export const isOver = (grant: Grant, at: string) => grant.expires !== null && grant.expires <= at
export const isHeld = (grant: Grant) => isLive(grant) && !isOver(grant, NOW)
export const isSame = (one: GrantName, other: GrantName) =>
  one.kind === other.kind &&
  one.subject === other.subject &&
  one.of === other.of &&
  one.place === other.place &&
  one.source === other.source

export type GrantName = Pick<Grant, 'kind' | 'subject' | 'of' | 'place' | 'source'>

export const roleGiven = (subject: string, role: string, place: string, source: Source): GrantName => ({
  kind: 'role',
  ...{ subject, of: role, place, source },
})
export const membershipGiven = (member: string, group: string, source: Source): GrantName => ({
  kind: 'membership',
  ...{ subject: member, of: group, place: '', source },
})

/** Collects what one operation does to grants; `record` makes the change of it. */
export class Effects {
  readonly seq: number
  readonly #state: State
  opened = 0
  ended = 0

  constructor(state: State) {
    this.#state = state
    this.seq = state.changes.length + 1
  }

  open(grant: GrantName, expires: string | null): void {
    this.#state.grants.push({ ...grant, expires, opened: this.seq, ended: null, id: null })
    this.opened++
  }

  end(doomed: (grant: Grant) => boolean): void {
    for (const grant of this.#state.grants) {
      if (!isLive(grant) || !doomed(grant)) continue
      grant.ended = this.seq
      this.ended++
    }
  }

  /** Gives what one source gives, until an end: the same again is nothing, another end takes the old one's place. */
  give(grant: GrantName, expires: string | null): void {
    const own = this.#state.grants.find((one) => isLive(one) && isSame(one, grant))
    if (own !== undefined && own.expires === expires) return
    this.end((one) => one === own)
    this.open(grant, expires)
  }

  record(kind: string, about: Partial<Change> = {}): void {
    const nothing = { member: null, group: null, role: null, before: null, undoes: null }
    const { seq, opened, ended } = this
    const change = { ...nothing, ...about, kind, seq, opened, ended, id: '', at: '' }
    this.#state.changes.push(change)
    requireAdmins(this.#state, change)
    requireGuestLimits(this.#state, change)
  }
}

const ADMINS: Record<string, readonly string[]> = { workspace: ['owner', 'admin'], project: ['admin'] }

/** A workspace, and a project in one, that loses an admin of its own keeps one who is active; time is not refused. */
function requireAdmins(state: State, change: Change): void {
  if (change.kind === 'grants.expired') return
  const undone = change.undoes === null ? undefined : state.changes[change.undoes - 1]!
  const suspends =
    change.kind === 'member.suspended' ||
    undone?.kind === 'member.reactivated' ||
    (/^member\.(removed|left)$/.test(undone?.kind ?? '') && undone?.before === 'suspended')
  const isAdmin = (grant: Grant) => {
    const place = state.places[grant.place]
    if (grant.kind !== 'role' || place === undefined || state.members[grant.subject] === undefined)
      return false
    if (place.kind === 'project' && place.workspace === null) return false
    return ADMINS[place.kind]?.includes(state.roles[grant.of]!.key ?? '') ?? false
  }
  const lost = state.grants.filter(
    (grant) =>
      isAdmin(grant) &&
      (grant.ended === change.seq || (suspends && isLive(grant) && grant.subject === change.member)),
  )
  const isKept = (place: string) =>
    state.grants.some(
      (grant) =>
        grant.place === place &&
        isAdmin(grant) &&
        isHeld(grant) &&
        state.members[grant.subject]!.status === 'active',
    )
  const bereft = lost.filter((grant) => !isKept(grant.place)).map((grant) => state.places[grant.place]!.kind)
  refuseIf(bereft.includes('project'), 'project.sole_admin')
  refuseIf(bereft.includes('workspace'), 'workspace.sole_admin')
}

/** Who has nothing on a workspace of its own but the role of guests has little on its projects. */
function requireGuestLimits(state: State, change: Change): void {
  const workspaceOf = (grant: Grant) => {
    const place = state.places[grant.place]
    return place?.kind === 'workspace' ? place.id : (place?.workspace ?? null)
  }
  const isOwn = (grant: Grant) => grant.kind === 'role' && state.members[grant.subject] !== undefined
  for (const given of state.grants) {
    const workspace = workspaceOf(given)
    if (!isOwn(given) || given.opened !== change.seq || !isLive(given) || workspace === null) continue
    const held = state.grants.filter((one) => isOwn(one) && one.subject === given.subject && isHeld(one))
    const there = held.filter((one) => one.place === workspace)
    const isGuest = there.length > 0 && there.every((one) => isKey(state, one, 'guest'))
    const above = held.some(
      (one) =>
        one.place !== workspace &&
        workspaceOf(one) === workspace &&
        !['guest', 'commenter', 'viewer'].includes(state.roles[one.of]!.key ?? ''),
    )
    refuseIf(isGuest && above, 'role.guest_limit')
  }
}

export function requireMember(state: State, id: string) {
  const member = state.members[id]
  if (member === undefined) throw new Refused('member.not_found')
  return member
}

export function requireGroup(state: State, id: string): void {
  const group = state.groups[id]
  refuseIf(group === undefined || group.deletedBy !== null, 'group.not_found')
}

export function requireRole(state: State, id: string): Role {
  const role = state.roles[id]
  if (role === undefined || role.deletedBy !== null) throw new Refused('role.not_found')
  return role
}

export const predefined = (state: State, resource: PlaceKind, key: string): Role =>
  Object.values(state.roles).find((role) => role.resource === resource && role.key === key)!

const isKey = (state: State, grant: Grant, key: string) => state.roles[grant.of]!.key === key
const isOnOrganization = (grant: Grant) => grant.kind === 'role' && grant.place === ORGANIZATION

/** An organization keeps an active owner whose own grant has no end. */
export function requireOwner(state: State): void {
  const lasting = state.grants.some(
    (grant) =>
      isLive(grant) &&
      isOnOrganization(grant) &&
      isKey(state, grant, 'owner') &&
      grant.expires === null &&
      state.members[grant.subject]?.status === 'active',
  )
  refuseIf(!lasting, 'organization.last_owner')
}

export function requireHeld(effects: Effects, code: string): void {
  refuseIf(effects.ended === 0, code)
}
