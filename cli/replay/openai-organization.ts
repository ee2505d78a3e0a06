import OpenAI from 'openai'
import { describeDifference } from './difference.ts'
import type { GroupState } from './history.ts'
import type { HttpClient } from './http-client.ts'
import { OrganizationClient, toSlug } from './organization-client.ts'
import { inParallel } from './parallel.ts'
import { toMemberRow } from './person.ts'

/** Requests under way at once within one group. */
const PARALLEL = 8
/** People looked up in one request: their addresses stand in its URL. */
const LOOKED_UP_AT_ONCE = 100

/** A group of the history, as this replay has made it. */
interface MadeGroup {
  readonly id: string
  members: ReadonlySet<string>
}

/** What was done in OpenAI's dialect, counted by its answers. */
export interface OpenaiCounts {
  groupsCreated: number
  groupsDeleted: number
  added: number
  removed: number
  /** Memberships that ended because their group was deleted. */
  endedByDeletion: number
}

/**
 * One organization of a history in OpenAI's dialect: every change and every comparison goes through the vendor's own
 * client. The dialect has no call that creates users, so their people come from the Directory API.
 */
export class OpenaiOrganization {
  readonly name: string
  readonly counts: OpenaiCounts = {
    groupsCreated: 0,
    groupsDeleted: 0,
    added: 0,
    removed: 0,
    endedByDeletion: 0,
  }
  /** Requests that the client has sent, and answers that were no success. */
  readonly traffic = { requests: 0, refused: 0 }
  readonly #directory: OrganizationClient
  readonly #admin: OpenAI['admin']['organization']
  /** Ids of users by pseudonym, and back. */
  readonly #userIds = new Map<string, string>()
  readonly #pseudonyms = new Map<string, string>()
  readonly #groups = new Map<string, MadeGroup>()

  private constructor(name: string, url: string, directory: OrganizationClient) {
    this.name = name
    this.#directory = directory
    const client = new OpenAI({
      adminAPIKey: directory.key,
      baseURL: `${url}/v1`,
      fetch: async (input, init) => {
        this.traffic.requests++
        const response = await fetch(input, init)
        if (!response.ok) this.traffic.refused++
        return response
      },
    })
    this.#admin = client.admin.organization
  }

  static async open(root: HttpClient, url: string, name: string): Promise<OpenaiOrganization> {
    return new OpenaiOrganization(name, url, await OrganizationClient.open(root, name, toSlug('', name)))
  }

  get users(): number {
    return this.#userIds.size
  }

  /** Creates people through the Directory API, then finds them in the dialect by their addresses. */
  async addPeople(pseudonyms: readonly string[]): Promise<void> {
    const { http, path, slug } = this.#directory
    const addressOf = (pseudonym: string) => `${pseudonym}@${slug}.example`
    await inParallel(pseudonyms, PARALLEL, async (pseudonym) => {
      const { first_name, last_name } = toMemberRow(pseudonym)
      const body = { email: addressOf(pseudonym), first_name, last_name }
      await http.send('POST', `${path}/members`, [201], body)
    })
    for (let from = 0; from < pseudonyms.length; from += LOOKED_UP_AT_ONCE) {
      const emails = pseudonyms.slice(from, from + LOOKED_UP_AT_ONCE).map(addressOf)
      for await (const user of this.#admin.users.list({ emails, limit: 100 })) {
        const pseudonym = user.email!.slice(0, user.email!.indexOf('@'))
        this.#userIds.set(pseudonym, user.id)
        this.#pseudonyms.set(user.id, pseudonym)
      }
    }
  }

  /** Makes a group what the history says: creates or deletes it, adds and removes its users one by one. */
  async apply(state: GroupState): Promise<void> {
    const { groups } = this.#admin
    if (state.isGone) return await this.#deleteGroup(state)
    let group = this.#groups.get(state.reference)
    if (group === undefined) {
      const { id } = await groups.create({ name: state.reference })
      this.counts.groupsCreated++
      group = { id, members: new Set() }
      this.#groups.set(state.reference, group)
    }
    const { id, members } = group
    await inParallel([...state.members], PARALLEL, async (pseudonym) => {
      if (members.has(pseudonym)) return
      await groups.users.create(id, { user_id: this.#userId(pseudonym) })
      this.counts.added++
    })
    await inParallel([...members], PARALLEL, async (pseudonym) => {
      if (state.members.has(pseudonym)) return
      await groups.users.delete(this.#userId(pseudonym), { group_id: id })
      this.counts.removed++
    })
    group.members = state.members
  }

  async #deleteGroup(state: GroupState): Promise<void> {
    const group = this.#groups.get(state.reference)
    if (group === undefined) return
    await this.#admin.groups.delete(group.id)
    this.#groups.delete(state.reference)
    this.counts.groupsDeleted++
    this.counts.endedByDeletion += group.members.size
  }

  #userId(pseudonym: string): string {
    const id = this.#userIds.get(pseudonym)
    if (id === undefined) throw new Error(`${this.name} has no user ${pseudonym}`)
    return id
  }

  /** Compares one group with what the history says; a sentence where they differ. */
  async compare(state: GroupState): Promise<string[]> {
    const group = this.#groups.get(state.reference)
    if (group === undefined) return state.isGone ? [] : [`${state.path}: there is no such group`]
    const listed: string[] = []
    for await (const user of this.#admin.groups.users.list(group.id)) {
      listed.push(this.#pseudonyms.get(user.id) ?? user.id)
    }
    const found = new Set(listed)
    if (found.size < listed.length) return [`${state.path}: somebody is listed twice`]
    const difference = describeDifference(state.members, found)
    return difference === undefined ? [] : [`${state.path}: ${difference}`]
  }

  /** The names of all groups, as the dialect lists them. */
  async groupNames(): Promise<string[]> {
    const names: string[] = []
    for await (const group of this.#admin.groups.list()) names.push(group.name)
    return names
  }
}
