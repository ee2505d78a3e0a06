import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ROOT_KEY } from '../../../test/app.ts'
import { directoryClient } from '../../../test/directory-client.ts'
import { posthogClient } from '../../../test/posthog-client.ts'
import { openPosthogWorld, type PosthogWorld, uuidOf } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

const FIELDS = `id name slug logo_media_id created_at updated_at membership_level plugins_access_level teams projects
  available_product_features is_member_join_email_enabled metadata customer_id enforce_2fa members_can_invite
  members_can_use_personal_api_keys allow_publicly_shared_resources member_count is_ai_data_processing_approved
  default_experiment_stats_method default_role_id enforce_verified_domains`

describe('organizations', () => {
  it('are listed: the one of the key, with every field', async () => {
    const { app, key, organizationId } = world
    for (const path of ['/api/organizations', '/api/organizations/']) {
      const { body } = await app.call('GET', path, { key })
      assert.partialDeepStrictEqual(body, { count: 1, next: null, previous: null })
      assert.deepEqual(Object.keys(body.results[0]).toSorted(), FIELDS.split(/\s+/).toSorted())
      assert.partialDeepStrictEqual(body.results[0], {
        id: organizationId,
        slug: 'acme',
        membership_level: 15,
      })
    }
    assert.deepEqual((await app.call('GET', '/api/organizations/?offset=1', { key })).body.results, [])
  })

  it('tell the level of the member that the key acts as, and how many are active', async () => {
    const { client, directory } = world
    const before = (await client.get('/')).member_count
    const admin = await world.memberKey(8)
    await directory.ok('POST', `/members/${(await directory.member()).id}/suspend`)
    assert.partialDeepStrictEqual(await admin.client.get('/'), {
      membership_level: 8,
      member_count: before + 1,
    })
  })

  it('list their projects, those of workspaces as well, by the numbers that other calls know them by', async () => {
    const { app } = world
    const { id, path, key } = await app.organization('projects')
    const [client, directory] = [posthogClient(app, key), directoryClient(app, path, key)]
    const organization = uuidOf(id)
    const one = await directory.post('/projects', { name: 'One' })
    await directory.post('/workspaces', { name: 'W', slug: 'projects-w' })
    const inWorkspace = { name: 'Two', identifier: 'TWO', network: 0 }
    await app.call('POST', '/api/v1/workspaces/projects-w/projects/', { key, body: inWorkspace })
    const two = (await directory.get('/workspaces/projects-w/projects')).data[0]
    const gone = await directory.post('/projects', { name: 'Gone' })
    await directory.ok('POST', `/projects/${gone.id}/archive`)
    const { projects, teams } = await client.get('/')
    const [first, second] = projects
    assert.ok(Number.isSafeInteger(first.id) && first.id < second.id)
    assert.deepEqual(projects, [
      { id: first.id, organization_id: organization, name: 'One' },
      { id: second.id, organization_id: organization, name: 'Two' },
    ])
    const fixed = { api_token: null, completed_snippet_onboarding: false, ingested_event: false }
    assert.deepEqual(
      teams,
      [one, two].map((made, place) => ({
        ...{
          id: projects[place]!.id,
          uuid: uuidOf(made!.id),
          organization,
          project_id: projects[place]!.id,
          name: made!.name,
        },
        ...{ access_control: place === 1, ...fixed, is_demo: false, timezone: 'UTC' },
      })),
    )
    // What was read may be sent back; it changes nothing.
    assert.deepEqual((await client.patch('/', { projects: [], teams })).projects, projects)
  })

  it('list no projects to a key that may not read them', async () => {
    const { app, client, directory } = world
    await world.project()
    const { key } = await directory.post('/api_keys', { name: 'k', scopes: ['organization:read'] })
    const shown = await posthogClient(app, key).get('/')
    assert.deepEqual([shown.projects, shown.teams], [[], []])
    assert.notDeepEqual((await client.get('/')).projects, [])
  })

  it('are renamed, and take no setting that nothing here does', async () => {
    const { client } = world
    const named = await client.patch('/', { name: 'Acme Inc.', enforce_2fa: false, slug: 'ignored' })
    assert.deepEqual([named.name, named.slug], ['Acme Inc.', 'acme'])
    await client.refused('PATCH', '/', [400, 'invalid_input', 'enforce_2fa'], { enforce_2fa: true })
    await client.refused('PATCH', '/', [400, 'invalid_input', 'name'], { name: '' })
    assert.equal((await client.patch('/')).name, 'Acme Inc.')
  })

  it('are not created by a key of one, and not seen by the root key', async () => {
    const { app, key } = world
    const denied = await app.call('POST', '/api/organizations/', { key, body: { name: 'New' } })
    assert.deepEqual([denied.status, denied.body.code], [403, 'permission_denied'])
    await posthogClient(app, ROOT_KEY).refused('GET', '/', [403, 'permission_denied', null])
  })

  it('are deleted by an owner alone', async () => {
    const { app } = world
    const { key } = await app.organization('gone')
    const admin = await world.memberKey(8)
    await admin.client.refused('DELETE', '/', [403, 'permission_denied', null])
    await posthogClient(app, key).remove('/')
    const { deleted_at: deletedAt } = (await app.call('GET', '/directory/v1/organizations/gone')).body
    assert.notEqual(deletedAt, null)
  })
})

describe('a refusal', () => {
  const types: [string, () => Promise<{ status: number; body: object }>, number, object][] = [
    [
      'without a key',
      () => world.app.call('GET', '/api/organizations/@current/', { key: null }),
      401,
      { type: 'authentication_error', code: 'not_authenticated', attr: null },
    ],
    [
      'with an unknown key',
      () => world.app.call('GET', '/api/organizations/@current/', { key: 'phx_unknown' }),
      401,
      { type: 'authentication_error', code: 'authentication_failed', attr: null },
    ],
    [
      'of a path that is none',
      () => world.client.send('GET', '/nothing/'),
      404,
      { type: 'invalid_request', code: 'not_found', attr: null },
    ],
    [
      'of a URL that cannot be read',
      () => world.client.send('GET', '/domains/%'),
      400,
      { type: 'validation_error', code: 'invalid_input', attr: null },
    ],
    [
      'of a body that is no JSON',
      () =>
        world.app.call('POST', '/api/organizations/@current/invites/', {
          ...{ key: world.key, raw: '{' },
        }),
      400,
      { type: 'validation_error', code: 'invalid_input', attr: null },
    ],
    [
      'of a body of another media type',
      () =>
        world.app.call('POST', '/api/organizations/@current/invites/', {
          ...{ key: world.key, raw: 'a=b', headers: { 'content-type': 'text/plain' } },
        }),
      415,
      { type: 'invalid_request', code: 'unsupported_media_type', attr: null },
    ],
  ]
  for (const [name, send, status, expected] of types) {
    it(`${name} has the four fields of the dialect`, async () => {
      const answer = await send()
      assert.equal(answer.status, status)
      assert.deepEqual(Object.keys(answer.body), ['type', 'code', 'detail', 'attr'])
      assert.partialDeepStrictEqual(answer.body, expected)
    })
  }
})
