import { type Expiry, isUndoOfStatus, Refused, restore, type State, undo } from './directory-model.ts'
import * as model from './member-model.ts'
import type { Operation } from './operation-arbitrary.ts'
import { type Row, sync, unboundId } from './sync-model.ts'

/** An operation about certain members, groups and changes. */
export type Action =
  | { kind: 'sync'; group: string; rows: Row[] }
  | { kind: 'create'; fields: model.Fields }
  | { kind: 'update'; member: string; fields: model.Fields }
  | { kind: 'suspend' | 'reactivate' | 'remove' | 'restore'; member: string }
  | { kind: 'merge'; into: string; from: string }
  | { kind: 'add'; group: string; member: string; byKey: boolean; expiry: Expiry }
  | { kind: 'removeFromGroup'; group: string; member: string }
  | { kind: 'deleteGroup'; group: string }
  | { kind: 'undo'; seq: number }
  | { kind: 'passTime' }
  | { kind: 'sweep' }

/** Looks up the places an operation names, as things are now. Undefined: there is nothing to do it to. */
export function resolve(state: State, operation: Operation): Action | undefined {
  const member = (place: number) => state.people[place % state.people.length]!.id
  const group = (place: number) => state.groups[place % state.groups.length]!.id
  switch (operation.kind) {
    case 'sync':
      return { ...operation, group: group(operation.group) }
    case 'rotate':
      return { kind: 'sync', group: group(operation.group), rows: rotationRows(state, operation) }
    case 'update':
    case 'suspend':
    case 'reactivate':
    case 'remove':
    case 'restore':
      return { ...operation, member: member(operation.member) }
    case 'merge':
      return { kind: 'merge', into: member(operation.into), from: member(operation.from) }
    case 'add':
    case 'removeFromGroup':
      return { ...operation, group: group(operation.group), member: member(operation.member) }
    case 'deleteGroup':
      return { kind: 'deleteGroup', group: group(operation.group) }
    case 'undo': {
      // The latest changes are the interesting ones.
      const seq = Math.max(1, state.changes.length - (operation.change % 12))
      return isUndoOfStatus(state, seq) ? undefined : { kind: 'undo', seq }
    }
    default:
      return operation
  }
}

/** A payload in which each of some known people takes the next one's address; `broken` refuses one of them. */
function rotationRows(state: State, operation: Operation & { kind: 'rotate' }): Row[] {
  const known = state.people.filter(
    (one) => one.ref !== null && one.email !== null && one.mergedInto === null,
  )
  const part = known.slice(operation.start % (known.length + 1)).slice(0, operation.length)
  return part.map((one, index): Row => {
    const next = part[(index + 1) % part.length]!
    const row: Row = { ref: one.ref!, email: next.email }
    return index === operation.broken ? { ...row, invalid: 'attributes' } : row
  })
}

const LIFECYCLE = {
  suspend: model.suspend,
  reactivate: model.reactivate,
  remove: model.remove,
  restore,
}

function run(state: State, action: Action): unknown {
  switch (action.kind) {
    case 'sync':
      return sync(state, action.group, action.rows)
    case 'create':
      // Two without a reference id in one race are told apart by their emails.
      return model.createMember(
        state,
        unboundId(action.fields.ref ?? action.fields.email ?? ''),
        action.fields,
      )
    case 'update':
      return model.updateMember(state, action.member, action.fields)
    case 'suspend':
    case 'reactivate':
    case 'remove':
    case 'restore':
      return LIFECYCLE[action.kind](state, action.member)
    case 'merge':
      return model.merge(state, action.into, action.from)
    case 'add': {
      const { byKey, expiry } = action
      return model.addToGroup(state, action.group, action.member, {
        source: byKey ? 'api' : 'manual',
        expiry,
      })
    }
    case 'removeFromGroup':
      return model.removeFromGroup(state, action.group, action.member)
    case 'deleteGroup':
      return model.deleteGroup(state, action.group)
    case 'undo':
      return undo(state, action.seq)
    case 'passTime':
      return model.passTime(state)
    case 'sweep':
      return model.sweep(state)
  }
}

export type Outcome = { result: unknown } | { refused: string }

/** What the rules say of an action: its outcome, and what is then. A refused one leaves everything as it was. */
export function foretell(state: State, action: Action): { outcome: Outcome; next: State } {
  const next = structuredClone(state)
  try {
    return { outcome: { result: run(next, action) }, next }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { outcome: { refused: error.code }, next: state }
  }
}
