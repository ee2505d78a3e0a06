import assert from 'node:assert/strict'
import type { TestApp } from './app.ts'

type Ids = Readonly<Record<string, string>>

/** Whether a path is of OpenAI's dialect. */
export const isOpenai = (path: string) => /^\/v1\/(organization|projects)(\/|$)/.test(path)

/** Ids of one organization as OpenAI's dialect writes them, by parameter or field of a body, for each prefix. */
export interface OpenaiIds {
  readonly organization: Ids
  readonly projects: Ids
}

/** Makes a thing of every kind in an organization. */
export async function openaiIds(app: TestApp, key: string, memberId: string): Promise<OpenaiIds> {
  const make = async (path: string, body: object): Promise<string> => {
    const answer = await app.call('POST', `/v1${path}`, { key, body })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body.id
  }
  const project_id = await make('/organization/projects', { name: 'P' })
  const role = { role_name: 'R', permissions: [] }
  const projectRole = await make(`/projects/${project_id}/roles`, role)
  const shared = {
    project_id,
    group_id: await make('/organization/groups', { name: 'G' }),
    user_id: memberId.replace('mem_', 'user-'),
  }
  return {
    organization: {
      ...shared,
      role_id: await make('/organization/roles', role),
      role: projectRole,
      invite_id: await make('/organization/invites', { email: 'invited@x.example', role: 'reader' }),
    },
    projects: { ...shared, role_id: projectRole },
  }
}

export function openaiIdsOf(ids: OpenaiIds, path: string): Ids {
  return path.startsWith('/v1/projects') ? ids.projects : ids.organization
}

/** A body that passes the schema of a POST. */
export function openaiBody(path: string, ids: Ids): object | undefined {
  const ends = (...tails: string[]) => tails.some((tail) => path.endsWith(tail))
  if (ends('/archive')) return undefined
  if (ends('/invites')) return { email: 'intruder@beta.example', role: 'reader', projects: [] }
  if (ends('_id}/roles')) {
    return ends('{project_id}/roles') ? { role_name: 'Intruder', permissions: [] } : { role_id: ids.role_id }
  }
  if (ends('/roles')) return { role_name: 'Intruder', permissions: [] }
  if (ends('{project_id}/groups')) return { group_id: ids.group_id, role: ids.role }
  if (ends('{project_id}/users')) return { user_id: ids.user_id, role: 'member' }
  if (ends('{group_id}/users')) return { user_id: ids.user_id }
  if (ends('{project_id}/users/{user_id}')) return { role: 'owner' }
  if (ends('{role_id}')) return { role_name: 'Taken over' }
  if (ends('{user_id}')) return { technical_level: 'taken over' }
  return { name: 'Taken over' }
}
