import { uuidOf } from '../../server/test/scim-client.ts'
import type { HttpClient } from './http-client.ts'
import type { OrganizationClient } from './organization-client.ts'

/** A user as the connection shows it. */
export interface ScimUser {
  readonly id: string
  readonly userName: string
  readonly active: boolean
}

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

const PAGE_COUNT = 1000
/** Members in one PATCH, as identity providers send them. */
const CHUNK = 100

export const scimUserBody = (userName: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  ...{ schemas: [USER], userName, active: true },
  ...fields,
})

/** What an identity provider does with one connection. Every request may arrive twice. */
export class ScimConnection {
  readonly http: HttpClient
  /** Path of the connection. */
  readonly path: string
  readonly token: string
  requests = 0

  private constructor(http: HttpClient, path: string, token: string) {
    this.http = http
    this.path = path
    this.token = token
  }

  /** Makes an identity provider of the organization, with a token. */
  static async open({ http, path }: OrganizationClient): Promise<ScimConnection> {
    const provider = { name: 'IdP', scim: { enabled: true } }
    const made = await http.send('POST', `${path}/identity_providers`, [201], provider)
    const tokens = `${path}/identity_providers/${made.body.id}/scim_tokens`
    const { body } = await http.send('POST', tokens, [201], {})
    return new ScimConnection(http.withKey(body.token), `/scim/v2/${uuidOf(made.body.id)}`, body.token)
  }

  async createUser(userName: string, fields?: Readonly<Record<string, unknown>>): Promise<ScimUser> {
    const found = await this.findUser(userName)
    if (found !== undefined) return found
    return (await this.#send('POST', '/Users', [201], scimUserBody(userName, fields))) as ScimUser
  }

  async findUser(userName: string): Promise<ScimUser | undefined> {
    const filter = encodeURIComponent(`userName eq "${userName}"`)
    const { Resources } = (await this.#send('GET', `/Users?filter=${filter}`, [200])) as List<ScimUser>
    return Resources[0]
  }

  async setActive(id: string, active: boolean): Promise<void> {
    const operation = { op: 'replace', path: 'active', value: active }
    await this.#send('PATCH', `/Users/${id}`, [200], { schemas: [PATCH], Operations: [operation] })
  }

  async createGroup(displayName: string): Promise<string> {
    const body = { schemas: [GROUP], displayName, members: [] }
    return ((await this.#send('POST', '/Groups', [201], body)) as { id: string }).id
  }

  async deleteGroup(id: string): Promise<void> {
    await this.#send('DELETE', `/Groups/${id}`, [204, 404])
  }

  /** Adds or removes users, a hundred in a request. */
  async patchMembers(groupId: string, op: 'add' | 'remove', userIds: readonly string[]): Promise<void> {
    for (let from = 0; from < userIds.length; from += CHUNK) {
      const value = userIds.slice(from, from + CHUNK).map((id) => ({ value: id }))
      const body = { schemas: [PATCH], Operations: [{ op, path: 'members', value }] }
      await this.#send('PATCH', `/Groups/${groupId}`, [200], body)
    }
  }

  async memberIds(groupId: string): Promise<string[]> {
    const group = (await this.#send('GET', `/Groups/${groupId}`, [200])) as { members?: { value: string }[] }
    return (group.members ?? []).map(({ value }) => value)
  }

  /** Everything of `/Users` or `/Groups`, page after page. */
  async *list<Item>(kind: 'Users' | 'Groups', query = ''): AsyncGenerator<Item> {
    for (let startIndex = 1; ; ) {
      const page = (await this.#send(
        'GET',
        `/${kind}?startIndex=${startIndex}&count=${PAGE_COUNT}${query}`,
        [200],
      )) as List<Item>
      yield* page.Resources
      startIndex += page.Resources.length
      if (page.Resources.length === 0 || startIndex > page.totalResults) return
    }
  }

  /** A bulk request, sent a single time. @throws {Unanswered} */
  async bulk(operations: readonly unknown[]): Promise<{ bulkId?: string; status: string }[]> {
    const body = { schemas: [BULK], Operations: operations }
    const answer = await this.http.sendOnce('POST', `${this.path}/Bulk`, [200], body)
    return answer.body.Operations
  }

  async #send(method: string, path: string, accepted: readonly number[], body?: unknown): Promise<unknown> {
    this.requests++
    return (await this.http.send(method, this.path + path, accepted, body)).body
  }
}

interface List<Item> {
  readonly totalResults: number
  readonly Resources: readonly Item[]
}
