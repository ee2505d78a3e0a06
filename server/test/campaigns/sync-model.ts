import {
  Effects,
  type Grant,
  isLive,
  keyOf,
  liveGroup,
  type Person,
  requireUnique,
  type State,
} from './directory-model.ts'

/** One person of a submission. Absent and null both say nothing. */
export interface Row {
  ref: string
  email?: string | null
  displayName?: string | null
  firstName?: string | null
  lastName?: string | null
  attributes?: Record<string, unknown>
  /** Breaks a rule that is seen without looking at anybody else. */
  invalid?: 'email' | 'attributes'
  /** Refused because of somebody who was about to change at that moment. */
  overtaken?: boolean
}

export interface SyncResult {
  opened: number
  ended: number
  left: number
  createdMembers: number
  updatedMembers: number
  /** Reference ids of the refused rows, in the order of the submission. */
  failed: string[]
  recorded: boolean
}

interface Judged {
  row: Row
  person: Person | undefined
  /** The address the person would have: the stated one, or the old one of who comes back. */
  wanted: string | null
  refused: boolean
}

const statedEmail = (row: Row) => (row.invalid === 'email' ? null : (row.email ?? null))

/** Who has an address now. */
function holder(state: State, key: string | null): Person | undefined {
  if (key === null) return undefined
  return state.people.find((one) => one.status !== 'removed' && keyOf(one.email) === key)
}

function personOf(state: State, row: Row): Person | undefined {
  const known = state.people.find((one) => one.ref === row.ref)
  if (known !== undefined) {
    return known.mergedInto === null ? known : state.people.find((one) => one.id === known.mergedInto)
  }
  const byEmail = holder(state, keyOf(statedEmail(row)))
  return byEmail?.ref === null ? byEmail : undefined
}

function judge(state: State, rows: readonly Row[]): Judged[] {
  const judged = rows.map((row): Judged => {
    const found = personOf(state, row)
    const refused = row.invalid !== undefined || row.overtaken === true
    const old = found?.status === 'removed' ? found.email : null
    return { row, person: found, wanted: keyOf(statedEmail(row) ?? old), refused }
  })
  const rivals = judged.filter((one) => one.row.overtaken !== true)
  const several = (match: (one: Judged) => boolean) => rivals.filter(match).length > 1
  for (const one of judged) {
    if (one.wanted !== null && several((other) => other.wanted === one.wanted)) one.refused = true
    if (one.person !== undefined && several((other) => other.person === one.person)) one.refused = true
  }
  // An address of somebody else is free only if that person's own row, which is not refused, takes another.
  for (let settled = false; !settled; ) {
    settled = true
    for (const one of judged) {
      const other = holder(state, one.wanted)
      if (one.refused || other === undefined || other === one.person) continue
      const givesUp = judged.some(
        (row) => !row.refused && row.person === other && row.wanted !== null && row.wanted !== one.wanted,
      )
      if (givesUp) continue
      one.refused = true
      settled = false
    }
  }
  return judged
}

/** Brings a person up to date with its row. True if that changed anything. */
function update(state: State, found: Person, row: Row): boolean {
  const before = JSON.stringify(found)
  if (found.status === 'removed') found.status = 'active'
  if (found.ref === null && !state.people.some((one) => one.ref === row.ref)) found.ref = row.ref
  found.email = row.email ?? found.email
  found.displayName = row.displayName ?? found.displayName
  found.firstName = row.firstName ?? found.firstName
  found.lastName = row.lastName ?? found.lastName
  found.attributes = sorted({ ...found.attributes, ...row.attributes })
  return JSON.stringify(found) !== before
}

export function sorted(attributes: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** A new person has its reference id for an id until the database has given it one. */
export const unboundId = (ref: string) => `new:${ref}`

/** Makes what member sync gives in a group be what the rows say. */
export function sync(state: State, group: string, rows: readonly Row[]): SyncResult {
  liveGroup(state, group)
  const effects = new Effects(state)
  const judged = judge(state, rows)
  let createdMembers = 0
  let updatedMembers = 0
  const wanted = new Set<string>()
  const untouched = new Set<string>()
  for (const one of judged) {
    if (one.refused) {
      if (one.person !== undefined) untouched.add(one.person.id)
      continue
    }
    if (one.person === undefined) {
      state.people.push(newPerson(one.row))
      createdMembers++
    } else if (update(state, one.person, one.row)) updatedMembers++
    wanted.add(one.person?.id ?? unboundId(one.row.ref))
  }
  for (const one of state.people) requireUnique(state, one)
  const given = (grant: Grant) => isLive(grant) && grant.target === group && grant.source === 'member_sync'
  const before = new Set(state.grants.filter(given).map((grant) => grant.member))
  effects.end((grant) => given(grant) && !wanted.has(grant.member) && !untouched.has(grant.member))
  for (const member of wanted) {
    if (!before.has(member)) effects.open({ target: group, member, source: 'member_sync', expiry: 'never' })
  }
  const { opened, ended } = effects.counts
  const recorded = opened + ended + createdMembers + updatedMembers > 0
  if (recorded) effects.record('group.members_synced', { group })
  const failed = judged.filter((one) => one.refused).map((one) => one.row.ref)
  return { opened, ended, left: before.size - ended, createdMembers, updatedMembers, failed, recorded }
}

function newPerson(row: Row): Person {
  return {
    id: unboundId(row.ref),
    email: row.email ?? null,
    displayName: row.displayName ?? null,
    firstName: row.firstName ?? null,
    lastName: row.lastName ?? null,
    ref: row.ref,
    attributes: sorted(row.attributes ?? {}),
    status: 'active',
    mergedInto: null,
  }
}
