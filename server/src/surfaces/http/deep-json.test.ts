import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { openPlaneWorld } from '../../../test/plane-client.ts'
import { uuidOf } from '../../../test/posthog-world.ts'

const DEPTH_MAX = 32
const TOO_DEEP = 'The body must not nest values more than 32 deep.'

/** A request of a surface that is carried out whatever else its body has, and how it refuses one. */
interface Case {
  readonly surface: string
  readonly url: string
  /** Different every time, so that nothing is taken. */
  readonly body: () => Record<string, unknown>
  /** The field that takes a value of any depth, or that nobody knows and nobody minds. */
  readonly field: string
  /** Absent: the key of the organization. */
  readonly key?: string
  readonly refusal: (answer: Answer) => object
}

let app: TestApp
let key: string
let cases: Case[]
let rosters: Case[]
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const world = await openPlaneWorld(app, 'acme')
  const space = await world.workspace()
  const { id: group } = await world.directory.post('/groups', { name: 'Group', external_reference_id: 'g' })
  key = world.key
  const provider = { name: 'IdP', scim: { enabled: true } }
  const { id: connection } = await world.directory.post('/identity_providers', provider)
  const { token } = await world.directory.post(`/identity_providers/${connection}/scim_tokens`)
  let made = 0
  const named = () => ({ name: `Made ${++made}` })
  const problem = ({ body }: Answer) => ({
    type: 'urn:rollcall:problem:request.invalid',
    title: 'The request is not valid',
    status: 400,
    code: 'request.invalid',
    detail: TOO_DEEP,
    request_id: body.request_id,
  })
  const vitable = ({ body }: Answer) => ({ ...body, message: TOO_DEEP, error: TOO_DEEP })
  cases = [
    {
      ...{ surface: 'the Directory API', url: `${world.path}/workspaces/${space.slug}/teamspaces` },
      ...{ body: named, field: 'description', refusal: problem },
    },
    {
      ...{ surface: 'Vitable', url: '/v1/groups', field: 'unknown', refusal: vitable },
      body: () => ({ ...named(), external_reference_id: `r-${++made}` }),
    },
    {
      ...{ surface: 'OpenAI', url: '/v1/organization/groups', body: named, field: 'unknown' },
      refusal: () => ({
        error: { message: TOO_DEEP, type: 'invalid_request_error', param: null, code: 'invalid_value' },
      }),
    },
    ...['logo_props', 'description_json'].map((field) => ({
      ...{ surface: `Plane (${field})`, url: `${space.base}/teamspaces/`, body: named, field },
      refusal: () => ({ non_field_errors: [TOO_DEEP], message: TOO_DEEP }),
    })),
    {
      ...{ surface: 'PostHog', url: '/api/organizations/@current/roles/', body: named, field: 'unknown' },
      refusal: () => ({
        type: 'validation_error',
        code: 'invalid_input',
        detail: TOO_DEEP,
        attr: null,
      }),
    },
  ]
  cases.push({
    ...{ surface: 'SCIM', url: `/scim/v2/${uuidOf(connection)}/Users`, field: 'unknown', key: token },
    body: () => ({
      ...{ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: `u${++made}@acme.example` },
    }),
    refusal: () => ({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      ...{ scimType: 'invalidSyntax', detail: TOO_DEEP, status: '400' },
    }),
  })
  rosters = [
    {
      ...{ surface: 'Vitable', url: `/v1/groups/${group}/members/sync`, field: 'unknown' },
      ...{ body: () => ({ reference_id: 'r', first_name: 'A', last_name: 'B' }), refusal: vitable },
    },
    {
      ...{ surface: 'the Directory API', url: `${world.path}/groups/${group}/member_syncs` },
      ...{ body: () => ({ external_reference_id: 'r' }), field: 'unknown', refusal: problem },
    },
  ]
})

const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
const listed = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

/** A body with a value of its own, which is JSON or not. */
function bodyWith({ body, field }: Case, value: string): string {
  return `${JSON.stringify(body()).slice(0, -1)},"${field}":${value}}`
}

async function send({ url, ...given }: Case, raw: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  const answer = await app.call('POST', url, { key: given.key ?? key, raw, headers })
  // By a media type of its own.
  return typeof answer.body === 'string' ? { ...answer, body: JSON.parse(answer.body) } : answer
}

/** What the database holds, but for the log of what SCIM clients ask, which is written a moment later. */
async function state() {
  const { scim_request: _, ...tables } = await databaseState(app.database)
  return tables
}

async function assertTooDeep(one: Case, raw: string): Promise<void> {
  const untouched = await state()
  const answer = await send(one, raw)
  assert.deepEqual([answer.status, answer.body], [400, one.refusal(answer)], one.surface)
  assert.deepEqual(await state(), untouched, one.surface)
}

describe('a body', () => {
  it('nested as deep as allowed is taken on every surface', async () => {
    for (const one of cases) {
      const { status, body } = await send(one, bodyWith(one, nested(DEPTH_MAX - 1)))
      assert.ok(status < 300, `${one.surface} ${status} ${JSON.stringify(body)}`)
      if (one.field !== 'unknown') {
        assert.equal(JSON.stringify(body[one.field]), nested(DEPTH_MAX - 1), one.surface)
      }
    }
  })

  it('one level deeper is refused on every surface in its own words, and so is any other', async () => {
    for (const one of cases) {
      for (const levels of [DEPTH_MAX, 5_000, 20_000, 150_000]) {
        await assertTooDeep(one, bodyWith(one, nested(levels)))
        await assertTooDeep(one, bodyWith(one, listed(levels)))
      }
      await assertTooDeep(one, '['.repeat(100_000))
      await assertTooDeep(one, `{"name":"x","a":${'{"a":['.repeat(50_000)}`)
    }
  })

  it('is as deep as its objects and lists are, whatever its texts have in them', async () => {
    for (const one of cases) {
      const inText = JSON.stringify({ a: '[{'.repeat(1000), '\\"[': '\\' })
      const { status, body } = await send(one, bodyWith(one, inText))
      assert.ok(status < 300, `${one.surface} ${status} ${JSON.stringify(body)}`)
      const side = `{${Array.from({ length: 100 }, (_, n) => `"k${n}":{}`)}}`
      assert.ok((await send(one, bodyWith(one, side))).status < 300, one.surface)
      const hidden = `{"a":"\\"","b":"\\\\","c":${nested(DEPTH_MAX - 1)}}`
      await assertTooDeep(one, bodyWith(one, hidden))
    }
  })
})

describe('a roster', () => {
  /** `levels`: of the whole body. */
  const inRow = (one: Case, levels: number) => `{"members":[${bodyWith(one, listed(levels - 3))}]}`
  const beside = (one: Case, levels: number) =>
    `{"beside":${listed(levels - 1)},"members":[${JSON.stringify(one.body())}]}`

  it('is nested as deep as any other body, in a row and beside the rows', async () => {
    for (const one of rosters) {
      for (const roster of [inRow, beside]) {
        const { status, body } = await send(one, roster(one, DEPTH_MAX))
        // Our own rows are strict, which is seen only in what was parsed.
        const parsed = status === 202 || body.detail === 'members[0] has unknown fields: "unknown".'
        assert.ok(parsed, JSON.stringify(body))
        for (const levels of [DEPTH_MAX + 1, 5_000, 20_000]) await assertTooDeep(one, roster(one, levels))
      }
    }
  })
})
