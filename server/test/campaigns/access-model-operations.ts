import {
  Effects,
  type Grant,
  isHeld,
  isLive,
  isOver,
  isSame,
  membershipGiven,
  NOW,
  ORGANIZATION,
  type Place,
  type PlaceKind,
  predefined,
  type Role,
  requireGroup,
  requireHeld,
  requireMember,
  requireOwner,
  requireRole,
  roleGiven,
  type Source,
  type State,
} from './access-model.ts'
import { refuseIf, type Status } from './directory-model.ts'

/** Single operations on roles, groups and members, as the rules have them. */
export const isGroup = (state: State, subject: string) => state.groups[subject] !== undefined

/** A role is given on a target of its kind, and one of a workspace or a project nowhere else. */
function requireFit(role: Role, place: Place): void {
  const isAtHome = role.home === null || role.home === place.id || role.home === place.workspace
  refuseIf(role.resource !== place.kind || !isAtHome, 'role.wrong_target')
}

export function assign(
  state: State,
  { subject, role, place }: { subject: string; role: string; place: string },
  { source, expires }: { source: Source; expires: string | null },
): void {
  requireFit(requireRole(state, role), state.places[place]!)
  if (isGroup(state, subject)) requireGroup(state, subject)
  else refuseIf(requireMember(state, subject).status === 'removed', 'member.wrong_status')
  const effects = new Effects(state)
  effects.give(roleGiven(subject, role, place, source), expires)
  if (effects.opened === 0) return
  requireOwner(state)
  effects.record('role.assigned')
}

export function revoke(state: State, grant: Grant): void {
  refuseIf(!isHeld(grant), 'role_assignment.not_found')
  const effects = new Effects(state)
  effects.end((one) => one === grant)
  requireOwner(state)
  effects.record('role.revoked')
}

/** Whatever gave it; what has expired is gone already. `role` null: every role on this very target. */
export function revokeAt(state: State, subject: string, role: string | null, place: string): void {
  if (role !== null) requireRole(state, role)
  const effects = new Effects(state)
  effects.end(
    (one) =>
      one.kind === 'role' &&
      one.subject === subject &&
      one.place === place &&
      (role === null || one.of === role) &&
      isHeld(one),
  )
  requireHeld(effects, 'role_assignment.not_found')
  requireOwner(state)
  effects.record('role.revoked')
}

/** What groups give stays: the level that is set is the one the member holds by itself. */
export function setLevel(
  state: State,
  member: string,
  level: 'owner' | 'admin' | 'member',
  source: Source,
): void {
  refuseIf(requireMember(state, member).status === 'removed', 'member.wrong_status')
  const effects = new Effects(state)
  const roleOf = (key: string) => predefined(state, ORGANIZATION, key).id
  const isHeldItself =
    level === 'member' ||
    state.grants.some((one) => one.subject === member && one.of === roleOf(level) && isHeld(one))
  const doomed = ['owner', 'admin'].filter((key) => key !== level || !isHeldItself).map(roleOf)
  effects.end((one) => one.subject === member && doomed.includes(one.of))
  if (!isHeldItself) effects.give(roleGiven(member, roleOf(level), ORGANIZATION, source), null)
  if (effects.opened + effects.ended === 0) return
  requireOwner(state)
  effects.record('member.level_changed', { member })
}

export function addToGroup(
  state: State,
  { group, member }: { group: string; member: string },
  { source, expires }: { source: Source; expires: string | null },
): void {
  requireGroup(state, group)
  refuseIf(requireMember(state, member).status === 'removed', 'member.wrong_status')
  const effects = new Effects(state)
  effects.give(membershipGiven(member, group, source), expires)
  if (effects.opened > 0) effects.record('group.member_added', { group, member })
}

export function removeFromGroup(state: State, group: string, member: string): void {
  requireGroup(state, group)
  const effects = new Effects(state)
  effects.end((one) => one.kind === 'membership' && one.of === group && one.subject === member && isHeld(one))
  requireHeld(effects, 'membership.not_found')
  effects.record('group.member_removed', { group, member })
}

/** What member sync gives in a group is what the submission says; who is named and removed comes back. */
export function sync(state: State, group: string, members: readonly string[]): void {
  requireGroup(state, group)
  const effects = new Effects(state)
  for (const id of members) {
    const member = requireMember(state, id)
    if (member.status === 'removed') member.status = 'active'
  }
  const given = (one: Grant) => one.kind === 'membership' && one.of === group && one.source === 'member_sync'
  effects.end((one) => given(one) && !members.includes(one.subject))
  for (const member of members) effects.give(membershipGiven(member, group, 'member_sync'), null)
  if (effects.opened + effects.ended > 0) effects.record('group.members_synced', { group })
}

export function createRole(
  state: State,
  role: { id: string; resource: PlaceKind; home: string | null; permissions: readonly string[] },
): void {
  state.roles[role.id] = { ...role, key: null, deletedBy: null }
  new Effects(state).record('role.created', { role: role.id })
}

export function updateRole(state: State, id: string, permissions: readonly string[]): void {
  const role = requireRole(state, id)
  refuseIf(role.key !== null, 'role.predefined')
  const isSameSet =
    permissions.length === role.permissions.length &&
    permissions.every((one) => role.permissions.includes(one))
  if (isSameSet) return
  role.permissions = permissions
  new Effects(state).record('role.updated', { role: id })
}

export function deleteRole(state: State, id: string): void {
  const role = requireRole(state, id)
  refuseIf(role.key !== null, 'role.predefined')
  const effects = new Effects(state)
  effects.end((one) => one.kind === 'role' && one.of === id)
  role.deletedBy = effects.seq
  effects.record('role.deleted', { role: id })
}

export function deleteGroup(state: State, group: string): void {
  requireGroup(state, group)
  const effects = new Effects(state)
  effects.end((one) => (one.kind === 'membership' ? one.of : one.subject) === group)
  state.groups[group]!.deletedBy = effects.seq
  effects.record('group.deleted', { group })
}

function setStatus(state: State, id: string, from: Status, to: Status, kind: string): void {
  const member = requireMember(state, id)
  refuseIf(member.status !== from, 'member.wrong_status')
  member.status = to
  requireOwner(state)
  new Effects(state).record(kind, { member: id, before: from })
}

export const suspend = (state: State, id: string) =>
  setStatus(state, id, 'active', 'suspended', 'member.suspended')

export function reactivate(state: State, id: string): void {
  const member = requireMember(state, id)
  refuseIf(member.status !== 'suspended', 'member.wrong_status')
  member.status = 'active'
  new Effects(state).record('member.reactivated', { member: id, before: 'suspended' })
}

export function remove(state: State, id: string, kind: 'member.removed' | 'member.left'): void {
  const member = requireMember(state, id)
  refuseIf(member.status === 'removed', 'member.wrong_status')
  const before = member.status
  const effects = new Effects(state)
  effects.end((one) => one.subject === id)
  member.status = 'removed'
  requireOwner(state)
  effects.record(kind, { member: id, before })
}

/** What one holds is opened for the other, unless the other has it from the same source for as long. */
export function merge(state: State, intoId: string, fromId: string): void {
  refuseIf(intoId === fromId, 'member.merge_conflict')
  const into = requireMember(state, intoId)
  const from = requireMember(state, fromId)
  refuseIf(into.status === 'removed' || from.status === 'removed', 'member.wrong_status')
  const effects = new Effects(state)
  for (const grant of state.grants.filter((one) => one.subject === fromId && isHeld(one))) {
    const copy = { ...grant, subject: intoId }
    const own = state.grants.find((one) => isLive(one) && isSame(one, copy))
    const isAsLong = own !== undefined && (own.expires ?? 'never') >= (grant.expires ?? 'never')
    if (!isAsLong) effects.give(copy, grant.expires)
  }
  effects.end((one) => one.subject === fromId)
  from.status = 'removed'
  from.mergedInto = intoId
  for (const one of Object.values(state.members)) if (one.mergedInto === fromId) one.mergedInto = intoId
  if (into.ref === null) [into.ref, from.ref] = [from.ref, null]
  requireOwner(state)
  effects.record('member.merged', { member: intoId })
}

/** Every set end up to a limit is a moment that has just passed; nothing has recorded it yet. */
export function passTime(state: State, { at, until }: { at: string; until: string }): void {
  for (const grant of state.grants) {
    if (grant.expires !== null && grant.expires > at && grant.expires <= until) grant.expires = at
  }
}

export function sweep(state: State): void {
  const effects = new Effects(state)
  effects.end((one) => isOver(one, NOW))
  if (effects.ended > 0) effects.record('grants.expired')
}
