import { setTimeout as sleep } from 'node:timers/promises'
import type { GroupState } from './history.ts'
import { Unanswered } from './http-client.ts'
import type { OrganizationClient } from './organization-client.ts'
import { toMemberRow } from './person.ts'

/** A member sync as the Directory API lists it. */
export interface ListedSync {
  readonly id: string
  readonly position: number
  readonly status: string
  readonly change: string | null
  readonly result: { readonly opened: number; readonly ended: number; readonly failures: unknown[] } | null
}

/** What a member sync did. */
export interface SyncResult {
  readonly opened: number
  readonly ended: number
  /** Members that the server refused, each as a sentence. */
  readonly failures: readonly string[]
}

/** An accepted member sync. */
export interface AcceptedSync {
  /** Asks once; undefined while it is under way. */
  poll(): Promise<SyncResult | undefined>
}

const SUBMIT_ATTEMPTS_MAX = 20
const POLL_MILLIS_MIN = 3
const POLL_MILLIS_MAX = 100
const SYNC_TIMEOUT_MILLIS = 120_000

/** One group of the server: written through Vitable's dialect, read through the Directory API. */
export class GroupClient {
  readonly path: string
  readonly organization: OrganizationClient
  readonly vitableId: string
  readonly directoryId: string
  /** The position of the group's last member sync before the replay. */
  readonly basePosition: number
  /** Member syncs that the server has accepted from this replay. */
  accepted = 0
  /** Submits that were not answered: those found accepted all the same, and those sent once more. */
  readonly unanswered = { accepted: 0, resent: 0 }

  private constructor(
    path: string,
    organization: OrganizationClient,
    ids: { vitable: string; directory: string },
    basePosition: number,
  ) {
    this.path = path
    this.organization = organization
    this.vitableId = ids.vitable
    this.directoryId = ids.directory
    this.basePosition = basePosition
  }

  /** Opens the group of a reference id; creates it where there is none. `isNew`: nothing is in it yet. */
  static async open(
    organization: OrganizationClient,
    { path, reference }: Pick<GroupState, 'path' | 'reference'>,
  ): Promise<{ group: GroupClient; isNew: boolean }> {
    const { http } = organization
    const query = new URLSearchParams({ external_reference_id: reference })
    const lookUp = async () => (await http.send('GET', `/v1/groups?${query}`, [200])).body.data[0]?.id
    let vitable: string | undefined = await lookUp()
    const isNew = vitable === undefined
    if (isNew) {
      // 409: made by an attempt that was not answered.
      const body = { name: reference, external_reference_id: reference }
      const made = await http.send('POST', '/v1/groups', [201, 409], body)
      vitable = made.status === 201 ? made.body.data.id : await lookUp()
    }
    const found = await http.send('GET', `${organization.path}/groups?${query}`, [200])
    const directory = found.body.data[0]?.id
    if (vitable === undefined || directory === undefined)
      throw new Error(`${path} is not found by its reference`)
    const newest = isNew ? undefined : await newestSync(organization, directory)
    return {
      group: new GroupClient(path, organization, { vitable, directory }, newest?.position ?? 0),
      isNew,
    }
  }

  /**
   * Sends who should be in the group, exactly once. After a submit that was not answered, the position of the
   * group's newest member sync tells whether it was accepted.
   */
  async submit(members: ReadonlySet<string>): Promise<AcceptedSync> {
    const { http } = this.organization
    const path = `/v1/groups/${this.vitableId}/members/sync`
    const body = { members: Array.from(members, toMemberRow) }
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await http.sendOnce('POST', path, [202], body)
        this.accepted++
        return this.#pollVitable(answer.body.data.request_id)
      } catch (error) {
        if (!(error instanceof Unanswered) || attempt === SUBMIT_ATTEMPTS_MAX) throw error
      }
      const newest = await newestSync(this.organization, this.directoryId)
      const known = this.basePosition + this.accepted
      const beyond = (newest?.position ?? 0) - known
      if (beyond > 1) throw new Error(`${this.path} has ${beyond} member syncs that this replay did not send`)
      if (newest !== undefined && beyond === 1) {
        this.accepted++
        this.unanswered.accepted++
        return this.#pollDirectory(newest.id)
      }
      this.unanswered.resent++
    }
  }

  /** Waits for the result of an accepted member sync. */
  async outcome(sync: AcceptedSync): Promise<SyncResult> {
    const deadline = Date.now() + SYNC_TIMEOUT_MILLIS
    for (let delay = POLL_MILLIS_MIN; Date.now() < deadline; delay = Math.min(delay * 1.5, POLL_MILLIS_MAX)) {
      await sleep(delay)
      const result = await sync.poll()
      if (result !== undefined) return result
    }
    throw new Error(`A member sync of ${this.path} is not completed after ${SYNC_TIMEOUT_MILLIS / 1000} s`)
  }

  /** The reference ids of the group's members, now or as of a past moment. */
  async members(asOf?: string): Promise<Set<string>> {
    const path = `/groups/${this.directoryId}/members`
    const references = new Set<string>()
    const query = asOf === undefined ? {} : { as_of: asOf }
    const rows = this.organization.list<{ id: string; external_reference_id: string | null }>(path, query)
    // Who has no reference id is no person of the history: the id shows as a difference.
    for await (const row of rows) references.add(row.external_reference_id ?? row.id)
    return references
  }

  /** The member syncs that this replay sent, in the order of their positions. */
  async syncs(): Promise<ListedSync[]> {
    const syncs: ListedSync[] = []
    for await (const sync of this.organization.list<ListedSync>(`/groups/${this.directoryId}/member_syncs`)) {
      if (sync.position <= this.basePosition) break
      syncs.push(sync)
    }
    return syncs.reverse()
  }

  #pollVitable(requestId: string): AcceptedSync {
    const path = `/v1/groups/${this.vitableId}/members/sync/${requestId}`
    return {
      poll: async () => {
        const { results } = (await this.organization.http.send('GET', path, [200])).body.data
        if (results === null) return undefined
        return {
          opened: results.added_group_member_ids.length,
          ended: results.removed_group_member_ids.length,
          failures: results.failures.map(describeFailure),
        }
      },
    }
  }

  #pollDirectory(syncId: string): AcceptedSync {
    const path = `${this.organization.path}/groups/${this.directoryId}/member_syncs/${syncId}`
    return {
      poll: async () => {
        const { result } = (await this.organization.http.send('GET', path, [200])).body as ListedSync
        return result === null ? undefined : { ...result, failures: result.failures.map(describeFailure) }
      },
    }
  }
}

async function newestSync(
  organization: OrganizationClient,
  directoryId: string,
): Promise<ListedSync | undefined> {
  const path = `${organization.path}/groups/${directoryId}/member_syncs?limit=1`
  return (await organization.http.send('GET', path, [200])).body.data[0]
}

const describeFailure = (failure: unknown) => `refused: ${JSON.stringify(failure)}`
