import assert from 'node:assert/strict'
import type { TestApp } from './app.ts'
import type { Route } from './route-table.ts'

type Ids = Readonly<Record<string, string>>

/** Whether a path is of Plane's dialect. */
export const isPlane = (path: string) => path.startsWith('/api/v1/')

const NOBODY = '01990000-0000-7000-8000-00000000abcd'

/** Makes a thing of every kind in an organization, and answers what Plane's dialect calls each, by parameter. */
export async function planeIds(app: TestApp, key: string, path: string, slug: string): Promise<Ids> {
  const directory = async (method: string, tail: string, body?: object) => {
    const answer = await app.call(method, path + tail, body === undefined ? {} : { body })
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    return answer.body
  }
  const make = async (tail: string, body: object): Promise<string> => {
    const answer = await app.call('POST', `/api/v1/workspaces/${slug}/${tail}/`, { key, body })
    assert.ok(answer.status < 300, `${tail} ${JSON.stringify(answer.body)}`)
    return answer.body.id
  }
  const workspace = await directory('POST', '/workspaces', { name: 'Plane', slug })
  const roles = (await directory('GET', '/roles')).data
  const role = roles.find((row: { resource: string; key: string }) => row.resource === 'workspace')
  const person = await directory('POST', '/members', { email: `member@${slug}.example` })
  await directory('POST', '/role_assignments', { role: role.id, member: person.id, target: workspace.id })
  const members = await app.call('GET', `/api/v1/workspaces/${slug}/members/`, { key })
  const member_id = members.body[0].id
  const identifier = slug.slice(0, 3).toUpperCase()
  const project_id = await make('projects', { name: 'P', identifier })
  await make(`projects/${project_id}/project-members`, { member: member_id, role: 5 })
  const idp_group_name = `group of ${slug}`
  const mapped = await app.call('GET', `/api/v1/workspaces/${slug}/roles/`, { key })
  return {
    slug,
    project_id,
    member_id,
    role_id: mapped.body.results[0].id,
    invitation_id: await make('invitations', { email: `invited@${slug}.example` }),
    teamspace_id: await make('teamspaces', { name: 'T' }),
    workspace_mapping_id: await make('group-sync/workspace-mappings', { idp_group_name, role: 'guest' }),
    project_mapping_id: await make('group-sync/project-mappings', {
      ...{ idp_group_name, role: 'guest', project: identifier },
    }),
    project_key: identifier,
    idp_group_name,
  }
}

/** A mapping is also called by the identifier of its project and the name of its group. */
export function planeIdsOf(ids: Ids, path: string): Ids {
  return path.endsWith('{idp_group_name}') ? { ...ids, project_mapping_id: ids.project_key! } : ids
}

/** A body that passes the schema of a route; none has an id of the world in it. */
export function planeBody({ method, path }: Route): object | undefined {
  if (path.endsWith('{teamspace_id}/members') && method !== 'GET') return { member_ids: [NOBODY] }
  if (path.endsWith('{teamspace_id}/projects') && method !== 'GET') return { project_ids: [NOBODY] }
  if (method === 'GET' || method === 'DELETE' || path.endsWith('/archive')) return undefined
  if (path.endsWith('/members/remove')) return { email: 'nobody@x.example' }
  if (/project-members$|projects\/\{project_id\}\/members$/.test(path)) return { member: NOBODY, role: 5 }
  if (path.endsWith('{member_id}')) return { role: 5 }
  if (path.endsWith('/invitations')) return { email: 'intruder@x.example' }
  if (path.endsWith('{invitation_id}')) return { role: 5 }
  if (path.endsWith('/projects')) return { name: 'Intruder', identifier: 'NEW' }
  if (path.endsWith('/project-mappings')) return { idp_group_name: 'x', role: 'guest', all_projects: true }
  if (path.endsWith('/workspace-mappings')) return { idp_group_name: 'x', role: 'guest' }
  if (path.includes('-mappings/')) return { idp_group_name: 'Taken over' }
  if (path.endsWith('/group-sync/config')) return { is_enabled: true }
  if (path.endsWith('/features')) return {}
  return { name: 'Taken over' }
}
