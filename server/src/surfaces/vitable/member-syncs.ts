import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DesiredMembers } from '../../directory/member-syncs/desired-members.ts'
import type { MemberSyncRow, SyncedMembers } from '../../directory/member-syncs/member-sync.ts'
import {
  getMemberSync,
  getSyncedMembers,
  requireSyncTarget,
  submitMemberSync,
} from '../../directory/member-syncs/member-sync.ts'
import type { MemberAttributes } from '../../directory/members/member.ts'
import { address } from '../http/attributes.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'
import { readMemberRows, takeBodiesAsStreams } from '../http/member-rows.ts'
import { moment, text } from '../http/wire-types.ts'
import { envelope, fromVitableId, toVitableId } from './wire.ts'

const BODY_BYTES_MAX = 8 * 1024 * 1024
const ROWS_MAX = 5_000
const TEXT_LENGTH_MAX = 255

const member = z.object({
  reference_id: text(TEXT_LENGTH_MAX),
  first_name: text(TEXT_LENGTH_MAX, 0),
  last_name: text(TEXT_LENGTH_MAX, 0),
  date_of_birth: text(10).nullish(),
  phone: text(32).nullish(),
  plan_id: text(TEXT_LENGTH_MAX).nullish(),
  address: address.nullish(),
  email: text(320).nullish(),
})

/** The personal attributes a row states. What it leaves out or sets to null stays as it is. */
function toAttributes(row: z.infer<typeof member>): MemberAttributes | undefined {
  const stated = Object.entries({
    date_of_birth: row.date_of_birth,
    phone: row.phone,
    plan_id: row.plan_id,
    address: row.address,
  }).filter(([, value]) => value !== undefined && value !== null)
  return stated.length === 0 ? undefined : (Object.fromEntries(stated) as MemberAttributes)
}

const accepted = z.object({ request_id: z.string(), group_id: z.string(), accepted_at: moment })

const results = z.object({
  added_group_member_ids: z.array(z.string()),
  removed_group_member_ids: z.array(z.string()),
  failures: z.array(
    z.object({ reference_id: z.string(), operation: z.enum(['add', 'remove']), reason: z.string() }),
  ),
})

const detail = accepted
  .extend({ completed_at: moment.nullable(), results: results.nullable() })
  .meta({ id: 'VitableMemberSyncRequest' })

function toDetail(row: MemberSyncRow, members: SyncedMembers): z.infer<typeof detail> {
  const toIds = (ids: string[]) => ids.map((id) => toVitableId('groupMember', id))
  return {
    request_id: toVitableId('memberSync', row.id),
    group_id: toVitableId('group', row.group_id),
    accepted_at: row.accepted_at,
    completed_at: row.completed_at,
    results:
      row.completed_at === null
        ? null
        : {
            added_group_member_ids: toIds(members.opened),
            removed_group_member_ids: toIds(members.ended),
            failures: row.failures ?? [],
          },
  }
}

const tags = ['Vitable: group member sync']

export function memberSyncRoutes(services: KeyScopeServices): FastifyPluginAsync {
  const { directory } = services
  return async (plain) => {
    await plain.register(submissionRoute)
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/:group_id/members/sync/:request_id',
      {
        schema: {
          tags,
          summary: 'Get group member sync request',
          operationId: 'vitableGetMemberSync',
          params: z.object({ group_id: z.string(), request_id: z.string() }),
          response: { 200: envelope(detail) },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        const groupId = fromVitableId('group', request.params.group_id)
        const row = await getMemberSync(
          context,
          groupId,
          fromVitableId('memberSync', request.params.request_id),
        )
        return { data: toDetail(row, await getSyncedMembers(context, row)) }
      },
    )
  }

  async function submissionRoute(plain: FastifyInstance): Promise<void> {
    takeBodiesAsStreams(plain)
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/:group_id/members/sync',
      {
        bodyLimit: BODY_BYTES_MAX,
        config: { documentedBody: z.object({ members: z.array(member).max(ROWS_MAX) }) },
        schema: {
          tags,
          summary: 'Submit group member sync',
          description: 'The body is `{"members": [...]}`: the complete desired roster, up to 5,000 members.',
          operationId: 'vitableSubmitMemberSync',
          params: z.object({ group_id: z.string() }),
          response: { 202: envelope(accepted) },
        },
      },
      async (request, reply) => {
        const context = inOrganization(services, request.actor)
        const groupId = fromVitableId('group', request.params.group_id)
        await requireSyncTarget(context, groupId)
        const members = new DesiredMembers('reference_id')
        await readMemberRows(request, {
          bytesMax: BODY_BYTES_MAX,
          rowsMax: ROWS_MAX,
          schema: member,
          onRow: (row) =>
            members.add({
              referenceId: row.reference_id,
              firstName: row.first_name,
              lastName: row.last_name,
              email: row.email,
              attributes: toAttributes(row),
            }),
        })
        const sync = await submitMemberSync(context, groupId, members)
        directory.wakeTasks()
        return reply.code(202).send({
          data: {
            request_id: toVitableId('memberSync', sync.id),
            group_id: toVitableId('group', groupId),
            accepted_at: sync.accepted_at,
          },
        })
      },
    )
  }
}
