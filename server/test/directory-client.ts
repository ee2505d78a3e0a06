import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { Answer, Call, TestApp } from './app.ts'

export type DirectoryClient = ReturnType<typeof directoryClient>

/** One organization through the Directory API; every call but `send` has to succeed. */
export function directoryClient(app: TestApp, path: string, key?: string) {
  let made = 0
  async function send(method: string, tail: string, given: Call = {}): Promise<Answer> {
    return await app.call(method, `${path}${tail}`, { ...(key === undefined ? {} : { key }), ...given })
  }
  async function ok(method: string, tail: string, body?: unknown): Promise<Answer['body']> {
    const answer = await send(method, tail, body === undefined ? {} : { body })
    assert.ok(answer.status < 300, `${method} ${path}${tail} ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  return {
    path,
    send,
    ok,
    get: (tail: string) => ok('GET', tail),
    post: (tail: string, body?: unknown) => ok('POST', tail, body),
    /** Sends what has to be refused, and asserts the status and the code. */
    async refused(method: string, tail: string, code: string, status: number, given: Call = {}) {
      const answer = await send(method, tail, given)
      const about = `${method} ${tail}: ${JSON.stringify(answer.body)}`
      assert.deepEqual([answer.body.code, answer.status], [code, status], about)
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
      return answer.body
    },
    async member(more: Record<string, unknown> = {}): Promise<Answer['body']> {
      made += 1
      const body = { email: `m${made}-${process.hrtime.bigint()}@members.example`, ...more }
      return await ok('POST', '/members', body)
    },
    async group(more: Record<string, unknown> = {}): Promise<Answer['body']> {
      made += 1
      return await ok('POST', '/groups', { name: `Group ${made}`, ...more })
    },
    add: (groupId: string, memberId: string, more: object = {}) =>
      ok('POST', `/groups/${groupId}/members`, { member: memberId, ...more }),
    /** The ids of those a group shows. */
    async roster(groupId: string): Promise<string[]> {
      const { data } = await ok('GET', `/groups/${groupId}/members?limit=1000`)
      return data.map((row: { id: string }) => row.id)
    },
    /** A key's secret. */
    async key(scopes: readonly string[], more: object = {}): Promise<string> {
      return (await ok('POST', '/api_keys', { name: 'key', scopes, ...more })).key
    },
    /** Submits who should be in a group, by reference id, and waits until it is not pending. */
    async sync(groupId: string, references: readonly string[]): Promise<Answer['body']> {
      const members = references.map((reference) => ({ external_reference_id: reference }))
      const { id } = await ok('POST', `/groups/${groupId}/member_syncs`, { members })
      for (let tries = 0; tries < 3000; tries++) {
        const sync = await ok('GET', `/groups/${groupId}/member_syncs/${id}`)
        if (sync.status !== 'pending') return sync
        await setTimeout(5)
      }
      throw new Error('a member sync stays pending')
    },
    /** The newest change. */
    async lastChange(): Promise<Answer['body']> {
      return (await ok('GET', '/changes?order=desc&limit=1')).data[0]
    },
  }
}
