import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { claimIdempotencyKey, storeAnswer } from '../../directory/idempotency/idempotency.ts'
import { DesiredMembers } from '../../directory/member-syncs/desired-members.ts'
import type { MemberSyncFailure, MemberSyncRow } from '../../directory/member-syncs/member-sync.ts'
import {
  cancelMemberSync,
  DIRECTORY_ROWS_MAX,
  getMemberSync,
  listMemberSyncFailures,
  listMemberSyncs,
  previewMemberSync,
  requireSyncTarget,
  type SyncPreview,
  submitMemberSync,
} from '../../directory/member-syncs/member-sync.ts'
import type { MemberAttributes } from '../../directory/members/member.ts'
import { attributes } from '../http/attributes.ts'
import { readMemberRows, takeBodiesAsStreams } from '../http/member-rows.ts'
import { moment, queryFlag, text } from '../http/wire-types.ts'
import { idempotency, reading, replay, type Services, toPreview, write } from './exchange.ts'
import {
  effects,
  fromId,
  numberCursor,
  orgParams,
  page,
  pageQuery,
  toId,
  toIdOrNull,
  toPage,
} from './wire.ts'

const BODY_BYTES_MAX = 64 * 1024 * 1024
const TEXT_LENGTH_MAX = 255

const desiredMember = z.strictObject({
  external_reference_id: text(TEXT_LENGTH_MAX),
  email: text(320).nullish(),
  display_name: text(TEXT_LENGTH_MAX).nullish(),
  first_name: text(TEXT_LENGTH_MAX, 0).nullish(),
  last_name: text(TEXT_LENGTH_MAX, 0).nullish(),
  attributes: attributes.optional(),
})

const failure = z.object({
  external_reference_id: z.string(),
  operation: z.enum(['add', 'remove']),
  reason: z.string(),
})

const memberSync = z
  .object({
    object: z.literal('member_sync'),
    id: z.string(),
    group: z.string(),
    position: z.number().int(),
    status: z.enum([
      'pending',
      'held',
      'completed',
      'cancelled',
      'superseded',
      'discarded',
      'expired',
      'failed',
    ]),
    member_count: z.number().int(),
    accepted_at: moment,
    completed_at: moment.nullable(),
    /** Set while the removal brake holds it: the plan to approve or discard. */
    held_plan: z.string().nullable(),
    change: z.string().nullable(),
    result: z
      .object({
        opened: z.number().int(),
        ended: z.number().int(),
        left: z.number().int(),
        created_members: z.number().int(),
        updated_members: z.number().int(),
        failure_count: z.number().int(),
        /** The first ones; `…/failures` has all. */
        failures: z.array(failure),
      })
      .nullable(),
  })
  .meta({ id: 'MemberSync' })

function toFailure(row: MemberSyncFailure): z.infer<typeof failure> {
  return { external_reference_id: row.reference_id, operation: row.operation, reason: row.reason }
}

function toFailures(failures: MemberSyncRow['failures']): z.infer<typeof failure>[] {
  return (failures ?? []).map(toFailure)
}

function toMemberSync(row: MemberSyncRow): z.infer<typeof memberSync> {
  return {
    object: 'member_sync',
    id: toId('memberSync', row.id),
    group: toId('group', row.group_id),
    position: row.position,
    status: row.status,
    member_count: row.row_count,
    accepted_at: row.accepted_at,
    completed_at: row.completed_at,
    held_plan: toIdOrNull('plan', row.held_plan_id),
    change: toIdOrNull('change', row.change_id),
    result:
      row.completed_at === null
        ? null
        : {
            opened: row.opened_count ?? 0,
            ended: row.ended_count ?? 0,
            left: row.left_count ?? 0,
            created_members: row.created_members ?? 0,
            updated_members: row.updated_members ?? 0,
            failure_count: row.failure_count ?? 0,
            failures: toFailures(row.failures),
          },
  }
}

const syncPreview = effects.extend({
  object: z.literal('preview'),
  left: z.number().int(),
  created_members: z.number().int(),
  updated_members: z.number().int(),
  failures: z.array(failure),
})

function toSyncPreview(found: SyncPreview): z.infer<typeof syncPreview> {
  return {
    ...(toPreview(found) as z.infer<typeof effects> & { object: 'preview' }),
    left: found.applied.left,
    created_members: found.applied.createdMembers,
    updated_members: found.applied.updatedMembers,
    failures: toFailures(found.failures),
  }
}

const tags = ['Member syncs']
const groupParams = orgParams.extend({ group: z.string() })
const syncParams = groupParams.extend({ sync: z.string() })

export function memberSyncRoutes(services: Services): FastifyPluginAsync {
  const { directory } = services
  return async (plain) => {
    await plain.register(submissionRoute(services))
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/groups/:group/member_syncs',
      {
        schema: {
          tags,
          summary: 'List the member syncs of a group, the latest first',
          operationId: 'listMemberSyncs',
          params: groupParams,
          querystring: pageQuery,
          response: { 200: page(memberSync) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const rows = await listMemberSyncs(
          reading(services, request),
          fromId('group', request.params.group),
          {
            beforePosition: numberCursor(after),
            limit: limit + 1,
          },
        )
        return toPage(rows, limit, toMemberSync, (row) => row.position)
      },
    )

    app.get(
      '/groups/:group/member_syncs/:sync',
      {
        schema: {
          tags,
          summary: 'Read a member sync and its result',
          operationId: 'getMemberSync',
          params: syncParams,
          response: { 200: memberSync },
        },
      },
      async (request) => {
        const groupId = fromId('group', request.params.group)
        const id = fromId('memberSync', request.params.sync)
        return toMemberSync(await getMemberSync(reading(services, request), groupId, id))
      },
    )

    app.get(
      '/groups/:group/member_syncs/:sync/failures',
      {
        schema: {
          tags,
          summary: 'List the rows that a member sync refused, each with its reason',
          operationId: 'listMemberSyncFailures',
          params: syncParams,
          querystring: pageQuery,
          response: { 200: page(failure) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const groupId = fromId('group', request.params.group)
        const id = fromId('memberSync', request.params.sync)
        const rows = await listMemberSyncFailures(reading(services, request), groupId, id, {
          afterOrdinal: numberCursor(after) ?? 0,
          limit: limit + 1,
        })
        return toPage(rows, limit, toFailure, (row) => row.ordinal)
      },
    )

    app.post(
      '/groups/:group/member_syncs/:sync/cancel',
      {
        schema: {
          tags,
          summary: 'Cancel a member sync that has not started',
          operationId: 'cancelMemberSync',
          params: syncParams,
          response: { 200: memberSync },
        },
      },
      async (request, reply) => {
        const groupId = fromId('group', request.params.group)
        const id = fromId('memberSync', request.params.sync)
        const answer = await write(
          services,
          request,
          reply,
          { status: 200, render: toMemberSync },
          (context) => cancelMemberSync(context, groupId, id),
        )
        directory.wakeTasks()
        return answer as never
      },
    )
  }
}

/** The one route that reads its body itself, row by row: 100,000 members neither wait in memory nor hold the loop. */
function submissionRoute(services: Services): FastifyPluginAsync {
  const { directory } = services
  return async (plain: FastifyInstance) => {
    takeBodiesAsStreams(plain)
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/groups/:group/member_syncs',
      {
        bodyLimit: BODY_BYTES_MAX,
        config: { documentedBody: z.object({ members: z.array(desiredMember).max(DIRECTORY_ROWS_MAX) }) },
        schema: {
          tags,
          summary: 'Submit who should be in a group: the whole list, up to 100,000 members',
          description:
            'The body is `{"members": [{"external_reference_id": "…", …}]}`. Accepted submissions of a group are ' +
            'carried out in the order of their positions. With `preview=true` nothing is written.',
          operationId: 'submitMemberSync',
          params: groupParams,
          querystring: z.object({ preview: queryFlag }),
          response: { 200: syncPreview, 202: memberSync },
        },
      },
      async (request, reply) => {
        const context = reading(services, request)
        const groupId = fromId('group', request.params.group)
        await requireSyncTarget(context, groupId)
        const members = new DesiredMembers('external_reference_id')
        await readMemberRows(request, {
          bytesMax: BODY_BYTES_MAX,
          rowsMax: DIRECTORY_ROWS_MAX,
          schema: desiredMember,
          onRow: (row) =>
            members.add({
              referenceId: row.external_reference_id,
              email: row.email,
              displayName: row.display_name,
              firstName: row.first_name,
              lastName: row.last_name,
              attributes: row.attributes as MemberAttributes | undefined,
            }),
        })
        if (request.query.preview) {
          return toSyncPreview(await previewMemberSync(directory, context, groupId, members))
        }
        const columns = Object.values(members.columns()).map((column) => column ?? '-')
        const idempotent = idempotency(request, context.organizationId, ...columns)
        const answer =
          idempotent === undefined
            ? { body: toMemberSync(await submitMemberSync(context, groupId, members)) }
            : await directory.database.transaction(async (tx) => {
                const stored = await claimIdempotencyKey(tx, idempotent)
                if (stored !== undefined) return { stored }
                const body = toMemberSync(await submitMemberSync({ ...context, db: tx }, groupId, members))
                await storeAnswer(tx, idempotent, 202, JSON.stringify(body))
                return { body }
              })
        directory.wakeTasks()
        if ('stored' in answer) return replay(reply, answer.stored) as never
        return reply.code(202).send(answer.body)
      },
    )
  }
}
