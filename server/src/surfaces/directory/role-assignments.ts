import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import {
  assignRole,
  getAssignment,
  listAssignments,
  type RoleAssignmentRow,
  revokeAssignment,
  type Subject,
} from '../../directory/roles/assignment.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services, write } from './exchange.ts'
import {
  fromGroupIdField,
  fromId,
  fromIdField,
  fromTargetName,
  idCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  roleRef,
  sourceName,
  target,
  targetName,
  toGroupId,
  toId,
  toPage,
  toRoleRef,
  toTarget,
} from './wire.ts'

export const roleAssignment = z
  .object({
    object: z.literal('role_assignment'),
    id: z.string(),
    role: roleRef,
    target,
    /** Who holds it: a member, or everybody in a group. */
    member: z
      .object({ id: z.string(), display_name: z.string().nullable(), email: z.string().nullable() })
      .nullable(),
    group: z.object({ id: z.string(), name: z.string() }).nullable(),
    source: sourceName,
    since: moment,
    until: moment.nullable(),
    change: z.string(),
  })
  .meta({ id: 'RoleAssignment' })

export function toRoleAssignment(row: RoleAssignmentRow): z.infer<typeof roleAssignment> {
  return {
    object: 'role_assignment',
    id: toId('roleAssignment', row.id),
    role: toRoleRef({ id: row.role_id, key: row.role_key, name: row.role_name }),
    target: toTarget({ workspaceId: row.workspace_id, projectId: row.project_id, pageId: row.page_id }),
    member:
      row.member_id === null
        ? null
        : { id: toId('member', row.member_id), display_name: row.member_name, email: row.member_email },
    group:
      row.group_id === null
        ? null
        : { id: toGroupId(row.group_kind, row.group_id), name: row.group_name ?? '' },
    source: row.source_kind as z.infer<typeof sourceName>,
    since: row.since,
    until: row.until,
    change: toId('change', row.opened_change),
  }
}

/** @throws {DirectoryError} request.invalid, unless exactly one of the two is given */
function subjectOf(body: { member?: string | undefined; group?: string | undefined }): Subject {
  if ((body.member === undefined) === (body.group === undefined)) {
    throw new DirectoryError('request.invalid', 'member or group is required, and not both.', {
      field: 'member',
    })
  }
  return body.member === undefined
    ? { kind: 'group', id: fromIdField('group', body.group!, 'group') }
    : { kind: 'member', id: fromIdField('member', body.member, 'member') }
}

const tags = ['Role assignments']
const assignmentParams = orgParams.extend({ assignment: z.string() })

export function roleAssignmentRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/role_assignments',
      {
        schema: {
          tags,
          summary: 'Assign a role to a member or a group, for good or until a moment',
          operationId: 'assignRole',
          params: orgParams,
          querystring: previewQuery,
          body: z.strictObject({
            role: z.string(),
            member: z.string().optional(),
            group: z.string().optional(),
            target: targetName.default('organization'),
            expires_at: moment.nullish(),
          }),
          response: { 200: preview, 201: roleAssignment },
        },
      },
      async (request, reply) => {
        const assignment = {
          subject: subjectOf(request.body),
          roleId: fromIdField('role', request.body.role, 'role'),
          target: fromTargetName(request.body.target),
        }
        const options = { status: 201, render: toRoleAssignment } as const
        return (await write(services, request, reply, options, (context) =>
          assignRole(context, assignment, request.body.expires_at ?? null),
        )) as never
      },
    )

    app.get(
      '/role_assignments',
      {
        schema: {
          tags,
          summary: 'List role assignments, now or as of a past moment',
          operationId: 'listRoleAssignments',
          params: orgParams,
          querystring: pageQuery.extend({
            member: z.string().optional(),
            group: z.string().optional(),
            role: z.string().optional(),
            target: targetName.optional(),
            source: sourceName.optional(),
            as_of: moment.optional(),
          }),
          response: { 200: page(roleAssignment) },
        },
      },
      async (request) => {
        const { limit, after, member, group, role, target: on, source, as_of: asOf } = request.query
        const rows = await listAssignments(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
          memberId: member === undefined ? null : fromIdField('member', member, 'member'),
          groupId: group === undefined ? null : fromGroupIdField(group, 'group'),
          roleId: role === undefined ? null : fromIdField('role', role, 'role'),
          target: on === undefined ? null : fromTargetName(on),
          sourceKind: source ?? null,
          asOf: asOf ?? null,
        })
        return toPage(rows, limit, toRoleAssignment, (row) => row.id)
      },
    )

    app.get(
      '/role_assignments/:assignment',
      {
        schema: {
          tags,
          summary: 'Read a live role assignment',
          operationId: 'getRoleAssignment',
          params: assignmentParams,
          response: { 200: roleAssignment },
        },
      },
      async (request) => {
        const id = fromId('roleAssignment', request.params.assignment)
        return toRoleAssignment(await getAssignment(reading(services, request), id))
      },
    )

    app.delete(
      '/role_assignments/:assignment',
      {
        schema: {
          tags,
          summary: 'Revoke a role assignment; what other sources give stays',
          operationId: 'revokeRoleAssignment',
          params: assignmentParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromId('roleAssignment', request.params.assignment)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          revokeAssignment(context, id),
        )) as never
      },
    )
  }
}
