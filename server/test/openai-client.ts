import assert from 'node:assert/strict'
import OpenAI, { APIError, type ClientOptions } from 'openai'
import type { TestApp } from './app.ts'

/** The vendor's own client, unmodified and over the network, and what it has sent. */
export interface OpenaiClient {
  readonly sdk: OpenAI
  /** Its admin part. */
  readonly organization: OpenAI['admin']['organization']
  /** Every request with its path and query, those it repeats included. */
  readonly sent: { readonly method: string; readonly url: string }[]
}

const addresses = new WeakMap<TestApp, Promise<string>>()

/** The vendor's client of a server that listens, with a key of an organization as its admin key. */
export async function openaiClient(
  app: TestApp,
  key: string,
  options: ClientOptions = {},
): Promise<OpenaiClient> {
  const listening = addresses.get(app) ?? app.http.listen({ host: '127.0.0.1', port: 0 })
  addresses.set(app, listening)
  const sent: OpenaiClient['sent'] = []
  const sdk = new OpenAI({
    adminAPIKey: key,
    baseURL: `${await listening}/v1`,
    fetch: (input, init) => {
      const { pathname, search } = new URL(input instanceof Request ? input.url : input)
      sent.push({ method: init?.method ?? 'GET', url: pathname + search })
      return fetch(input, init)
    },
    ...options,
  })
  return { sdk, organization: sdk.admin.organization, sent }
}

/** Asserts that a call of the client is refused with this status, code and param, and answers the error. */
export async function assertRefused(
  call: Promise<unknown>,
  status: number,
  code: string,
  param: string | null = null,
): Promise<APIError> {
  const error = await call.then(
    () => assert.fail(`this was not refused with ${status} ${code}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof APIError, String(error))
  assert.deepEqual([error.status, error.code, error.param], [status, code, param], error.message)
  assert.deepEqual(Object.keys(error.error as object), ['message', 'type', 'param', 'code'])
  assert.equal(typeof error.type, 'string')
  assert.match(error.requestID ?? '', /^req_/)
  return error
}
