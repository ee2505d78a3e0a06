import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  type EndingGrant,
  explainAccess,
  type HeldRole,
  listGroupsOfMember,
  listRolesOfMember,
  type MemberAccess,
  type MemberGroupRow,
} from '../../directory/access/member-access.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services } from './exchange.ts'
import { memberParams } from './members.ts'
import { roleAssignment, toRoleAssignment } from './role-assignments.ts'
import {
  actor,
  cause,
  changeKindName,
  fromId,
  idCursor,
  page,
  pageQuery,
  roleRef,
  shownName,
  sourceName,
  target,
  toActor,
  toCause,
  toGroupId,
  toId,
  toPage,
  toRoleRef,
  toTarget,
} from './wire.ts'

/** A grant whose end, with that of those named beside it, takes something away. */
export const endingGrant = z.object({
  grant: z.enum(['role', 'group_membership', 'organization_membership']),
  /** The role assignment. */
  assignment: z.string().nullable(),
  group: z.string().nullable(),
  source: sourceName.nullable(),
})

export function toEndingGrant(ending: EndingGrant): z.infer<typeof endingGrant> {
  const none = { assignment: null, group: null, source: null }
  if (ending.grant === 'organization_membership') return { grant: ending.grant, ...none }
  if (ending.grant === 'role') {
    return { ...none, grant: ending.grant, assignment: toId('roleAssignment', ending.id) }
  }
  const source = ending.source as z.infer<typeof sourceName>
  return { ...none, grant: ending.grant, group: toGroupId(ending.groupKind, ending.groupId), source }
}

const heldRole = z.object({
  role: roleRef,
  target: target.extend({ name: z.string().nullable() }),
  since: moment,
  /** When the last of the ways it comes ends by itself. */
  until: moment.nullable(),
  through: z.array(
    z.object({
      assignment: z.string(),
      source: sourceName,
      since: moment,
      until: moment.nullable(),
      change: z.string(),
      /** The group that has the role, and what put the member there; null: the member's own role. */
      group: z
        .object({
          id: z.string(),
          name: z.string(),
          source: sourceName,
          since: moment,
          until: moment.nullable(),
          change: z.string(),
        })
        .nullable(),
    }),
  ),
  /** All of these together, and no fewer, would have to end for it to be lost. */
  lost_by_ending: z.array(endingGrant),
})

function toHeldRole(held: HeldRole): z.infer<typeof heldRole> {
  const { role, paths } = held
  const { workspace_id: workspaceId, project_id: projectId, page_id: pageId } = paths[0]!
  return {
    role: toRoleRef({ id: role.role_id, key: role.role_key, name: role.role_name }),
    target: { ...toTarget({ workspaceId, projectId, pageId }), name: held.target.name },
    since: held.since,
    until: held.until,
    through: paths.map((path) => ({
      assignment: toId('roleAssignment', path.role_grant_id),
      source: path.source_kind as z.infer<typeof sourceName>,
      since: path.since,
      until: path.until,
      change: toId('change', path.opened_change),
      group:
        path.group_id === null
          ? null
          : {
              id: toGroupId(path.group_kind, path.group_id),
              name: path.group_name ?? '',
              source: path.membership_source as z.infer<typeof sourceName>,
              since: path.membership_since!,
              until: path.membership_until,
              change: toId('change', path.membership_change!),
            },
    })),
    lost_by_ending: held.lostByEnding.map(toEndingGrant),
  }
}

const access = z
  .object({
    object: z.literal('member_access'),
    member: z.object({ id: z.string(), status: z.string(), display_name: z.string().nullable() }),
    /** Grants of a member who is not active are listed, but give nothing. */
    effective: z.boolean(),
    /** The member's own grants, each with the change that opened it. */
    grants: z.array(
      z.object({
        grant: z.enum(['group_membership', 'role']),
        group: z.object({ id: z.string(), name: z.string() }).nullable(),
        role: roleRef.nullable(),
        target: target.extend({ name: z.string().nullable() }).nullable(),
        source: sourceName,
        since: moment,
        until: moment.nullable(),
        change: z.object({ id: z.string(), kind: changeKindName, actor, cause: cause.nullable() }),
      }),
    ),
    /** Every role it has by them, on every target, and each way it comes. */
    roles: z.array(heldRole),
  })
  .meta({ id: 'MemberAccess' })

function toAccess(found: MemberAccess): z.infer<typeof access> {
  const { member: row, grants, status, roles } = found
  return {
    object: 'member_access',
    member: { id: toId('member', row.id), status, display_name: shownName(row) },
    effective: status === 'active',
    grants: grants.map((grant) => ({
      grant: grant.grant_kind,
      group:
        grant.group_id === null
          ? null
          : { id: toGroupId(grant.group_kind, grant.group_id), name: grant.group_name ?? '' },
      role:
        grant.role_id === null
          ? null
          : toRoleRef({ id: grant.role_id, key: grant.role_key, name: grant.role_name ?? '' }),
      target:
        grant.role_id === null
          ? null
          : {
              ...toTarget({
                workspaceId: grant.workspace_id,
                projectId: grant.project_id,
                pageId: grant.page_id,
              }),
              name: grant.page_name ?? grant.project_name ?? grant.workspace_slug,
            },
      source: grant.source_kind as z.infer<typeof sourceName>,
      since: grant.since,
      until: grant.until,
      change: {
        id: toId('change', grant.opened_change),
        kind: grant.cause as z.infer<typeof changeKindName>,
        actor: toActor(grant.actor_kind as z.infer<typeof actor>['kind'], grant.actor_id),
        cause: toCause(grant.cause_kind, grant.cause_id),
      },
    })),
    roles: roles.map(toHeldRole),
  }
}

const memberGroup = z
  .object({
    object: z.literal('member_group'),
    id: z.string(),
    name: z.string(),
    external_reference_id: z.string().nullable(),
    grants: z.array(
      z.object({ source: sourceName, since: moment, until: moment.nullable(), change: z.string() }),
    ),
  })
  .meta({ id: 'MemberGroup' })

function toMemberGroup(row: MemberGroupRow): z.infer<typeof memberGroup> {
  return {
    object: 'member_group',
    id: toId('group', row.id),
    name: row.name,
    external_reference_id: row.external_reference_id,
    grants: row.grants.map((grant) => ({
      source: grant.source as z.infer<typeof sourceName>,
      since: grant.since,
      until: grant.expires_at,
      change: toId('change', grant.change),
    })),
  }
}

const tags = ['Access']

/** What a member has, and why. */
export function memberAccessRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/members/:member/access',
      {
        schema: {
          tags,
          summary: 'Everything a member holds: since when, until when, and why; now or as of a past moment',
          operationId: 'explainMemberAccess',
          params: memberParams,
          querystring: z.object({ as_of: moment.optional() }),
          response: { 200: access },
        },
      },
      async (request) => {
        const id = fromId('member', request.params.member)
        return toAccess(await explainAccess(reading(services, request), id, request.query.as_of ?? null))
      },
    )

    app.get(
      '/members/:member/groups',
      {
        schema: {
          tags,
          summary: 'The groups a member is in, each with what put it there',
          operationId: 'listGroupsOfMember',
          params: memberParams,
          querystring: pageQuery,
          response: { 200: page(memberGroup) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const id = fromId('member', request.params.member)
        const place = { afterId: idCursor(after), limit: limit + 1 }
        const rows = await listGroupsOfMember(reading(services, request), id, place)
        return toPage(rows, limit, toMemberGroup, (row) => row.id)
      },
    )

    app.get(
      '/members/:member/roles',
      {
        schema: {
          tags,
          summary: 'The roles a member has: its own and those of its groups',
          operationId: 'listRolesOfMember',
          params: memberParams,
          querystring: pageQuery,
          response: { 200: page(roleAssignment) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const id = fromId('member', request.params.member)
        const place = { afterId: idCursor(after), limit: limit + 1 }
        const rows = await listRolesOfMember(reading(services, request), id, place)
        return toPage(rows, limit, toRoleAssignment, (row) => row.id)
      },
    )
  }
}
