import assert from 'node:assert/strict'
import { sql } from '#src/platform/postgres/sql.ts'
import type { TestApp } from './app.ts'
import { posthogClient } from './posthog-client.ts'
import { projectNumber, uuidOf } from './posthog-world.ts'

type Ids = Readonly<Record<string, string>>

/** Whether a path is of PostHog's dialect. */
export const isPosthog = (path: string) => /^\/api\/organizations(\/|$)/.test(path)

/** Makes the numbers of projects such that they stand in an answer for nothing else. */
export async function startProjectNumbersHigh({ database }: TestApp): Promise<void> {
  await database.run(sql`select setval(pg_get_serial_sequence('project', 'alias'), 730000000000000)`)
}

/** Makes a thing of every kind in an organization, and gives its id by parameter or field of a body. */
export async function posthogIds(
  app: TestApp,
  key: string,
  from: { organization: string; member: string; project: string; integration: string; invitation: string },
): Promise<Ids> {
  const organization_id = uuidOf(from.organization)
  const make = async (tail: string, body: object): Promise<string> => {
    const answer = await app.call('POST', `/api/organizations/${organization_id}${tail}`, { key, body })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    return answer.body.id
  }
  const config_id = await make('/identity_provider_configs', { name: 'Config', scim_enabled: true })
  const linked = { domain: `${key.slice(-8).replaceAll(/[_-]/g, '').toLowerCase()}.example` }
  const role_id = await make('/roles', { name: 'Role of PostHog' })
  const user_uuid = uuidOf(from.member)
  return {
    organization_id,
    config_id,
    domain_id: await make('/domains', { ...linked, identity_provider_config: config_id }),
    integration_id: uuidOf(from.integration),
    invite_id: uuidOf(from.invitation),
    user_uuid,
    role_id,
    role_membership_id: await make(`/roles/${role_id}/role_memberships`, { user_uuid }),
    project_id: String(await projectNumber(posthogClient(app, key), uuidOf(from.project))),
  }
}

/** A body that passes the schema of a request. */
export function posthogBody(path: string, ids: Ids): object | undefined {
  const ends = (...tails: string[]) => tails.some((tail) => path.endsWith(tail))
  if (ends('/domains')) return { domain: 'intruder.example', identity_provider_config: ids.config_id }
  if (ends('{domain_id}')) return { identity_provider_config: ids.config_id }
  if (ends('/environment-mapping')) return { production: Number(ids.project_id) }
  const private_project_access = [{ id: Number(ids.project_id), level: 'member' }]
  const invited = { target_email: 'intruder@beta.example', private_project_access }
  if (ends('/invites')) return invited
  if (ends('/invites/bulk')) return [invited]
  if (ends('{user_uuid}')) return { level: 8 }
  if (ends('/role_memberships')) return { user_uuid: ids.user_uuid }
  return { name: 'Taken over' }
}

/**
 * The status of a request that names what is not the key's: of the organization nothing is told, what the path names
 * is not found, and what a body names makes the body wrong.
 */
export function posthogStatus(path: string, swapped: readonly string[]): number {
  if (swapped.includes('organization_id')) return 403
  return swapped.some((name) => path.includes(`{${name}}`)) ? 404 : 400
}
