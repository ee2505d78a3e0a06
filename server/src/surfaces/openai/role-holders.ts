import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import type { Context, ReadContext } from '../../directory/context.ts'
import { assignRole, revokeRole, type Subject } from '../../directory/roles/assignment.ts'
import { requireRole } from '../../directory/roles/role.ts'
import { findSubjectRole, listSubjectRoles } from '../../directory/roles/subject-roles.ts'
import type { Target } from '../../directory/roles/target.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { nextPage, nextPageQuery, toNextPage } from './lists.ts'
import { afterRoleId, type RolePlace, resolveRoleId, roleIdText } from './role-ids.ts'
import { assignedRole, type OpenaiRole, toAssignedRole, toRole } from './roles-wire.ts'
import { withFields } from './wire.ts'

/** The vendor states no default: what a subject holds is short, so all of it. */
const LIMIT_DEFAULT = 1000

/** Who has roles, and where. */
export interface RoleHolder {
  readonly subject: Subject
  readonly target: Target
  readonly place: RolePlace
}

/** The roles of one kind of holder: the same four calls wherever they are. */
export interface RoleHolderRoutes<Params extends z.ZodObject, Created extends z.ZodType> {
  /** Of the collection, with the holder's parameters. */
  readonly path: string
  readonly params: Params
  readonly tag: string
  /** As sentences name the holder: `group`. */
  readonly noun: string
  /** As operation ids name it: `GroupRole`. */
  readonly operation: string
  readonly holder: (context: ReadContext, params: z.infer<Params>) => RoleHolder
  /** What an assignment answers. */
  readonly created: Created
  readonly toCreated: (
    context: Context,
    params: z.infer<Params>,
    role: OpenaiRole,
  ) => Promise<z.infer<Created>>
  readonly deleted: string
}

/** Registers create, list, retrieve and delete of a holder's roles. */
export function roleHolderRoutes<Params extends z.ZodObject, Created extends z.ZodType>(
  app: FastifyInstance,
  services: KeyScopeServices,
  routes: RoleHolderRoutes<Params, Created>,
): void {
  const { path, params, noun, operation } = routes
  const created: z.ZodType = routes.created
  const tags = [routes.tag]
  const roleParams = params.extend({ role_id: z.string() })

  app.get(
    path,
    {
      schema: {
        tags,
        summary: `List the roles of a ${noun}`,
        operationId: `openaiList${operation}s`,
        params,
        querystring: nextPageQuery({ default: LIMIT_DEFAULT }),
        response: { 200: nextPage(assignedRole) },
      },
    },
    async (request) => {
      const context = inOrganization(services, request.actor)
      const { subject, target, place } = routes.holder(context, request.params as z.infer<Params>)
      const { limit, order, after } = request.query as z.infer<ReturnType<typeof nextPageQuery>>
      const page = { afterId: await afterRoleId(context, after, place), limit: limit + 1, order }
      const rows = await listSubjectRoles(context, subject, target, page)
      return toNextPage(rows, limit, (row) => toAssignedRole(row, place))
    },
  )

  app.post(
    path,
    {
      schema: {
        tags,
        summary: `Assign a role to a ${noun}`,
        operationId: `openaiCreate${operation}`,
        params,
        body: z.object({ role_id: roleIdText }),
        response: { 200: created },
      },
    },
    async (request) => {
      const scope = inOrganization(services, request.actor)
      const held = request.params as z.infer<Params>
      const { subject, target, place } = routes.holder(scope, held)
      const { role_id: askedId } = request.body as { role_id: string }
      return await withFields({ 'role.not_found': 'role_id', role: 'role_id' }, () =>
        applyChange(services.directory, scope, async (context) => {
          const roleId = await resolveRoleId(context, askedId, place)
          await assignRole(context, { subject, roleId, target })
          const row = await requireRole(context, roleId)
          return await routes.toCreated(context, held, toRole(row, place, askedId))
        }),
      )
    },
  )

  app.get(
    `${path}/:role_id`,
    {
      schema: {
        tags,
        summary: `Retrieve a role of a ${noun}`,
        operationId: `openaiRetrieve${operation}`,
        params: roleParams,
        response: { 200: assignedRole },
      },
    },
    async (request) => {
      const context = inOrganization(services, request.actor)
      const asked = request.params as z.infer<Params> & { role_id: string }
      const { subject, target, place } = routes.holder(context, asked)
      const roleId = await resolveRoleId(context, asked.role_id, place)
      return toAssignedRole(await findSubjectRole(context, subject, target, roleId), place, asked.role_id)
    },
  )

  app.delete(
    `${path}/:role_id`,
    {
      schema: {
        tags,
        summary: `Unassign a role from a ${noun}`,
        operationId: `openaiDelete${operation}`,
        params: roleParams,
        response: { 200: z.object({ object: z.literal(routes.deleted), deleted: z.literal(true) }) },
      },
    },
    async (request) => {
      const scope = inOrganization(services, request.actor)
      const asked = request.params as z.infer<Params> & { role_id: string }
      const { subject, target, place } = routes.holder(scope, asked)
      await applyChange(services.directory, scope, async (context) => {
        await revokeRole(context, {
          subject,
          roleId: await resolveRoleId(context, asked.role_id, place),
          target,
        })
      })
      return { object: routes.deleted, deleted: true }
    },
  )
}
