import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  type AccessCheck,
  type AccessDecision,
  CHECKS_MAX,
  checkAccess,
  checkAccessBatch,
  type PathRow,
} from '../../directory/access/check.ts'
import { PERMISSION_LENGTH_MAX } from '../../directory/access/permission.ts'
import { moment, text } from '../http/wire-types.ts'
import { reading, type Services } from './exchange.ts'
import { endingGrant, toEndingGrant } from './member-access.ts'
import {
  fromIdField,
  fromTargetName,
  orgParams,
  roleRef,
  sourceName,
  target,
  targetName,
  toGroupId,
  toId,
  toRoleRef,
  toTarget,
} from './wire.ts'

const check = z.strictObject({
  member: z.string(),
  permission: text(PERMISSION_LENGTH_MAX),
  target: targetName.default('organization'),
})

function toCheck(input: z.infer<typeof check>, path = ''): AccessCheck {
  return {
    memberId: fromIdField('member', input.member, `${path}member`),
    permission: input.permission,
    target: fromTargetName(input.target, `${path}target`),
  }
}

/** A way in which a role that allows it comes to the member. */
const way = z.object({
  role: roleRef,
  /** Where the role is held: the target, or what it is in. */
  target,
  assignment: z.string(),
  source: sourceName,
  until: moment.nullable(),
  /** The group that has the role, and what put the member there; null: the member's own role. */
  group: z
    .object({ id: z.string(), name: z.string(), source: sourceName, until: moment.nullable() })
    .nullable(),
})

function toWay(path: PathRow): z.infer<typeof way> {
  return {
    role: toRoleRef({ id: path.role_id, key: path.role_key, name: path.role_name }),
    target: toTarget({ workspaceId: path.workspace_id, projectId: path.project_id, pageId: path.page_id }),
    assignment: toId('roleAssignment', path.role_grant_id),
    source: path.source as z.infer<typeof sourceName>,
    until: path.expires_at,
    group:
      path.group_id === null
        ? null
        : {
            id: toGroupId(path.group_kind, path.group_id),
            name: path.group_name ?? '',
            source: path.membership_source as z.infer<typeof sourceName>,
            until: path.membership_expires_at,
          },
  }
}

const decision = z
  .object({
    object: z.literal('access_decision'),
    allowed: z.boolean(),
    /** Why not, although roles give it: the member is not active. */
    member_status: z.enum(['active', 'suspended', 'removed']),
    through: z.array(way),
    /** All of these together, and no fewer, would have to end for it to be lost. */
    lost_by_ending: z.array(endingGrant),
  })
  .meta({ id: 'AccessDecision' })

function toDecision(found: AccessDecision): z.infer<typeof decision> {
  return {
    object: 'access_decision',
    allowed: found.allowed,
    member_status: found.status,
    through: found.paths.map(toWay),
    lost_by_ending: found.lostByEnding.map(toEndingGrant),
  }
}

const tags = ['Access']

/** Whether a member may do something. */
export function accessCheckRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/access/check',
      {
        schema: {
          tags,
          summary: 'Whether a member may do something on a target, and through which grants',
          operationId: 'checkAccess',
          params: orgParams,
          body: check.extend({ as_of: moment.nullish() }),
          response: { 200: decision },
        },
      },
      async (request) => {
        const { as_of: asOf, ...asked } = request.body
        return toDecision(await checkAccess(reading(services, request), toCheck(asked), asOf ?? null))
      },
    )

    app.post(
      '/access/check_batch',
      {
        schema: {
          tags,
          summary: `Up to ${CHECKS_MAX} checks in one call, answered in their order`,
          operationId: 'checkAccessBatch',
          params: orgParams,
          body: z.strictObject({
            checks: z
              .array(check)
              .min(1, 'must have at least one check')
              .max(CHECKS_MAX, `must have at most ${CHECKS_MAX} checks`),
          }),
          response: { 200: z.object({ data: z.array(z.object({ allowed: z.boolean() })) }) },
        },
      },
      async (request) => {
        const checks = request.body.checks.map((asked, index) => toCheck(asked, `checks[${index}].`))
        return { data: await checkAccessBatch(reading(services, request), checks) }
      },
    )
  }
}
