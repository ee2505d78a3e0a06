import assert from 'node:assert/strict'
import type { Answer, TestApp } from './app.ts'

export interface VitableRow {
  readonly reference_id: string
  readonly first_name: string
  readonly last_name: string
  readonly email?: string | null
  readonly [field: string]: unknown
}

export interface VitableResults {
  readonly added_group_member_ids: string[]
  readonly removed_group_member_ids: string[]
  readonly failures: { reference_id: string; operation: string; reason: string }[]
}

/** A row with a name and nothing else, unless said. */
export function person(referenceId: string, more: Record<string, unknown> = {}): VitableRow {
  return { reference_id: referenceId, first_name: 'Ada', last_name: 'Lovelace', ...more }
}

/** What an integrator does with Vitable's API, one call a function. */
export function vitableClient(app: TestApp, key: string) {
  let groups = 0
  return {
    call: (method: string, path: string, body?: unknown) => app.call(method, path, { key, body }),
    async group(name = `Group ${++groups}`): Promise<string> {
      const body = { name, external_reference_id: `ref of ${name}` }
      const created = await app.call('POST', '/v1/groups', { key, body })
      assert.equal(created.status, 201, JSON.stringify(created.body))
      return created.body.data.id
    },
    /** Submits a roster and answers the request's id. */
    async submit(groupId: string, members: readonly VitableRow[]): Promise<string> {
      const answer = await app.call('POST', `/v1/groups/${groupId}/members/sync`, { key, body: { members } })
      assert.equal(answer.status, 202, JSON.stringify(answer.body))
      return answer.body.data.request_id
    },
    async read(groupId: string, requestId: string): Promise<Answer['body']> {
      const answer = await app.call('GET', `/v1/groups/${groupId}/members/sync/${requestId}`, { key })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body.data
    },
    /** Submits a roster and waits for its results. */
    async sync(groupId: string, members: readonly VitableRow[]): Promise<VitableResults> {
      const requestId = await this.submit(groupId, members)
      return (await app.syncOver(key, groupId, requestId)).results
    },
  }
}

/** The members that the Directory API shows in a group, by reference id. */
export async function rosterOf(
  app: TestApp,
  organizationPath: string,
  groupId: string,
): Promise<Map<string | null, Answer['body']>> {
  const answer = await app.call('GET', `${organizationPath}/groups/${groupId}/members?limit=1000`)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return new Map(
    answer.body.data.map((row: { external_reference_id: string | null }) => [row.external_reference_id, row]),
  )
}
