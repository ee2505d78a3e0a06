import {
  type Change,
  Effects,
  type Grant,
  isLive,
  isOver,
  isSame,
  NOW,
  requireMember,
  requireOwner,
  type State,
} from './access-model.ts'
import { refuseIf, type Status } from './directory-model.ts'

const SETS_STATUS: Record<string, Status> = {
  'member.suspended': 'suspended',
  'member.reactivated': 'active',
  'member.removed': 'removed',
  'member.left': 'removed',
}
const DELETES = new Set(['group.deleted', 'role.deleted'])
const UNDOABLE = new Set([
  ...Object.keys(SETS_STATUS),
  ...DELETES,
  'group.member_added',
  'group.member_removed',
  'group.members_synced',
  'member.level_changed',
  'role.assigned',
  'role.revoked',
  'change.undone',
])

/** The undo of an undo that set more than grants is left out: what it should mean is not decided. */
export function isUndoOfStatus(state: State, seq: number): boolean {
  const undone = state.changes[seq - 1]?.undoes
  if (undone === null || undone === undefined) return false
  const { kind } = state.changes[undone - 1]!
  return kind in SETS_STATUS || DELETES.has(kind) || isUndoOfStatus(state, undone)
}

const isUndone = (state: State, { seq }: Change) => state.changes.some((later) => later.undoes === seq)

/** Whether a change is of a kind that can be undone, and is not undone yet. */
export const isUndoable = (state: State, change: Change) =>
  UNDOABLE.has(change.kind) && !isUndone(state, change)

/** Gives back what a change ended and nobody touched since, and ends what it opened. */
export function undo(state: State, seq: number): { refused: number } {
  const change = state.changes[seq - 1]!
  refuseIf(isUndone(state, change), 'change.already_undone')
  refuseIf(!UNDOABLE.has(change.kind), 'change.not_undoable')
  const effects = new Effects(state)
  const isSetBack = setBack(state, seq)
  effects.end((grant) => grant.opened === seq)
  let refused = 0
  for (const grant of state.grants.filter((one) => one.ended === seq)) {
    const isTouched = state.grants.some(
      (other) => isSame(other, grant) && (isLive(other) || other.opened > seq),
    )
    if (isTouched || isOver(grant, NOW) || cannotBeHeld(state, grant)) refused++
    else effects.open(grant, grant.expires)
  }
  refuseIf(!isSetBack && effects.opened === 0 && effects.ended === 0, 'change.not_undoable')
  requireOwner(state)
  effects.record('change.undone', { member: change.member, group: change.group, undoes: seq })
  return { refused }
}

/** Nobody removed, no deleted group and no deleted role holds a grant. */
function cannotBeHeld({ members, groups, roles }: State, grant: Grant): boolean {
  const thing = grant.kind === 'role' ? roles[grant.of] : groups[grant.of]
  return (
    thing!.deletedBy !== null ||
    members[grant.subject]?.status === 'removed' ||
    (groups[grant.subject]?.deletedBy ?? null) !== null
  )
}

function setBack(state: State, seq: number): boolean {
  const change = state.changes[seq - 1]!
  if (DELETES.has(change.kind)) {
    const deleted = change.group === null ? state.roles[change.role!]! : state.groups[change.group]!
    deleted.deletedBy = null
    return true
  }
  const set = SETS_STATUS[change.kind]
  if (set === undefined) return false
  const member = requireMember(state, change.member!)
  const isUntouched = member.status === set && member.mergedInto === null && isLatestStatus(state, seq)
  refuseIf(!isUntouched, 'change.not_undoable')
  member.status = change.before!
  return true
}

/** Whether a change (or the undo of one) is the latest that set this member's status. */
function isLatestStatus(state: State, seq: number): boolean {
  const { member } = state.changes[seq - 1]!
  return !state.changes.some((later) => {
    const { kind } = later.undoes === null ? later : state.changes[later.undoes - 1]!
    return later.seq > seq && later.member === member && kind in SETS_STATUS
  })
}

/** The same person comes back: the undo of the change that removed it last. */
export function restore(state: State, id: string): { refused: number } {
  const { status, mergedInto } = requireMember(state, id)
  refuseIf(status !== 'removed', 'member.wrong_status')
  const removal = state.changes.findLast((one) => one.member === id && SETS_STATUS[one.kind] === 'removed')
  refuseIf(mergedInto !== null || removal === undefined, 'change.not_undoable')
  return undo(state, removal!.seq)
}
