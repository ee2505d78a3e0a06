import assert from 'node:assert/strict'
import { PlaneClient } from '@makeplane/plane-node-sdk'
import type { Answer, TestApp } from './app.ts'
import { directoryClient } from './directory-client.ts'

export interface PlaneRequest {
  readonly key?: string | null
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export type PlaneWorld = Awaited<ReturnType<typeof openPlaneWorld>>
export type PlaneSpace = Awaited<ReturnType<PlaneWorld['workspace']>>

/** An organization whose workspaces are asked for in Plane's dialect. */
export async function openPlaneWorld(app: TestApp, slug: string) {
  const organization = await app.organization(slug)
  const directory = directoryClient(app, organization.path)
  const roles: Record<string, string> = {}
  for (const role of (await directory.get('/roles')).data) roles[`${role.resource} ${role.key}`] = role.id
  let made = 0
  const send = (method: string, path: string, { key = organization.key, ...call }: PlaneRequest = {}) =>
    app.call(method, path, {
      key: null,
      ...call,
      headers: {
        ...(key === null ? {} : { 'x-api-key': key }),
        'content-type': 'application/json',
        ...call.headers,
      },
    })

  return {
    ...organization,
    directory,
    roles,
    send,
    /** A workspace with an owner, who has a key; people are added to it as `person`. */
    async workspace(name = `${slug}-${++made}`, more: object = {}) {
      const { id } = await directory.post('/workspaces', { name, slug: name, ...more })
      const base = `/api/v1/workspaces/${name}`
      const call = (method: string, tail: string, request?: PlaneRequest) =>
        send(method, `${base}${tail}`, request)
      async function ok(method: string, tail: string, body?: unknown, key?: string): Promise<Answer['body']> {
        const given = { ...(body === undefined ? {} : { body }), ...(key === undefined ? {} : { key }) }
        const answer = await call(method, tail, given)
        assert.ok(answer.status < 300, `${method} ${tail} ${answer.status} ${JSON.stringify(answer.body)}`)
        return answer.body
      }
      /** A member of the organization with a role on the workspace, and a key; `role` null: with none. */
      async function person(role: string | null, email = `p${++made}@${slug}.example`) {
        const member = await directory.member({ email })
        if (role !== null) {
          await directory.post('/role_assignments', {
            ...{ role: roles[`workspace ${role}`], member: member.id, target: id },
          })
        }
        const key = await directory.key(['*'], { member_id: member.id })
        const me = await send('GET', '/api/v1/users/me/', { key })
        assert.equal(me.status, 200, JSON.stringify(me.body))
        return { id: me.body.id as string, memberId: member.id as string, email, key }
      }
      const owner = await person('owner')
      return {
        id,
        slug: name,
        base,
        call,
        ok,
        person,
        owner,
        /** A project; whoever creates it with a key of their own is its admin. */
        async project(identifier: string, key = owner.key): Promise<Answer['body']> {
          return await ok('POST', '/projects/', { name: `Project ${identifier}`, identifier }, key)
        },
        /** Emails of the members that the workspace lists. */
        async emails(): Promise<string[]> {
          return (await ok('GET', '/members/')).map((row: { email: string }) => row.email)
        },
        async seats(): Promise<{ purchased: number | null; used: number; guests: number }> {
          return await directory.get(`/workspaces/${name}/seats`)
        },
        /** Sends what has to be refused, and asserts the status and the whole body. */
        async refused(status: number, body: object, method: string, tail: string, request?: PlaneRequest) {
          const answer = await call(method, tail, request)
          const said = Object.values(body)[0]
          const message = Array.isArray(said) ? said[0] : said
          assert.deepEqual([answer.status, answer.body], [status, { ...body, message }], `${method} ${tail}`)
        },
      }
    },
  }
}

const addresses = new WeakMap<TestApp, Promise<string>>()

/** The address where a server of the tests listens. */
export async function addressOf(app: TestApp): Promise<string> {
  const listening = addresses.get(app) ?? app.http.listen({ host: '127.0.0.1', port: 0 })
  addresses.set(app, listening)
  return await listening
}

/** The vendor's own client, unmodified and over the network. */
export async function planeClient(app: TestApp, apiKey: string, suffix = ''): Promise<PlaneClient> {
  return new PlaneClient({ baseUrl: `${await addressOf(app)}${suffix}`, apiKey })
}
