import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import type { Context } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { listMembers } from '../../directory/members/member.ts'
import { requireActiveProject, requireProject } from '../../directory/projects/project.ts'
import {
  getProjectMember,
  listProjectMembers,
  type ProjectMemberRow,
  requireProjectMember,
  setProjectRole,
} from '../../directory/projects/project-members.ts'
import { revokeRolesOn } from '../../directory/roles/assignment.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { text } from '../http/wire-types.ts'
import { afterId, idPage, idPageQuery, toIdPage } from './lists.ts'
import { applyAndRead, fromProjectRole, projectParams, projectRole, toProjectRole } from './project-wire.ts'
import { toUserName, userIdText } from './users-wire.ts'
import { decodeOpenaiId, fromOpenaiId, toOpenaiId, toUnixSeconds, withFields } from './wire.ts'

const EMAIL_LENGTH_MAX = 1024

const projectUser = z
  .object({
    object: z.literal('organization.project.user'),
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    role: projectRole,
    added_at: z.number().int(),
  })
  .meta({ id: 'OpenaiProjectUser' })

/** @param askedId the id it was asked for by, where a single user was */
function toProjectUser(row: ProjectMemberRow, askedId?: string): z.infer<typeof projectUser> {
  return {
    object: 'organization.project.user',
    id: askedId ?? toOpenaiId('user', row.id),
    name: toUserName(row),
    email: row.email,
    role: toProjectRole(row.role_key),
    added_at: toUnixSeconds(row.since),
  }
}

const newUser = z
  .object({ role: projectRole, user_id: userIdText.nullish(), email: text(EMAIL_LENGTH_MAX).nullish() })
  .refine((body) => (body.user_id ?? null) !== null || (body.email ?? null) !== null, {
    path: ['user_id'],
    error: 'is required, or email',
  })
  .refine((body) => (body.user_id ?? null) === null || (body.email ?? null) === null, {
    path: ['email'],
    error: 'must not be given beside user_id',
  })

/** The member that a body names. @throws {DirectoryError} member.not_found, request.invalid, permission.denied */
async function memberOf(context: Context, { user_id, email }: z.infer<typeof newUser>): Promise<string> {
  if (typeof user_id === 'string') return fromOpenaiId('user', user_id, 'user_id')
  const page = { afterId: null, limit: 1, status: null, externalReferenceId: null }
  const [row] = await listMembers(context, { ...page, email: email ?? null })
  if (row !== undefined) return row.id
  throw new DirectoryError('member.not_found', 'There is no user with this email in the organization.', {
    field: 'email',
  })
}

const tags = ['OpenAI: project users']
const path = '/projects/:project_id/users'
const userParams = projectParams.extend({ user_id: z.string() })

export function projectUserRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      path,
      {
        schema: {
          tags,
          summary: 'List project users',
          operationId: 'openaiListProjectUsers',
          params: projectParams,
          querystring: idPageQuery,
          response: { 200: idPage(projectUser) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { limit, after } = request.query
        const id = fromOpenaiId('project', request.params.project_id)
        const rows = await listProjectMembers(context, id, {
          afterId: afterId(after, (text) => decodeOpenaiId('user', text)),
          limit: limit + 1,
          order: 'asc',
        })
        const { archived_at } = await requireProject(context, id)
        if (archived_at !== null) {
          throw new DirectoryError('project.archived', 'The project is archived: its users are not listed.')
        }
        return toIdPage(rows, limit, (row) => toProjectUser(row))
      },
    )

    app.post(
      path,
      {
        schema: {
          tags,
          summary: 'Create project user',
          operationId: 'openaiCreateProjectUser',
          params: projectParams,
          body: newUser,
          response: { 200: projectUser },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const projectId = fromOpenaiId('project', request.params.project_id)
        const { role, user_id: askedId } = request.body
        const names = { 'member.not_found': 'user_id', 'member.wrong_status': 'user_id' }
        const row = await withFields(names, () =>
          applyAndRead(
            services,
            scope,
            async (context) => {
              const id = await memberOf(context, request.body)
              const roleId = await fromProjectRole(context, role)
              await setProjectRole(context, projectId, { kind: 'member', id }, roleId)
              return id
            },
            (context, id) => requireProjectMember(context, projectId, id),
          ),
        )
        return toProjectUser(row, askedId ?? undefined)
      },
    )

    app.get(
      `${path}/:user_id`,
      {
        schema: {
          tags,
          summary: 'Retrieve project user',
          operationId: 'openaiRetrieveProjectUser',
          params: userParams,
          response: { 200: projectUser },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const { project_id, user_id: askedId } = request.params
        const projectId = fromOpenaiId('project', project_id)
        return toProjectUser(
          await getProjectMember(context, projectId, fromOpenaiId('user', askedId)),
          askedId,
        )
      },
    )

    app.post(
      `${path}/:user_id`,
      {
        schema: {
          tags,
          summary: 'Update project user',
          operationId: 'openaiUpdateProjectUser',
          params: userParams,
          // A role cannot be cleared: null says nothing.
          body: z.object({ role: projectRole.nullish() }).nullish(),
          response: { 200: projectUser },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { project_id, user_id: askedId } = request.params
        const projectId = fromOpenaiId('project', project_id)
        const id = fromOpenaiId('user', askedId)
        const role = request.body?.role
        if (typeof role !== 'string') {
          return toProjectUser(await getProjectMember(scope, projectId, id), askedId)
        }
        const row = await applyAndRead(
          services,
          scope,
          async (context) => {
            const roleId = await fromProjectRole(context, role)
            await setProjectRole(context, projectId, { kind: 'member', id }, roleId, { isOn: true })
          },
          (context) => requireProjectMember(context, projectId, id),
        )
        return toProjectUser(row, askedId)
      },
    )

    app.delete(
      `${path}/:user_id`,
      {
        schema: {
          tags,
          summary: 'Delete project user',
          operationId: 'openaiDeleteProjectUser',
          params: userParams,
          response: {
            200: z.object({
              object: z.literal('organization.project.user.deleted'),
              id: z.string(),
              deleted: z.literal(true),
            }),
          },
        },
      },
      async (request) => {
        const scope = inOrganization(services, request.actor)
        const { project_id, user_id: askedId } = request.params
        const projectId = fromOpenaiId('project', project_id)
        const id = fromOpenaiId('user', askedId)
        await applyChange(services.directory, scope, async (context) => {
          await revokeRolesOn(context, { kind: 'member', id }, { kind: 'project', id: projectId })
          await requireActiveProject(context, projectId)
        })
        return { object: 'organization.project.user.deleted' as const, id: askedId, deleted: true as const }
      },
    )
  }
}
