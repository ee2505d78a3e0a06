import {
  Effects,
  type Expiry,
  isLive,
  liveGroup,
  OWNER,
  type Person,
  person,
  refuseIf,
  requireOwner,
  requireUnique,
  type Source,
  type State,
  type Status,
} from './directory-model.ts'
import { sorted } from './sync-model.ts'

/** Single operations on members, groups and time, as the rules have them. */
export type Fields = Partial<Pick<Person, 'email' | 'displayName' | 'ref' | 'attributes'>>

export function createMember(state: State, id: string, fields: Fields): void {
  const { email = null, displayName = null, ref = null, attributes = {} } = fields
  refuseIf(email === null && ref === null, 'request.invalid')
  const names = { displayName, firstName: null, lastName: null }
  const created: Person = {
    ...{ id, email, ...names, ref, attributes: sorted(attributes) },
    ...{ status: 'active', mergedInto: null },
  }
  state.people.push(created)
  requireUnique(state, created)
  new Effects(state).record('member.created', { member: id })
}

export function updateMember(state: State, id: string, fields: Fields): void {
  const found = person(state, id)
  refuseIf(found.status === 'removed', 'member.wrong_status')
  const before = JSON.stringify(found)
  Object.assign(found, fields, { attributes: sorted(fields.attributes ?? found.attributes) })
  refuseIf(found.email === null && found.ref === null, 'request.invalid')
  requireUnique(state, found)
  if (JSON.stringify(found) !== before) new Effects(state).record('member.updated', { member: id })
}

function setStatus(state: State, id: string, from: Status, to: Status, kind: string): void {
  const found = person(state, id)
  refuseIf(found.status !== from, 'member.wrong_status')
  found.status = to
  requireOwner(state)
  new Effects(state).record(kind, { member: id, before: from })
}

export function suspend(state: State, id: string): void {
  setStatus(state, id, 'active', 'suspended', 'member.suspended')
}

export function reactivate(state: State, id: string): void {
  const found = person(state, id)
  refuseIf(found.status !== 'suspended', 'member.wrong_status')
  found.status = 'active'
  new Effects(state).record('member.reactivated', { member: id, before: 'suspended' })
}

export function remove(state: State, id: string): void {
  const found = person(state, id)
  refuseIf(found.status === 'removed', 'member.wrong_status')
  const before = found.status
  const effects = new Effects(state)
  effects.end((grant) => grant.member === id)
  found.status = 'removed'
  requireOwner(state)
  effects.record('member.removed', { member: id, before })
}

/** What one holds is opened for the other, unless the other has it from the same source for as long. */
export function merge(state: State, intoId: string, fromId: string): void {
  refuseIf(intoId === fromId, 'member.merge_conflict')
  const into = person(state, intoId)
  const from = person(state, fromId)
  refuseIf(into.status === 'removed' || from.status === 'removed', 'member.wrong_status')
  const effects = new Effects(state)
  const LENGTH: Record<Expiry, number> = { past: 0, later: 1, never: 2 }
  const held = state.grants.filter(
    (grant) => isLive(grant) && grant.member === fromId && grant.expiry !== 'past',
  )
  for (const { target, source, expiry } of held) {
    const own = state.grants.find(
      (one) => isLive(one) && one.member === intoId && one.target === target && one.source === source,
    )
    if (own !== undefined && LENGTH[own.expiry] >= LENGTH[expiry]) continue
    effects.end((grant) => grant === own)
    effects.open({ target, member: intoId, source, expiry })
  }
  effects.end((grant) => grant.member === fromId)
  from.status = 'removed'
  from.mergedInto = intoId
  for (const one of state.people) if (one.mergedInto === fromId) one.mergedInto = intoId
  const { email, displayName, firstName, lastName, ref } = from
  if (into.ref === null) from.ref = null
  into.email ??= email
  into.displayName ??= displayName
  into.firstName ??= firstName
  into.lastName ??= lastName
  into.ref ??= ref
  into.attributes = sorted({ ...from.attributes, ...into.attributes })
  requireOwner(state)
  effects.record('member.merged', { member: intoId })
}

export function addToGroup(
  state: State,
  group: string,
  member: string,
  grant: { source: Source; expiry: Expiry },
): void {
  liveGroup(state, group)
  refuseIf(person(state, member).status === 'removed', 'member.wrong_status')
  const effects = new Effects(state)
  const own = state.grants.find(
    (one) => isLive(one) && one.target === group && one.member === member && one.source === grant.source,
  )
  if (own?.expiry === grant.expiry) return
  effects.end((one) => one === own)
  effects.open({ target: group, member, ...grant })
  effects.record('group.member_added', { group, member })
}

export function removeFromGroup(state: State, group: string, member: string): void {
  liveGroup(state, group)
  const effects = new Effects(state)
  effects.end((grant) => grant.target === group && grant.member === member && grant.expiry !== 'past')
  refuseIf(effects.counts.ended === 0, 'membership.not_found')
  effects.record('group.member_removed', { group, member })
}

export function deleteGroup(state: State, group: string): void {
  liveGroup(state, group)
  const effects = new Effects(state)
  effects.end((grant) => grant.target === group)
  state.groups.find((one) => one.id === group)!.deletedBy = effects.seq
  effects.record('group.deleted', { group })
}

export function createGroup(state: State, id: string): void {
  state.groups.push({ id, deletedBy: null })
  new Effects(state).record('group.created', { group: id })
}

/** Every set end is now over; nothing has recorded it yet. */
export function passTime(state: State): void {
  for (const grant of state.grants) if (grant.expiry === 'later') grant.expiry = 'past'
}

export function sweep(state: State): void {
  const effects = new Effects(state)
  effects.end((grant) => grant.expiry === 'past')
  if (effects.counts.ended > 0) effects.record('grants.expired')
}

/** An organization as it starts: one owner. */
export function newOrganization(owner: { id: string; email: string }): State {
  const state: State = { people: [], groups: [], grants: [], changes: [] }
  const nothing = { displayName: null, firstName: null, lastName: null, ref: null, mergedInto: null }
  state.people.push({ ...nothing, ...owner, attributes: {}, status: 'active' })
  const effects = new Effects(state)
  effects.open({ target: OWNER, member: owner.id, source: 'manual', expiry: 'never' })
  effects.record('organization.created', { member: owner.id })
  return state
}
