import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { getIntegration, integrationSecrets } from '../../directory/integrations/integration.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
let acme: DirectoryClient
let organizationId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { id, path, key } = await app.organization('acme')
  organizationId = decodeId(idPrefixes.organization, id)!
  acme = directoryClient(app, path, key)
})

let made = 0
const connect = (more: object = {}): Promise<Answer['body']> =>
  acme.post('/integrations', { kind: 'hosting', integration_id: `icfg_${++made}`, ...more })
const project = async (name: string): Promise<string> => (await acme.post('/projects', { name })).id

describe('an integration', () => {
  it('is connected, read, listed by kind, and disconnected', async () => {
    const config = { type: 'connectable', account: { name: 'Acme', tiers: [1, 2.5, null, true] } }
    const connected = await connect({ integration_id: 'icfg_first', config })
    const { id, created_at, updated_at, created_by, ...rest } = connected
    assert.match(id, /^int_[\w-]{22}$/)
    assert.equal(created_at, updated_at)
    assert.match(created_by.id, /^key_/)
    assert.deepEqual(rest, {
      object: 'integration',
      kind: 'hosting',
      integration_id: 'icfg_first',
      config,
      environment_mapping: null,
    })
    assert.deepEqual(await acme.get(`/integrations/${id}`), connected)
    assert.equal((await acme.lastChange()).kind, 'integration.connected')
    await connect({ kind: 'chat' })
    const listed = await acme.get('/integrations?kind=hosting')
    assert.deepEqual(
      listed.data.map((row: { id: string }) => row.id),
      [id],
    )
    const preview = await acme.ok('DELETE', `/integrations/${id}?preview=true`)
    assert.equal(preview.change.kind, 'integration.disconnected')
    await acme.ok('DELETE', `/integrations/${id}`)
    await acme.refused('GET', `/integrations/${id}`, 'integration.not_found', 404)
    assert.deepEqual((await acme.lastChange()).detail, {
      ...{ integration: id, integration_kind: 'hosting', integration_id: 'icfg_first' },
    })
  })

  it('is one for each kind and id of the other product, also without an id', async () => {
    for (const integration_id of ['icfg_same', null]) {
      const body = { kind: 'once', integration_id }
      await acme.post('/integrations', body)
      await acme.refused('POST', '/integrations', 'integration.already_connected', 409, { body })
      await acme.post('/integrations', { ...body, kind: `other ${integration_id}` })
    }
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => acme.send('POST', '/integrations', { body: { kind: 'raced' } })),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409])
  })

  it('keeps its secrets encrypted, shows none, and gives them back to the server alone', async () => {
    const secrets = { access_token: 'token of the other product', refresh: 'x' }
    const connected = await connect({ secrets })
    assert.equal('secrets' in connected, false)
    assert.deepEqual((await acme.lastChange()).detail.secrets, ['access_token', 'refresh'])
    const id = decodeId(idPrefixes.integration, connected.id)!
    const server = { db: app.database, actor: { kind: 'system' }, organizationId } as const
    const row = await getIntegration(server, id)
    assert.ok(!row.secrets!.includes('token of'))
    assert.deepEqual(await integrationSecrets(app.directory, organizationId, row), secrets)
    const moved = { ...row, id: '01990000-0000-7000-8000-00000000abcd' }
    await assert.rejects(integrationSecrets(app.directory, organizationId, moved), 'bound to its row')
    assert.deepEqual(await integrationSecrets(app.directory, organizationId, { ...row, secrets: null }), {})
  })

  it('takes a config of any shape within its bounds', async () => {
    const nested = (depth: number): object => (depth === 0 ? {} : { in: nested(depth - 1) })
    await connect({ config: nested(15) })
    const deep = `${'{"in":'.repeat(20_000)}1${'}'.repeat(20_000)}`
    const refused = [
      JSON.stringify(nested(17)),
      deep,
      `{"a":"${'x'.repeat(16_384)}"}`,
      '{"a":"\\u0000"}',
      '{"a":"\\ud800"}',
      '[]',
      '"text"',
    ]
    for (const config of refused) {
      const raw = `{"kind":"k${++made}","config":${config}}`
      const headers = { 'content-type': 'application/json' }
      await acme.refused('POST', '/integrations', 'request.invalid', 400, { raw, headers })
    }
    const escaped = { text: 'a literal \\u0000, spelled out' }
    assert.deepEqual((await connect({ config: escaped })).config, escaped)
  })
})

describe('the environments of an integration', () => {
  const connectable = () => connect({ config: { type: 'connectable' } })
  const map = (id: string, body: object): Promise<Answer['body']> =>
    acme.ok('PUT', `/integrations/${id}/environment_mapping`, body)

  it('stand for projects of the organization; one left out stands for the production one', async () => {
    const [live, test] = [await project('Live'), await project('Test')]
    const { id } = await connectable()
    const mapped = await map(id, { production: live, preview: test })
    assert.deepEqual(mapped.environment_mapping, { production: live, preview: test, development: live })
    const change = await acme.lastChange()
    assert.deepEqual(
      [change.kind, change.detail.before, change.detail.after],
      ['integration.environments_mapped', null, mapped.environment_mapping],
    )
    await map(id, { production: live, preview: test })
    assert.equal((await acme.lastChange()).id, change.id, 'the same once more is no change')
    assert.deepEqual((await map(id, { production: test })).environment_mapping, {
      ...{ production: test, preview: test, development: test },
    })
  })

  it('are refused for other types, other organizations’ projects and archived ones', async () => {
    const live = await project('Live')
    const refuse = (id: string, body: object, code: string, status: number) =>
      acme.refused('PUT', `/integrations/${id}/environment_mapping`, code, status, { body })
    for (const config of [{}, { type: 'marketplace' }, { type: ['connectable'] }]) {
      await refuse((await connect({ config })).id, { production: live }, 'integration.not_connectable', 409)
    }
    const { id } = await connectable()
    const other = directoryClient(app, (await app.organization(`other-${++made}`)).path)
    const theirs = (await other.post('/projects', { name: 'Theirs' })).id
    await refuse(id, { production: live, development: theirs }, 'project.not_found', 404)
    await refuse(id, { production: 'nonsense' }, 'project.not_found', 404)
    await refuse(id, { preview: live }, 'request.invalid', 400)
    const gone = await project('Gone')
    await acme.post(`/projects/${gone}/archive`)
    await refuse(id, { production: gone }, 'project.archived', 409)
    assert.equal((await acme.get(`/integrations/${id}`)).environment_mapping, null)
  })

  it('change only if nobody changed the integration since', async () => {
    const live = await project('Live')
    const { id } = await connectable()
    const { headers } = await acme.send('GET', `/integrations/${id}`)
    const given = { headers: { 'if-match': String(headers.etag) }, body: { production: live } }
    assert.equal((await acme.send('PUT', `/integrations/${id}/environment_mapping`, given)).status, 200)
    await acme.refused('PUT', `/integrations/${id}/environment_mapping`, 'version.mismatch', 412, given)
    await acme.refused('DELETE', `/integrations/${id}`, 'version.mismatch', 412, { headers: given.headers })
  })
})
