import { exchange, type LoadRequest, microsEach, microsOf } from './http-load.ts'
import { type ScimWorld, userBody } from './scim-fill.ts'

/** Ours or the floor: where it is, and which numbers new users of it have got. */
export class ScimSide {
  readonly world: ScimWorld
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  #created: number
  #pages = 0
  /** Of the users, as the last load left them. */
  #isActive = true
  #members = 0

  constructor(world: ScimWorld, url: string) {
    this.world = world
    this.#url = url
    this.#created = world.size
    this.#headers = {
      authorization: `Bearer ${world.token}`,
      'content-type': 'application/scim+json',
    }
  }

  request(method: LoadRequest['method'], path: string, body?: unknown): LoadRequest {
    const request = { method, url: this.#url + path, headers: this.#headers }
    return body === undefined ? request : { ...request, body: JSON.stringify(body) }
  }

  /** Microseconds of one of `count` requests that create new users. */
  async create(count: number): Promise<number> {
    return await microsEach(
      Array.from({ length: count }, () =>
        this.request('POST', '/Users', userBody(this.world.slug, this.#created++)),
      ),
    )
  }

  async read(count: number): Promise<number> {
    return await microsEach(this.#sample(count).map(({ id }) => this.request('GET', `/Users/${id}`)))
  }

  async lookUp(count: number): Promise<number> {
    return await microsEach(
      this.#sample(count).map(({ number }) => this.request('GET', this.#lookUpPath(number))),
    )
  }

  async patchActive(count: number): Promise<number> {
    this.#isActive = !this.#isActive
    const body = activeBody(this.#isActive)
    return await microsEach(this.#sample(count).map(({ id }) => this.request('PATCH', `/Users/${id}`, body)))
  }

  /** Pages of 100 near the end, none of which was asked for before. */
  async listAtTheEnd(count: number): Promise<number> {
    return await microsEach(
      Array.from({ length: count }, () => {
        const startIndex = this.world.size - 99 - (this.#pages++ % Math.floor(this.world.size / 4))
        return this.request('GET', `/Users?startIndex=${startIndex}&count=100`)
      }),
    )
  }

  /** Microseconds of one request: somebody is looked up and not found, created, and changed. */
  async mixed(cycles: number): Promise<number> {
    const micros = await microsOf(cycles, async () => {
      const number = this.#created++
      await exchange(this.request('GET', this.#lookUpPath(number)))
      const body = userBody(this.world.slug, number)
      const { id } = JSON.parse(await exchange(this.request('POST', '/Users', body))) as { id: string }
      await exchange(this.request('PATCH', `/Users/${id}`, activeBody(false)))
    })
    return micros / 3
  }

  /**
   * One after the other, as a client changes one group: adds 100 members who are not in it and removes them again, 50
   * at a time.
   *
   * @returns microseconds of one adding and of one removing
   */
  async changeMembers(groupId: string, rounds: number): Promise<{ added: number; removed: number }> {
    const total = { added: 0, removed: 0 }
    for (let round = 0; round < rounds; round++) {
      const first = this.world.size - 200 * (1 + (this.#members++ % 3))
      const ids = this.world.userIds.slice(first, first + 100)
      total.added += await microsEach([this.#patchMembers(groupId, 'add', ids)])
      for (const part of [ids.slice(0, 50), ids.slice(50)]) {
        total.removed += (await microsEach([this.#patchMembers(groupId, 'remove', part)])) / 2
      }
    }
    return { added: total.added / rounds, removed: total.removed / rounds }
  }

  async readGroup(groupId: string, count: number): Promise<number> {
    return await microsEach(Array.from({ length: count }, () => this.request('GET', `/Groups/${groupId}`)))
  }

  #patchMembers(groupId: string, op: 'add' | 'remove', ids: readonly string[]): LoadRequest {
    const value = ids.map((id) => ({ value: id }))
    return this.request('PATCH', `/Groups/${groupId}`, patchBody({ op, path: 'members', value }))
  }

  #lookUpPath(number: number): string {
    const filter = `userName eq "${userBody(this.world.slug, number).userName}"`
    return `/Users?filter=${encodeURIComponent(filter)}`
  }

  /** Users from all over, the same at every call. */
  #sample(count: number): { id: string; number: number }[] {
    const { size, userIds } = this.world
    return Array.from({ length: count }, (_, index) => {
      const place = Math.floor((index * size) / count)
      return { id: userIds[place]!, number: place }
    })
  }
}

const patchBody = (operation: unknown) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [operation],
})

const activeBody = (value: boolean) => patchBody({ op: 'replace', path: 'active', value })
