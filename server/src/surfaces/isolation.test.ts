import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, type Call, ROOT_KEY, startTestApp, type TestApp } from '../../test/app.ts'
import { databaseState } from '../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../test/directory-client.ts'
import { isOpenai, type OpenaiIds, openaiBody, openaiIds, openaiIdsOf } from '../../test/openai-isolation.ts'
import { isPlane, planeBody, planeIds, planeIdsOf } from '../../test/plane-isolation.ts'
import {
  isPosthog,
  posthogBody,
  posthogIds,
  posthogStatus,
  startProjectNumbersHigh,
} from '../../test/posthog-isolation.ts'
import { type Route, routesOf } from '../../test/route-table.ts'
import { vitableClient } from '../../test/vitable-client.ts'

/** Routes that no credential is for, outside of the OpenAPI document. */
const OPERATIONS = /^\/(healthz|readyz|openapi\.json|docs.*|invitations\/accept)$/
/** Routes that take the token of an invitation instead of a credential. */
const WITH_TOKEN = /^\/directory\/v1\/invitation_(lookups|acceptances)$/

const UNKNOWN_BYTES = Buffer.from('0199000000007000800000000000abcd', 'hex')

const UNKNOWN_UUID = '01990000-0000-7000-8000-00000000abcd'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Ids by the parameter or the field of a body that takes them. */
type Ids = Readonly<Record<string, string>>

const UNKNOWN_IDS: Ids = {
  members: `mem_${UNKNOWN_BYTES.toString('base64url')}`,
  projects: `prj_${UNKNOWN_BYTES.toString('base64url')}`,
}

/** What stands before the UUID of an id. */
const PREFIX = /^[a-z]+[_-](?=.{22}$)/

/** One organization with a thing of every kind. */
interface World {
  readonly key: string
  readonly directory: Ids
  readonly vitable: Ids
  readonly openai: OpenaiIds
  readonly plane: Ids
  readonly posthog: Ids
}

let app: TestApp
let routes: Route[]
/** The organization that is to be left alone, and the one whose credential tries. */
let alpha: World
let beta: World
before(async () => {
  app = await startTestApp()
  routes = routesOf(app.http)
  await startProjectNumbersHigh(app)
  alpha = await world('alpha')
  beta = await world('beta')
})

async function world(slug: string): Promise<World> {
  const { id, path, key } = await app.organization(slug)
  const client = directoryClient(app, path)
  const group = await client.group({ external_reference_id: 'shared' })
  await client.sync(group.id, ['one', 'two'])
  await client.ok('PATCH', '', { settings: { removal_brake: { member_sync: { max_removals: 0 } } } })
  const held = await client.sync(group.id, [])
  const [member, other] = [await client.member(), await client.member()]
  await client.add(group.id, member.id)
  const apiKey = await client.post('/api_keys', { name: 'k', scopes: ['*'] })
  await client.post('/workspaces', { name: 'Space', slug: `${slug}-space` })
  const project = await client.post(`/workspaces/${slug}-space/projects`, { name: 'P', identifier: 'PRO' })
  const workspace = await client.get(`/workspaces/${slug}-space`)
  const colleague = { role: await roleId(client, 'workspace', 'member'), member: other.id }
  await client.post('/role_assignments', { ...colleague, target: workspace.id })
  const teamspace = await client.post(`/workspaces/${slug}-space/teamspaces`, { name: 'T', lead: other.id })
  const shared = await client.post(`/workspaces/${slug}-space/pages`, { name: 'P', project: project.id })
  const mappings = `/workspaces/${slug}-space/group_sync`
  const mapped = { idp_group_name: 'staff', role: colleague.role }
  const workspaceMapping = await client.post(`${mappings}/workspace_mappings`, mapped)
  const mappedOnAll = { ...mapped, role: await roleId(client, 'project', 'member'), all_projects: true }
  const projectMapping = await client.post(`${mappings}/project_mappings`, mappedOnAll)
  await client.ok('DELETE', `/groups/${group.id}/members/${member.id}`)
  const removal = await client.lastChange()
  const role = await client.post('/roles', {
    name: 'Role',
    permissions: ['groups:read'],
    resource: 'project',
  })
  const assigned = { role: role.id, group: group.id, target: project.id }
  const assignment = await client.post('/role_assignments', assigned)
  const provider = await client.post('/identity_providers', { name: 'IdP', scim: { enabled: true } })
  const scimToken = await client.post(`/identity_providers/${provider.id}/scim_tokens`)
  const domain = await client.post('/domains', { name: `${slug}.example`, identity_provider: provider.id })
  const config = { type: 'connectable' }
  const integration = await client.post('/integrations', { kind: 'hosting', integration_id: slug, config })
  const invitation = await client.post('/invitations', { email: 'invited@people.example' })
  const vitable = vitableClient(app, key)
  const group_id = await vitable.group()
  const request_id = await vitable.submit(group_id, [])
  await app.syncOver(key, group_id, request_id)
  return {
    key,
    directory: {
      org: id,
      member: member.id,
      group: group.id,
      sync: held.id,
      plan: held.held_plan,
      change: removal.id,
      key: apiKey.id,
      workspace: `${slug}-space`,
      project: project.id,
      teamspace: teamspace.id,
      page: shared.id,
      colleague: other.id,
      workspace_mapping: workspaceMapping.id,
      project_mapping: projectMapping.id,
      workspace_role: colleague.role,
      role: role.id,
      assignment: assignment.id,
      domain: domain.id,
      identity_provider: provider.id,
      scim_token: scimToken.id,
      integration: integration.id,
      invitation: invitation.id,
      target: project.id,
      from: other.id,
      member_id: member.id,
    },
    vitable: { group_id, request_id },
    openai: await openaiIds(app, key, other.id),
    plane: await planeIds(app, key, path, `${slug}-plane`),
    posthog: await posthogIds(app, key, {
      ...{ organization: id, member: other.id, project: project.id },
      ...{ integration: integration.id, invitation: invitation.id },
    }),
  }
}

async function roleId(client: DirectoryClient, resource: string, key: string): Promise<string> {
  const { data } = await client.get(`/roles?resource=${resource}`)
  return data.find((role: { key: string | null }) => role.key === key).id
}

const documentable = () =>
  routes.filter(({ path }) => !OPERATIONS.test(path) && path !== '/scim/v2/{connection}/Me')
/** Routes that API keys are for; SCIM connections have a walk of their own (scim/isolation.test.ts). */
const guarded = () =>
  documentable().filter(({ path }) => !WITH_TOKEN.test(path) && !path.startsWith('/scim/'))
const nameOf = ({ method, path }: Route) => `${method} ${path}`
const isVitable = (path: string) => path.startsWith('/v1/') && !isOpenai(path)
function idsOf(world: World, { path }: Route): Ids {
  if (isPosthog(path)) return world.posthog
  if (isOpenai(path)) return openaiIdsOf(world.openai, path)
  if (isPlane(path)) return planeIdsOf(world.plane, path)
  return isVitable(path) ? world.vitable : world.directory
}

/** Bodies that pass the schemas, so that the answer is about the id and not about the body. */
function bodyFor(route: Route, ids: Ids): object | undefined {
  const { path, method } = route
  if (isPlane(path)) return planeBody(route)
  const set = /\/teamspaces\/\{teamspace\}\/(members|projects)$/.exec(path)?.[1]
  // Whoever is removed but not there is passed over, so a removal names somebody unknown.
  if (set !== undefined && method === 'DELETE') return { [set]: [UNKNOWN_IDS[set]] }
  if (method === 'GET' || method === 'DELETE') return undefined
  if (isPosthog(path)) return posthogBody(path, ids)
  if (set === 'members') return { members: [ids.colleague ?? ''] }
  if (set === 'projects') return { projects: [ids.project ?? ''], role: ids.role ?? '' }
  if (path.endsWith('/teamspaces')) return { name: 'x', lead: ids.colleague ?? '' }
  if (path.endsWith('{teamspace}')) return { name: 'Taken over', lead: ids.colleague ?? '' }
  if (path.endsWith('/pages') || path.endsWith('{page}')) return { name: 'x', project: ids.project ?? '' }
  if (path.endsWith('{member}/role')) return { role: ids.workspace_role ?? '' }
  if (path.endsWith('/group_sync')) return { default_workspace_role: ids.workspace_role ?? '' }
  if (path.endsWith('/runs')) return { claims: [{ member: ids.member ?? '', groups: [] }] }
  if (path.endsWith('/workspace_mappings')) return { idp_group_name: 'x', role: ids.workspace_role ?? '' }
  if (path.endsWith('{workspace_mapping}')) return { role: ids.workspace_role ?? '' }
  if (/\/project_mappings(\/\{project_mapping\})?$/.test(path)) {
    return { idp_group_name: 'x', role: ids.role ?? '', project: ids.project ?? '' }
  }
  if (isOpenai(path)) return openaiBody(path, ids)
  if (/\/(members\/sync|member_syncs)$/.test(path)) return { members: [] }
  if (path.endsWith('/level')) return { level: 'admin' }
  if (path.endsWith('/merge')) return { from: ids.from ?? '' }
  if (path.endsWith('/access-tokens')) return { grant_type: 'client_credentials' }
  if (path.endsWith('/api_keys'))
    return { name: 'k', scopes: ['groups:read'], member_id: ids.member_id ?? '' }
  if (/\/groups\/\{group\}\/members$/.test(path)) return { member: ids.member ?? '' }
  if (path.endsWith('/role_assignments')) {
    return { role: ids.role, group: ids.group, target: ids.target, expires_at: '2999-01-01T00:00:00Z' }
  }
  const invited = { email: 'intruder@beta.example', grants: [{ role: ids.role, target: ids.target }] }
  if (path.endsWith('/invitations')) return invited
  if (path.endsWith('/invitations/bulk')) return { invitations: [invited] }
  const check = { member: ids.member, permission: 'groups:read', target: ids.target }
  if (path.endsWith('/access/check')) return check
  if (path.endsWith('/access/check_batch')) return { checks: [check] }
  if (path.endsWith('/roles')) {
    return { name: 'Intruder', permissions: [], resource: 'project', of: ids.target }
  }
  if (path.endsWith('/domains')) {
    return { name: 'intruder.example', identity_provider: ids.identity_provider }
  }
  if (path.endsWith('/domains/{domain}')) return { identity_provider: ids.identity_provider }
  if (path.endsWith('/identity_providers')) return { name: 'Intruder' }
  if (path.endsWith('/integrations')) return { kind: 'intruder' }
  if (path.endsWith('/environment_mapping')) return { production: ids.target }
  if (path.endsWith('/organizations')) {
    return { name: 'x', slug: 'x', owner: { email: 'x@x.example' } }
  }
  if (path.endsWith('/workspaces')) return { name: 'x', slug: 'intruder' }
  if (path.endsWith('{org}/projects')) return { name: 'x', identifier: 'NEW', workspace: ids.workspace ?? '' }
  if (path.endsWith('/projects')) return { name: 'x', identifier: 'NEW' }
  if (path.endsWith('{org}')) return { name: 'Taken over' }
  if (path.endsWith('/groups') || path.endsWith('}')) {
    return isVitable(path) ? { name: 'Taken over', external_reference_id: 'x' } : groupOrMember(path)
  }
  if (path.endsWith('/members')) return { email: 'intruder@beta.example' }
  return undefined
}
function groupOrMember(path: string): object {
  return /\{member\}$/.test(path) ? { display_name: 'Taken over' } : { name: 'Taken over' }
}

async function request(route: Route, ids: Ids, call: Call): Promise<Answer> {
  const url = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name]
    assert.ok(id !== undefined, `${nameOf(route)}: this test knows no id for {${name}}: add one`)
    return id
  })
  const body = bodyFor(route, ids)
  return await app.call(route.method, url, { ...call, ...(body === undefined ? {} : { body }) })
}

/** An answer without what differs from request to request, and without the ids that were asked for. */
function comparable(answer: Answer, ids: Ids): unknown {
  let text = JSON.stringify([answer.status, answer.headers['content-type'], answer.body])
  for (const id of Object.values(ids)) text = text.replaceAll(id, 'ID')
  return text
    .replace(/"(request_id|trace_id)":"[^"]*"/g, '"$1":""')
    .replace(/The server's log has the reason under request \S+/g, '')
    .replace(/"timestamp":"[^"]*"/g, '"timestamp":""')
}

const parametersOf = ({ path }: Route) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)

describe('the route table', () => {
  it('and the OpenAPI document name the same routes, but for those of operations', () => {
    const { paths } = app.http.swagger() as { paths: Record<string, object> }
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/(?<=.)\/$/, '')}`),
    )
    const named = documentable().map(nameOf)
    assert.ok(named.length > 40, `only ${named.length} routes were found`)
    assert.deepEqual(named.toSorted(), documented.toSorted())
  })

  it('has only parameters that these tests know an id for', () => {
    for (const route of guarded()) {
      const unknown = parametersOf(route).filter((name) => !(name in idsOf(alpha, route)))
      assert.deepEqual(unknown, [], nameOf(route))
    }
  })
})

describe('a credential of another organization', () => {
  it('gets for every id of this one exactly what an unknown id gets, and changes nothing', async () => {
    const before = await databaseState(app.database)
    let compared = 0
    for (const route of guarded()) {
      const [theirs, mine] = [idsOf(alpha, route), idsOf(beta, route)]
      const bodyWith = (ids: Ids) => JSON.stringify(bodyFor(route, ids))
      const fields = Object.keys(theirs).filter(
        (name) => bodyWith({ ...theirs, [name]: 'another' }) !== bodyWith(theirs),
      )
      // Each id alone among the caller's own, then all of them.
      const swaps: Ids[] = [...parametersOf(route), ...fields].map((name) => ({ [name]: theirs[name]! }))
      if (swaps.length > 1) swaps.push(theirs)
      if (parametersOf(route).includes('org')) swaps.push({ org: 'alpha' })
      for (const swap of swaps) {
        const ids = { ...mine, ...swap }
        const nobodys = { ...mine, ...nobody(swap) }
        const foreign = await request(route, ids, { key: beta.key })
        const unknown = await request(route, nobodys, { key: beta.key })
        const about = `${nameOf(route)} ${JSON.stringify(swap)} ${JSON.stringify(foreign.body)}`
        assert.equal(comparable(foreign, ids), comparable(unknown, nobodys), about)
        const expected = isPosthog(route.path) ? posthogStatus(route.path, Object.keys(swap)) : 404
        assert.equal(foreign.status, expected, about)
        compared += 1
      }
    }
    assert.ok(compared > 100, `only ${compared} requests were compared`)
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('sees nothing of this one in any list of its own, filtered by its ids or not', async () => {
    const theirs = Object.entries({ ...alpha.directory, ...alpha.vitable, ...alpha.plane })
    const { openai, posthog } = alpha
    const others = [openai.organization, openai.projects, posthog].flatMap((ids) => Object.values(ids))
    const secrets = [...theirs.map(([, id]) => id), ...others].map((id) => id.replace(PREFIX, ''))
    let lists = 0
    for (const route of guarded()) {
      const tail = parametersOf(route).filter((name) => name !== 'org' && name !== 'organization_id')
      if (route.method !== 'GET' || tail.length > 0) continue
      const filters = [
        '',
        ...theirs
          .filter(([name]) => ['member', 'group', 'workspace', 'identity_provider'].includes(name))
          .map(([name, id]) => `?${name}=${id}`),
      ]
      for (const filter of filters) {
        const ids = isPosthog(route.path) ? beta.posthog : beta.directory
        const answer = await request({ ...route, path: route.path + filter }, ids, { key: beta.key })
        const text = JSON.stringify(answer.body)
        assert.deepEqual(
          secrets.filter((id) => tells(text, id)),
          [],
          nameOf(route) + filter,
        )
      }
      lists += 1
    }
    assert.ok(lists >= 7)
  })
})

/**
 * Whether a text tells an id. A short one, such as a project's `ALP`, has to stand alone:
 * any other id may have its letters by chance.
 */
function tells(text: string, id: string): boolean {
  return id.length < 8 ? new RegExp(`(?<![\\w-])${id}(?![\\w-])`).test(text) : text.includes(id)
}

/** The same kinds of ids, of nobody. */
function nobody(ids: Ids): Ids {
  return Object.fromEntries(
    Object.entries(ids).map(([name, id]) => {
      if (UUID.test(id)) return [name, UNKNOWN_UUID]
      if (/^\d+$/.test(id)) return [name, String(Number.MAX_SAFE_INTEGER)]
      const prefix = PREFIX.exec(id)?.[0]
      return [name, prefix === undefined ? 'nobody-has-this' : prefix + UNKNOWN_BYTES.toString('base64url')]
    }),
  )
}

describe('every route', () => {
  it('answers 401 without a credential and with an unknown one, and changes nothing', async () => {
    const before = await databaseState(app.database)
    for (const route of guarded()) {
      const ids = idsOf(alpha, route)
      for (const key of [null, 'rck_unknown', `${ROOT_KEY}x`]) {
        const answer = await request(route, ids, { key })
        assert.equal(answer.status, 401, nameOf(route))
        if (isVitable(route.path)) assert.equal(answer.body.error, answer.body.message)
        else if (isOpenai(route.path)) assert.equal(answer.body.error.code, 'invalid_api_key')
        else if (isPlane(route.path)) assert.equal(answer.body.detail, answer.body.message)
        else assert.equal(answer.headers['www-authenticate'], 'Bearer')
        if (isPosthog(route.path)) assert.equal(answer.body.type, 'authentication_error')
      }
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('answers 403 to a key of its own organization without a fitting scope, and changes nothing', async () => {
    const client = directoryClient(app, '/directory/v1/organizations/alpha')
    const scopes = { read: ['api_keys:read'], write: ['organization:read'] }
    const keys = { apiKeys: await client.key(scopes.write), other: await client.key(scopes.read) }
    const before = await databaseState(app.database)
    for (const route of guarded()) {
      // Whoever has a key may exchange it for a token of the same rights.
      if (route.path === '/v1/auth/access-tokens') continue
      const ids = idsOf(alpha, route)
      const key = route.path.includes('api_keys') ? keys.apiKeys : keys.other
      const answer = await request(route, ids, { key })
      assert.equal(answer.status, 403, `${nameOf(route)} ${JSON.stringify(answer.body)}`)
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('of operations answers without a credential', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs', '/invitations/accept']) {
      assert.equal((await app.call('GET', path, { key: null })).status, 200, path)
    }
  })

  it('of invited people takes their token, whatever credential comes with it', async () => {
    const tokens = routes.filter((route) => WITH_TOKEN.test(route.path))
    assert.equal(tokens.length, 2)
    const before = await databaseState(app.database)
    for (const { method, path } of tokens) {
      for (const key of [null, 'rck_unknown', alpha.key, ROOT_KEY]) {
        const answer = await app.call(method, path, { key, body: { token: 'rcinv_unknown' } })
        assert.deepEqual([answer.status, answer.body.code], [404, 'invitation.not_found'], path)
      }
    }
    assert.deepEqual(await databaseState(app.database), before)
  })
})
