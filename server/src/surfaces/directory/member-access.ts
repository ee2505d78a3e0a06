import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { explainAccess, type MemberAccess } from '../../directory/access/member-access.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services } from './exchange.ts'
import { memberParams } from './members.ts'
import {
  actor,
  cause,
  changeKindName,
  fromId,
  shownName,
  sourceName,
  toActor,
  toCause,
  toId,
} from './wire.ts'

const access = z
  .object({
    object: z.literal('member_access'),
    member: z.object({ id: z.string(), status: z.string(), display_name: z.string().nullable() }),
    /** Grants of a member who is not active are listed, but give nothing. */
    effective: z.boolean(),
    grants: z.array(
      z.object({
        grant: z.enum(['group_membership', 'role']),
        group: z.object({ id: z.string(), name: z.string() }).nullable(),
        role: z.string().nullable(),
        source: sourceName,
        since: moment,
        until: moment.nullable(),
        change: z.object({ id: z.string(), kind: changeKindName, actor, cause: cause.nullable() }),
      }),
    ),
  })
  .meta({ id: 'MemberAccess' })

function toAccess(found: MemberAccess): z.infer<typeof access> {
  const { member: row, grants } = found
  return {
    object: 'member_access',
    member: { id: toId('member', row.id), status: row.status, display_name: shownName(row) },
    effective: row.status === 'active',
    grants: grants.map((grant) => ({
      grant: grant.grant_kind,
      group:
        grant.group_id === null ? null : { id: toId('group', grant.group_id), name: grant.group_name ?? '' },
      role: grant.role_key,
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
  }
}

/** Why a member has what it has. */
export function memberAccessRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/members/:member/access',
      {
        schema: {
          tags: ['Access'],
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
  }
}
