import assert from 'node:assert/strict'
import type { Answer, TestApp } from './app.ts'

export type PosthogClient = ReturnType<typeof posthogClient>

/** One organization through PostHog's dialect. */
export function posthogClient(app: TestApp, key: string, organization = '@current') {
  const path = `/api/organizations/${organization}`
  const send = (method: string, tail: string, body?: unknown): Promise<Answer> =>
    app.call(method, `${path}${tail}`, { key, ...(body === undefined ? {} : { body }) })
  async function ok(method: string, tail: string, status: number, body?: unknown): Promise<Answer['body']> {
    const answer = await send(method, tail, body)
    assert.equal(answer.status, status, `${method} ${tail} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  return {
    path,
    send,
    get: (tail: string) => ok('GET', tail, 200),
    post: (tail: string, body?: unknown) => ok('POST', tail, 201, body),
    /** A POST that makes nothing. */
    act: (tail: string, body?: unknown) => ok('POST', tail, 200, body),
    patch: (tail: string, body?: unknown) => ok('PATCH', tail, 200, body),
    put: (tail: string, body?: unknown) => ok('PUT', tail, 200, body),
    remove: (tail: string) => ok('DELETE', tail, 204),
    /** Sends what has to be refused: the status, the code and the field. */
    async refused(
      method: string,
      tail: string,
      [status, code, attr]: readonly [number, string, string | null],
      body?: unknown,
    ): Promise<Answer['body']> {
      const answer = await send(method, tail, body)
      const about = `${method} ${tail}: ${JSON.stringify(answer.body)}`
      assert.deepEqual([answer.status, answer.body.code, answer.body.attr], [status, code, attr], about)
      assert.deepEqual(Object.keys(answer.body), ['type', 'code', 'detail', 'attr'])
      return answer.body
    },
  }
}
