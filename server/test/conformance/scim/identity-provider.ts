import assert from 'node:assert/strict'
import { type Answer, startTestApp, type TestApp } from '../../app.ts'
import { statementsOf } from '../../count-statements.ts'
import { openScim, type ScimTestClient } from '../../scim-client.ts'

/** What an identity provider sends with every request. */
export type Habits = Readonly<Record<string, string>>

export const ENTRA: Habits = { 'content-type': 'application/scim+json; charset=utf-8', accept: '*/*' }
export const OKTA: Habits = {
  'content-type': 'application/scim+json; charset=utf-8',
  'accept-charset': 'utf-8',
  'user-agent': 'Okta SCIM Client 1.0.0',
}

/** An identity provider that pushes to a server of its own. */
export interface IdentityProvider extends ScimTestClient {
  readonly app: TestApp
  /** The ids that a filter finds; `of` is an endpoint. */
  find(filter: string, of?: string): Promise<string[]>
  /** The texts of the statements that some work sends, without those that come when it is their time: token, log. */
  statementsOf(work: () => Promise<unknown>): Promise<string[]>
  /** Runs something that has to leave a resource, and the record of changes, as they were. */
  unchanged<T>(path: string, work: () => Promise<T>): Promise<T>
}

/** Starts a server, and a connection of its organization `acme` whose every answer is held against the common rules. */
export async function startIdentityProvider(habits: Habits = {}): Promise<IdentityProvider> {
  return await openIdentityProvider(await startTestApp({ withoutTasks: true }), 'acme', habits)
}

/** The same in an organization of a server that runs already. */
export async function openIdentityProvider(
  app: TestApp,
  slug: string,
  habits: Habits = {},
): Promise<IdentityProvider> {
  return asIdentityProvider(app, await openScim(conforming(app, habits), slug))
}

export function asIdentityProvider(app: TestApp, scim: ScimTestClient): IdentityProvider {
  return {
    ...scim,
    app: conforming(app),
    async find(filter, of = '/Users') {
      const { Resources } = await scim.expect(200, 'GET', `${of}?filter=${encodeURIComponent(filter)}`)
      return Resources.map(({ id }: { id: string }) => id)
    },
    async statementsOf(work) {
      const texts = await statementsOf(app.database, work)
      // The log is written, and the token looked at again, a few times a second, whatever is asked meanwhile.
      return texts.filter((text) => !/\bscim_(request|credential|token)\b/.test(text))
    },
    async unchanged(path, work) {
      const state = async () => [
        (await scim.expect(200, 'GET', path)).meta,
        (await scim.directory.lastChange()).id,
      ]
      const before = await state()
      const result = await work()
      assert.deepEqual(await state(), before)
      return result
    },
  }
}

/** The server as an identity provider calls it: with its headers, and every SCIM answer held against the common rules. */
export function conforming(app: TestApp, habits: Habits = {}): TestApp {
  return {
    ...app,
    async call(method, path, given = {}) {
      if (!path.startsWith('/scim/')) return await app.call(method, path, given)
      const answer = await app.call(method, path, { ...given, headers: { ...habits, ...given.headers } })
      holdAgainstRules(method, path, answer, app.directory.mailing.publicUrl())
      return answer
    },
  }
}

const urns = (names: unknown): boolean =>
  Array.isArray(names) && names.length > 0 && names.every((name) => /^urn:ietf:params:scim:/.test(name))

function holdAgainstRules(method: string, path: string, answer: Answer, origin: string): void {
  const { status, headers, body } = answer
  const about = `${method} ${path}: ${status} ${JSON.stringify(body).slice(0, 1000)}`
  assert.notEqual(status, 500, about)
  if (status === 204 || status === 304) {
    assert.equal(body, '', about)
    return
  }
  assert.equal(headers['content-type'], 'application/scim+json', about)
  if (status >= 400) holdError(answer, about)
  else holdSuccess(path, answer, origin, about)
}

function holdError({ status, headers, body }: Answer, about: string): void {
  assert.deepEqual(body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error'], about)
  assert.equal(body.status, String(status), about)
  assert.ok(typeof body.detail === 'string' && body.detail.length > 10, about)
  if (status === 401) assert.equal(headers['www-authenticate'], 'Bearer', about)
  if (status === 405) assert.match(String(headers.allow), /^[A-Z]+(, [A-Z]+)*$/, about)
  if (status === 429 || status === 503) assert.match(String(headers['retry-after']), /^[1-9]\d*$/, about)
}

function holdSuccess(path: string, { status, headers, body }: Answer, origin: string, about: string): void {
  assert.ok(urns(body.schemas), about)
  const [kind] = body.schemas
  if (kind.endsWith(':BulkResponse')) return
  const isList = kind.endsWith(':ListResponse')
  if (isList) {
    assert.equal(typeof body.totalResults, 'number', about)
    assert.equal(body.itemsPerPage, body.Resources.length, about)
    assert.ok(body.totalResults >= body.itemsPerPage, about)
  }
  const isProjected = /attributes=/i.test(path) || path.endsWith('/.search')
  const base = `${origin}${/^\/scim\/v2\/[^/?]+/.exec(path.replace(/\/+/g, '/'))?.[0]}`
  for (const resource of isList ? body.Resources : [body]) {
    holdResource(resource, about)
    if (!isProjected) holdMeta(resource, base, about)
  }
  if (body.meta?.version !== undefined) assert.equal(headers.etag, body.meta.version, about)
  if (status !== 201) return
  assert.match(String(headers.location), /^https?:\/\/[^/]+\/scim\/v2\//, about)
  if (!isProjected) assert.equal(headers.location, body.meta.location, about)
}

function holdResource(resource: Answer['body'], about: string): void {
  assert.ok(urns(resource.schemas), about)
  assert.ok(resource.meta?.resourceType === 'ServiceProviderConfig' || resource.id.length > 0, about)
  assert.equal(resource.password, undefined, about)
  const primaries = (resource.emails ?? []).map((email: { primary?: unknown }) => email.primary)
  for (const value of [resource.active, ...primaries]) {
    assert.ok(value === undefined || typeof value === 'boolean', about)
  }
}

function holdMeta({ id, meta }: Answer['body'], base: string, about: string): void {
  const { resourceType, location, created, lastModified } = meta
  const tail = resourceType === 'ServiceProviderConfig' ? resourceType : `${resourceType}s/${id}`
  assert.equal(location, `${base}/${tail}`, about)
  const isStored = resourceType === 'User' || resourceType === 'Group'
  if (isStored) assert.ok(Date.parse(created) <= Date.parse(lastModified), about)
}
