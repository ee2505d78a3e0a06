/**
 * What an organization's people, grants and changes have to be after each operation, written from the rules and
 * not from the SQL: the property tests and campaigns compare the database with it. Slow and simple on purpose.
 */
export type Status = 'active' | 'suspended' | 'removed'
export type Source = 'manual' | 'api' | 'member_sync'
/** When a grant ends by itself: not at all, later than the test runs, or before now. */
export type Expiry = 'never' | 'later' | 'past'
/** The target of an organization's owners; every other target is a group's id. */
export const OWNER = 'owner'

export interface Person {
  id: string
  email: string | null
  displayName: string | null
  firstName: string | null
  lastName: string | null
  ref: string | null
  attributes: Record<string, unknown>
  status: Status
  mergedInto: string | null
}

export interface Grant {
  target: string
  member: string
  source: Source
  expiry: Expiry
  /** The number of the change that opened it, and of the one that ended it. */
  opened: number
  ended: number | null
}

export interface Change {
  seq: number
  kind: string
  opened: number
  ended: number
  member: string | null
  group: string | null
  /** The status a member had before, where the change set one. */
  before: Status | null
  undoes: number | null
}

export interface State {
  people: Person[]
  groups: { id: string; deletedBy: number | null }[]
  grants: Grant[]
  changes: Change[]
}

/** An operation the rules refuse, with the code that says so. */
export class Refused extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

export function refuseIf(condition: boolean, code: string): void {
  if (condition) throw new Refused(code)
}

export const keyOf = (email: string | null) => email?.toLowerCase() ?? null
export const isLive = (grant: Grant) => grant.ended === null
const sameGrant = (one: Grant, other: Grant) =>
  one.target === other.target && one.member === other.member && one.source === other.source

export function person(state: State, id: string): Person {
  const found = state.people.find((one) => one.id === id)
  if (found === undefined) throw new Refused('member.not_found')
  return found
}

export function liveGroup(state: State, id: string): void {
  const group = state.groups.find((one) => one.id === id)
  refuseIf(group === undefined || group.deletedBy !== null, 'group.not_found')
}

/** Collects what one operation does to grants; `record` makes the change of it. */
export class Effects {
  readonly seq: number
  readonly #state: State
  #opened = 0
  #ended = 0

  constructor(state: State) {
    this.#state = state
    this.seq = state.changes.length + 1
  }

  get counts() {
    return { opened: this.#opened, ended: this.#ended }
  }

  open(grant: Pick<Grant, 'target' | 'member' | 'source' | 'expiry'>): void {
    this.#state.grants.push({ ...grant, opened: this.seq, ended: null })
    this.#opened++
  }

  end(doomed: (grant: Grant) => boolean): void {
    for (const grant of this.#state.grants) {
      if (!isLive(grant) || !doomed(grant)) continue
      grant.ended = this.seq
      this.#ended++
    }
  }

  record(kind: string, about: Partial<Change> = {}): void {
    const nothing = { member: null, group: null, before: null, undoes: null }
    this.#state.changes.push({ ...nothing, ...about, kind, seq: this.seq, ...this.counts })
  }
}

/** An email belongs to one member who is not removed, a reference id to one member whatever its status. */
export function requireUnique(state: State, self: Person): void {
  const others = state.people.filter((one) => one !== self)
  const key = keyOf(self.email)
  const emailTaken =
    self.status !== 'removed' &&
    key !== null &&
    others.some((one) => one.status !== 'removed' && keyOf(one.email) === key)
  refuseIf(emailTaken, 'member.email_taken')
  const referenceTaken = self.ref !== null && others.some((one) => one.ref === self.ref)
  refuseIf(referenceTaken, 'member.external_reference_id_taken')
}

export function requireOwner(state: State): void {
  const lasting = state.grants.some(
    (grant) =>
      isLive(grant) &&
      grant.target === OWNER &&
      grant.expiry === 'never' &&
      person(state, grant.member).status === 'active',
  )
  refuseIf(!lasting, 'organization.last_owner')
}

const SETS_STATUS: Record<string, Status> = {
  'member.suspended': 'suspended',
  'member.reactivated': 'active',
  'member.removed': 'removed',
}
const UNDOABLE = new Set([
  'group.member_added',
  'group.member_removed',
  'group.members_synced',
  'group.deleted',
  'change.undone',
  ...Object.keys(SETS_STATUS),
])

/** Undo of an undo that set a status is left out of what the tests do: what it should mean is not decided. */
export function isUndoOfStatus(state: State, seq: number): boolean {
  const undone = state.changes[seq - 1]?.undoes
  if (undone === null || undone === undefined) return false
  const { kind } = state.changes[undone - 1]!
  return kind in SETS_STATUS || kind === 'group.deleted' || isUndoOfStatus(state, undone)
}

/** Whether a change (or the undo of one) is the latest that set this member's status. */
function isLatestStatus(state: State, change: Change): boolean {
  const sets = ({ kind, undoes }: Change): boolean =>
    kind in SETS_STATUS || (undoes !== null && state.changes[undoes - 1]!.kind in SETS_STATUS)
  return !state.changes.some(
    (later) => later.seq > change.seq && later.member === change.member && sets(later),
  )
}

/** Gives back what a change ended and nobody touched since, and ends what it opened. */
export function undo(state: State, seq: number): { refused: number } {
  const change = state.changes[seq - 1]!
  refuseIf(
    state.changes.some((later) => later.undoes === seq),
    'change.already_undone',
  )
  refuseIf(!UNDOABLE.has(change.kind), 'change.not_undoable')
  const effects = new Effects(state)
  const statusBack = undoStatus(state, change)
  effects.end((grant) => grant.opened === seq)
  let refused = 0
  for (const grant of state.grants.filter((one) => one.ended === seq)) {
    const touched = state.grants.some(
      (other) => sameGrant(other, grant) && (isLive(other) || other.opened > seq),
    )
    const target = state.groups.find((group) => group.id === grant.target)
    const gone = grant.expiry === 'past' || (target !== undefined && target.deletedBy !== null)
    if (gone || touched || person(state, grant.member).status === 'removed') refused++
    else effects.open(grant)
  }
  const { opened, ended } = effects.counts
  refuseIf(!statusBack && opened === 0 && ended === 0, 'change.not_undoable')
  requireOwner(state)
  effects.record('change.undone', { member: change.member, group: change.group, undoes: seq })
  return { refused }
}

function undoStatus(state: State, change: Change): boolean {
  if (change.kind === 'group.deleted') {
    const group = state.groups.find((one) => one.id === change.group)!
    group.deletedBy = null
    return true
  }
  const set = SETS_STATUS[change.kind]
  if (set === undefined) return false
  const member = person(state, change.member!)
  const untouched = member.status === set && member.mergedInto === null && isLatestStatus(state, change)
  refuseIf(!untouched, 'change.not_undoable')
  member.status = change.before!
  requireUnique(state, member)
  return true
}

/** The same person comes back: the undo of the change that removed it last. */
export function restore(state: State, id: string): void {
  const member = person(state, id)
  refuseIf(member.status !== 'removed', 'member.wrong_status')
  const removal = state.changes.findLast((one) => one.member === id && one.kind === 'member.removed')
  refuseIf(member.mergedInto !== null || removal === undefined, 'change.not_undoable')
  undo(state, removal!.seq)
}
