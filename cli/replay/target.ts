import { GroupClient } from './group-client.ts'
import type { GroupState } from './history.ts'
import type { HttpClient } from './http-client.ts'
import { OrganizationClient, toSlug } from './organization-client.ts'

/** One group of the replay: on the server, and as the history has it. */
export interface ReplayedGroup {
  readonly client: GroupClient
  /** Who should be in it now. */
  wanted: ReadonlySet<string>
}

/** The server that a history is replayed into; opens organizations and groups when they are first seen. */
export class ReplayTarget {
  readonly #root: HttpClient
  readonly #slugPrefix: string
  readonly #organizations = new Map<string, Promise<OrganizationClient>>()
  readonly #groups = new Map<string, Promise<ReplayedGroup>>()

  constructor(root: HttpClient, slugPrefix: string) {
    this.#root = root
    this.#slugPrefix = slugPrefix
  }

  group(state: GroupState): Promise<ReplayedGroup> {
    let group = this.#groups.get(state.path)
    if (group === undefined) {
      group = this.#openGroup(state)
      this.#groups.set(state.path, group)
    }
    return group
  }

  async organizations(): Promise<OrganizationClient[]> {
    return await Promise.all(this.#organizations.values())
  }

  async groups(): Promise<ReplayedGroup[]> {
    return await Promise.all(this.#groups.values())
  }

  async #openGroup(state: GroupState): Promise<ReplayedGroup> {
    const { group, isNew } = await GroupClient.open(await this.#organization(state.organization), state)
    return { client: group, wanted: isNew ? new Set() : await group.members() }
  }

  #organization(name: string): Promise<OrganizationClient> {
    let organization = this.#organizations.get(name)
    if (organization === undefined) {
      organization = OrganizationClient.open(this.#root, name, toSlug(this.#slugPrefix, name))
      this.#organizations.set(name, organization)
    }
    return organization
  }
}
