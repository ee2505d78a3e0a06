import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import { DirectoryError } from '../../directory/errors.ts'
import {
  getProjectGroup,
  listProjectGroups,
  type ProjectGroupRow,
  requireProjectGroup,
} from '../../directory/projects/project-members.ts'
import { assignRole, revokeRolesOn } from '../../directory/roles/assignment.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { text } from '../http/wire-types.ts'
import { afterId, nextPage, nextPageQuery, toNextPage } from './lists.ts'
import { applyAndRead, projectParams } from './project-wire.ts'
import { resolveRoleId, roleIdText } from './role-ids.ts'
import { decodeOpenaiId, fromOpenaiId, toOpenaiId, toUnixSeconds, withFields } from './wire.ts'

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 100
const ID_LENGTH_MAX = 512

const projectGroup = z
  .object({
    object: z.literal('project.group'),
    project_id: z.string(),
    group_id: z.string(),
    group_name: z.string(),
    group_type: z.literal('group'),
    /** When the first of its roles on the project was granted. */
    created_at: z.number().int(),
  })
  .meta({ id: 'OpenaiProjectGroup' })

/** @param asked the ids as the request has them */
function toProjectGroup(
  row: ProjectGroupRow,
  asked: { project_id: string; group_id?: string },
): z.infer<typeof projectGroup> {
  return {
    object: 'project.group',
    project_id: asked.project_id,
    group_id: asked.group_id ?? toOpenaiId('group', row.id),
    group_name: row.name,
    group_type: 'group',
    created_at: toUnixSeconds(row.since),
  }
}

const tags = ['OpenAI: project groups']
const path = '/projects/:project_id/groups'
const groupParams = projectParams.extend({ group_id: z.string() })

export function projectGroupRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      path,
      {
        schema: {
          tags,
          summary: 'List project groups',
          operationId: 'openaiListProjectGroups',
          params: projectParams,
          querystring: nextPageQuery({ max: LIMIT_MAX, default: LIMIT_DEFAULT }),
          response: { 200: nextPage(projectGroup) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { limit, order, after } = request.query
        const { project_id } = request.params
        const rows = await listProjectGroups(context, fromOpenaiId('project', project_id), {
          afterId: afterId(after, (id) => decodeOpenaiId('group', id)),
          limit: limit + 1,
          order,
        })
        return toNextPage(
          rows,
          limit,
          (row) => toProjectGroup(row, { project_id }),
          (item) => item.group_id,
        )
      },
    )

    app.post(
      path,
      {
        schema: {
          tags,
          summary: 'Create project group',
          operationId: 'openaiCreateProjectGroup',
          params: projectParams,
          body: z.object({ group_id: text(ID_LENGTH_MAX), role: roleIdText }),
          response: { 200: projectGroup },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { project_id } = request.params
        const { group_id, role } = request.body
        const projectId = fromOpenaiId('project', project_id)
        const groupId = fromOpenaiId('group', group_id, 'group_id')
        const row = await withFields({ 'group.not_found': 'group_id', 'role.not_found': 'role' }, () =>
          applyAndRead(
            services,
            scope,
            async (context) => {
              const target = { kind: 'project', id: projectId } as const
              const roleId = await resolveRoleId(context, role, target)
              await assignRole(context, { subject: { kind: 'group', id: groupId }, roleId, target })
            },
            (context) => requireProjectGroup(context, projectId, groupId),
          ),
        )
        return toProjectGroup(row, { project_id, group_id })
      },
    )

    app.get(
      `${path}/:group_id`,
      {
        schema: {
          tags,
          summary: 'Retrieve project group',
          operationId: 'openaiRetrieveProjectGroup',
          params: groupParams,
          querystring: z.object({
            group_type: z
              .enum(['group', 'tenant_group'], { error: 'must be group or tenant_group' })
              .default('group'),
          }),
          response: { 200: projectGroup },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { project_id, group_id } = request.params
        const projectId = fromOpenaiId('project', project_id)
        const row = await getProjectGroup(context, projectId, fromOpenaiId('group', group_id))
        if (request.query.group_type !== 'group') {
          throw new DirectoryError('group.not_found', 'There are no tenant groups here: this is a group.')
        }
        return toProjectGroup(row, { project_id, group_id })
      },
    )

    app.delete(
      `${path}/:group_id`,
      {
        schema: {
          tags,
          summary: 'Delete project group',
          operationId: 'openaiDeleteProjectGroup',
          params: groupParams,
          response: {
            200: z.object({ object: z.literal('project.group.deleted'), deleted: z.literal(true) }),
          },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const target = { kind: 'project', id: fromOpenaiId('project', request.params.project_id) } as const
        const subject = { kind: 'group', id: fromOpenaiId('group', request.params.group_id) } as const
        await applyChange(services.directory, scope, (context) => revokeRolesOn(context, subject, target))
        return { object: 'project.group.deleted' as const, deleted: true as const }
      },
    )
  }
}
