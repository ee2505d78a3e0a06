import { describeDifference } from './difference.ts'
import type { GroupState } from './history.ts'
import type { HttpClient } from './http-client.ts'
import { OrganizationClient, toSlug } from './organization-client.ts'
import { inParallel } from './parallel.ts'
import { toMemberRow } from './person.ts'
import { ScimConnection, type ScimUser } from './scim-connection.ts'

/** Users of an organization that are created or changed at once. */
const PARALLEL = 8

interface Group {
  readonly id: string
  members: ReadonlySet<string>
}

/** What was provisioned, counted by the successes of the requests. */
export interface ScimCounts {
  users: number
  deactivated: number
  reactivated: number
  groupsCreated: number
  groupsDeleted: number
  added: number
  removed: number
  endedByDeletion: number
}

/**
 * One organization of a history as an identity provider provisions it: whoever first comes into a group is created,
 * whoever is in none any more is deactivated, and activated again when coming back.
 */
export class ScimOrganization {
  readonly name: string
  readonly counts: ScimCounts = {
    ...{ users: 0, deactivated: 0, reactivated: 0, groupsCreated: 0, groupsDeleted: 0 },
    ...{ added: 0, removed: 0, endedByDeletion: 0 },
  }
  readonly #directory: OrganizationClient
  readonly #connection: ScimConnection
  readonly #groups = new Map<string, Group>()
  /** Ids by pseudonym. */
  readonly #ids = new Map<string, string>()
  /** Groups that each pseudonym is in. */
  readonly #groupCounts = new Map<string, number>()
  readonly #inactive = new Set<string>()

  private constructor(name: string, directory: OrganizationClient, connection: ScimConnection) {
    this.name = name
    this.#directory = directory
    this.#connection = connection
  }

  static async open(root: HttpClient, name: string): Promise<ScimOrganization> {
    const directory = await OrganizationClient.open(root, name, toSlug('', name))
    return new ScimOrganization(name, directory, await ScimConnection.open(directory))
  }

  get requests(): number {
    return this.#connection.requests
  }

  /** Makes the groups that a step changed what the history says, after their users and before deactivations. */
  async apply(states: readonly GroupState[]): Promise<void> {
    const people = new Set(states.flatMap(({ members }) => [...members]))
    await inParallel([...people], PARALLEL, (pseudonym) => this.#provision(pseudonym))
    for (const state of states) await this.#applyGroup(state)
    const touched = [...this.#groupCounts].filter(([, groups]) => groups === 0)
    await inParallel(touched, PARALLEL, async ([pseudonym]) => {
      await this.#connection.setActive(this.#ids.get(pseudonym)!, false)
      this.#groupCounts.delete(pseudonym)
      this.#inactive.add(pseudonym)
      this.counts.deactivated++
    })
  }

  async #provision(pseudonym: string): Promise<void> {
    const id = this.#ids.get(pseudonym)
    if (id === undefined) {
      const { first_name: givenName, last_name: familyName } = toMemberRow(pseudonym)
      const fields = { name: { givenName, familyName }, externalId: pseudonym }
      const user = await this.#connection.createUser(this.#userName(pseudonym), fields)
      this.#ids.set(pseudonym, user.id)
      this.counts.users++
    } else if (this.#inactive.delete(pseudonym)) {
      await this.#connection.setActive(id, true)
      this.counts.reactivated++
    }
  }

  #userName(pseudonym: string): string {
    return `${pseudonym}@${this.#directory.slug}.example`
  }

  async #applyGroup({ reference, members, isGone }: GroupState): Promise<void> {
    let group = this.#groups.get(reference)
    if (isGone) {
      if (group === undefined) return
      await this.#connection.deleteGroup(group.id)
      this.#groups.delete(reference)
      this.counts.groupsDeleted++
      this.counts.endedByDeletion += group.members.size
      this.#countGroups(group.members, -1)
      return
    }
    if (group === undefined) {
      group = { id: await this.#connection.createGroup(reference), members: new Set() }
      this.#groups.set(reference, group)
      this.counts.groupsCreated++
    }
    const added = [...members].filter((pseudonym) => !group.members.has(pseudonym))
    const removed = [...group.members].filter((pseudonym) => !members.has(pseudonym))
    const idsOf = (pseudonyms: readonly string[]) => pseudonyms.map((pseudonym) => this.#ids.get(pseudonym)!)
    await this.#connection.patchMembers(group.id, 'add', idsOf(added))
    await this.#connection.patchMembers(group.id, 'remove', idsOf(removed))
    this.#countGroups(added, 1)
    this.#countGroups(removed, -1)
    this.counts.added += added.length
    this.counts.removed += removed.length
    group.members = members
  }

  #countGroups(pseudonyms: Iterable<string>, by: 1 | -1): void {
    for (const pseudonym of pseudonyms) {
      this.#groupCounts.set(pseudonym, (this.#groupCounts.get(pseudonym) ?? 0) + by)
    }
  }

  /** Compares one group with what the history says; a sentence where they differ. */
  async compareGroup(state: GroupState): Promise<string[]> {
    const group = this.#groups.get(state.reference)
    if (group === undefined) return state.isGone ? [] : [`${state.path}: there is no such group`]
    const pseudonyms = new Map([...this.#ids].map(([pseudonym, id]) => [id, pseudonym]))
    const found = await this.#connection.memberIds(group.id)
    const names = new Set(found.map((id) => pseudonyms.get(id) ?? id))
    if (names.size < found.length) return [`${state.path}: somebody is listed twice`]
    const difference = describeDifference(state.members, names)
    return difference === undefined ? [] : [`${state.path}: ${difference}`]
  }

  /**
   * Compares everything with the last states of the history: the connection's lists, and the members and grants that
   * follow from them, as the organization's own API shows them.
   */
  async compareAll(states: readonly GroupState[]): Promise<string[]> {
    const live = states.filter(({ isGone }) => !isGone)
    const wanted = new Set(live.flatMap(({ members }) => [...members]))
    const mismatches: string[] = []
    const differ = (what: string, expected: ReadonlySet<string>, found: ReadonlySet<string>) => {
      const difference = describeDifference(expected, found)
      if (difference !== undefined) mismatches.push(`${this.name}, ${what}: ${difference}`)
    }
    const prefixed = (pseudonyms: Iterable<string>, end: string) =>
      new Set([...pseudonyms].map((pseudonym) => `${this.#userName(pseudonym)} ${end}`))
    const expected = prefixed(this.#ids.keys(), 'false')
    for (const pseudonym of wanted) {
      expected.delete(`${this.#userName(pseudonym)} false`)
      expected.add(`${this.#userName(pseudonym)} true`)
    }
    const users = new Set<string>()
    for await (const { userName, active } of this.#connection.list<ScimUser>('Users')) {
      users.add(`${userName} ${active}`)
    }
    differ('users and whether they are active', expected, users)
    const members = new Set<string>()
    for await (const { email, status } of this.#directory.list<Member>('/members')) {
      if (this.#ids.has(email.slice(0, email.indexOf('@')))) members.add(`${email} ${status === 'active'}`)
    }
    differ('members and whether they are active', expected, members)
    const groups = new Set<string>()
    for await (const { displayName } of this.#connection.list<ScimGroup>(
      'Groups',
      '&excludedAttributes=members',
    )) {
      groups.add(displayName)
    }
    differ('groups', new Set(live.map(({ reference }) => reference)), groups)
    for await (const { id, name } of this.#directory.list<{ id: string; name: string }>('/groups')) {
      const state = live.find(({ reference }) => reference === name)
      const emails = new Set<string>()
      for await (const { email } of this.#directory.list<GroupMember>(`/groups/${id}/members`))
        emails.add(email)
      const wantedEmails = new Set([...(state?.members ?? [])].map((one) => this.#userName(one)))
      differ(`members of ${name}`, wantedEmails, emails)
    }
    return mismatches
  }
}

interface Member {
  readonly email: string
  readonly status: string
}

interface GroupMember {
  readonly email: string
}

interface ScimGroup {
  readonly displayName: string
}
