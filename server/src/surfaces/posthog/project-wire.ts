import { z } from 'zod'
import { holdsPermission } from '../../directory/access/permission.ts'
import type { ReadContext } from '../../directory/context.ts'
import { listProjects, type ProjectRow } from '../../directory/projects/project.ts'

/** In an organization: what shows it cannot be paged. */
const PROJECTS_MAX = 1000

/** The number by which this dialect knows a project, and the team that it is. */
export const projectNumber = z.int({
  error: ({ input }) => (input === undefined ? 'is required and must be a number' : 'must be a whole number'),
})

export const project = z
  .object({ id: projectNumber, organization_id: z.string(), name: z.string() })
  .meta({ id: 'PosthogProject' })

/** A project with one environment, which has its number: there are no other environments here. */
export const team = z
  .object({
    id: projectNumber,
    uuid: z.string(),
    organization: z.string(),
    project_id: projectNumber,
    name: z.string(),
    /** Only those who are let in see it. */
    access_control: z.boolean(),
    api_token: z.null(),
    completed_snippet_onboarding: z.literal(false),
    ingested_event: z.literal(false),
    is_demo: z.literal(false),
    timezone: z.literal('UTC'),
  })
  .meta({ id: 'PosthogTeam' })

/** The oldest projects of an organization that are not archived; none for whoever may not read projects. */
export async function readProjects(context: ReadContext): Promise<ProjectRow[]> {
  if (!holdsPermission(context.actor, 'projects:read')) return []
  return await listProjects(context, {
    ...{ workspaceSlug: null, afterId: null, limit: PROJECTS_MAX, includeArchived: false },
  })
}

export function toProject(organizationId: string, row: ProjectRow): z.infer<typeof project> {
  return { id: row.alias, organization_id: organizationId, name: row.name }
}

export function toTeam(organizationId: string, row: ProjectRow): z.infer<typeof team> {
  return {
    ...{ id: row.alias, uuid: row.id, organization: organizationId, project_id: row.alias, name: row.name },
    access_control: row.visibility === 'private',
    // Events are none of a directory's business.
    ...{ api_token: null, completed_snippet_onboarding: false, ingested_event: false },
    ...{ is_demo: false, timezone: 'UTC' },
  }
}
