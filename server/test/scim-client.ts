import assert from 'node:assert/strict'
import type { Answer, Call, TestApp } from './app.ts'
import { statementsOf } from './count-statements.ts'
import { type DirectoryClient, directoryClient } from './directory-client.ts'

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

type Operation = { op: string; path?: string; value?: unknown }

/** A SCIM client of one connection, as an identity provider runs it. */
export interface ScimTestClient {
  readonly connectionId: string
  /** The connection under its id in the Directory API. */
  readonly providerId: string
  readonly token: string
  readonly base: string
  /** The organization that the connection belongs to, as its own API shows it. */
  readonly directory: DirectoryClient
  call(method: string, path: string, call?: Omit<Call, 'key'>): Promise<Answer>
  /** Expects a status, and answers the body. */
  expect(status: number, method: string, path: string, body?: unknown): Promise<Answer['body']>
  /** Expects a refusal with its SCIM error body, and answers its sentence. */
  refused(
    status: number,
    scimType: string | undefined,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<string>
  user(fields?: Record<string, unknown>): Promise<Answer['body']>
  group(displayName: string, memberIds?: readonly string[]): Promise<Answer['body']>
  patch(path: string, ...operations: Operation[]): Promise<Answer['body']>
  memberIdsOf(groupId: string): Promise<string[]>
}

let users = 0

/** Opens a connection of an organization, whose domains are not verified. */
export async function openScim(app: TestApp, organizationSlug: string): Promise<ScimTestClient> {
  const { path } = await app.organization(organizationSlug)
  return await openConnection(app, directoryClient(app, path))
}

/** Another connection of the same organization. */
export async function openConnection(app: TestApp, directory: DirectoryClient): Promise<ScimTestClient> {
  const provider = await directory.post('/identity_providers', { name: 'IdP', scim: { enabled: true } })
  const { token } = await directory.post(`/identity_providers/${provider.id}/scim_tokens`, {})
  const connectionId = uuidOf(provider.id)
  const base = `/scim/v2/${connectionId}`

  async function call(method: string, url: string, given: Omit<Call, 'key'> = {}): Promise<Answer> {
    return await app.call(method, `${base}${url}`, { key: token, ...given })
  }
  async function expect(status: number, method: string, url: string, body?: unknown) {
    const answer = await call(method, url, body === undefined ? {} : { body })
    assert.equal(answer.status, status, `${method} ${url}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  return {
    ...{ connectionId, providerId: provider.id, token, base, directory, call, expect },
    async refused(status, scimType, method, url, body) {
      const answer = await expect(status, method, url, body)
      assert.deepEqual(answer.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error'])
      assert.equal(answer.status, String(status))
      assert.equal(answer.scimType, scimType, JSON.stringify(answer))
      assert.ok(answer.detail.length > 0)
      return answer.detail
    },
    async user(fields = {}) {
      users++
      const body = { schemas: [USER], userName: `user-${users}@acme.example`, ...fields }
      return await expect(201, 'POST', '/Users', body)
    },
    async group(displayName, memberIds = []) {
      const members = memberIds.map((value) => ({ value }))
      return await expect(201, 'POST', '/Groups', { schemas: [GROUP], displayName, members })
    },
    async patch(url, ...operations) {
      return await expect(200, 'PATCH', url, { schemas: [PATCH], Operations: operations })
    },
    async memberIdsOf(groupId) {
      const group = await expect(200, 'GET', `/Groups/${groupId}`)
      return group.members.map((member: { value: string }) => member.value).sort()
    },
  }
}

/** The UUID behind one of the Directory API's ids. */
export function uuidOf(id: string): string {
  const hex = Buffer.from(id.slice(id.indexOf('_') + 1), 'base64url').toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** How many statements some requests sent, without those that look up, every half second, whose token it is. */
export async function countScimStatements(app: TestApp, work: () => Promise<unknown>): Promise<number> {
  const texts = await statementsOf(app.database, work)
  return texts.filter((text) => !text.includes('scim_credential')).length
}
