import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import type { PlanEntryRow, PlanRow } from '../../directory/plans/plan.ts'
import { approvePlan, discardPlan, getPlan, listPlanEntries, listPlans } from '../../directory/plans/plan.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services, write } from './exchange.ts'
import {
  actor,
  fromId,
  fromIdField,
  idCursor,
  numberCursor,
  orgParams,
  page,
  pageQuery,
  toActor,
  toId,
  toIdOrNull,
  toPage,
} from './wire.ts'

const planStatus = z.enum(['held', 'applied', 'discarded', 'superseded', 'expired'])

const plan = z
  .object({
    object: z.literal('plan'),
    id: z.string(),
    group: z.string(),
    /** Null: what is held is what the identity provider that manages the group asserts. */
    member_sync: z.string().nullable(),
    status: planStatus,
    reason: z.string(),
    base_change_number: z.number().int(),
    opens: z.number().int(),
    ends: z.number().int(),
    new_members: z.number().int(),
    created_at: moment,
    expires_at: moment,
    decided_at: moment.nullable(),
    decided_by: actor.nullable(),
    change: z.string().nullable(),
  })
  .meta({ id: 'Plan' })

function toPlan(row: PlanRow): z.infer<typeof plan> {
  return {
    object: 'plan',
    id: toId('plan', row.id),
    group: toId('group', row.group_id),
    member_sync: row.member_sync_id === null ? null : toId('memberSync', row.member_sync_id),
    status: row.status,
    reason: row.reason,
    base_change_number: row.base_seq,
    opens: row.open_count,
    ends: row.end_count,
    new_members: row.new_member_count,
    created_at: row.created_at,
    expires_at: row.expires_at,
    decided_at: row.decided_at,
    decided_by:
      row.decided_by_kind === null
        ? null
        : toActor(row.decided_by_kind as z.infer<typeof actor>['kind'], row.decided_by_id),
    change: toIdOrNull('change', row.change_id),
  }
}

const planEntry = z.object({
  effect: z.enum(['open', 'end']),
  member: z.string().nullable(),
  external_reference_id: z.string().nullable(),
  display_name: z.string().nullable(),
})

function toPlanEntry(row: PlanEntryRow): z.infer<typeof planEntry> {
  return {
    effect: row.effect,
    member: toIdOrNull('member', row.member_id),
    external_reference_id: row.reference_id,
    display_name: row.member_name,
  }
}

const tags = ['Plans']
const planParams = orgParams.extend({ plan: z.string() })

export function planRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/plans',
      {
        schema: {
          tags,
          summary: 'List plans that the removal brake held, the latest first',
          operationId: 'listPlans',
          params: orgParams,
          querystring: pageQuery.extend({ status: planStatus.optional(), group: z.string().optional() }),
          response: { 200: page(plan) },
        },
      },
      async (request) => {
        const { limit, after, status, group } = request.query
        const rows = await listPlans(reading(services, request), {
          beforeId: idCursor(after),
          status: status ?? null,
          groupId: group === undefined ? null : fromIdField('group', group, 'group'),
          limit: limit + 1,
        })
        return toPage(rows, limit, toPlan, (row) => row.id)
      },
    )

    app.get(
      '/plans/:plan',
      {
        schema: {
          tags,
          summary: 'Read a plan',
          operationId: 'getPlan',
          params: planParams,
          response: { 200: plan },
        },
      },
      async (request) =>
        toPlan(await getPlan(reading(services, request), fromId('plan', request.params.plan))),
    )

    app.get(
      '/plans/:plan/entries',
      {
        schema: {
          tags,
          summary: 'List whom a plan would open and end',
          operationId: 'listPlanEntries',
          params: planParams,
          querystring: pageQuery,
          response: { 200: page(planEntry) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const rows = await listPlanEntries(reading(services, request), fromId('plan', request.params.plan), {
          afterOrdinal: numberCursor(after) ?? 0,
          limit: limit + 1,
        })
        return toPage(rows, limit, toPlanEntry, (row) => row.ordinal)
      },
    )

    app.post(
      '/plans/:plan/approve',
      {
        schema: {
          tags,
          summary:
            'Approve a held plan: it is computed anew, and applied if nobody loses more than it showed',
          operationId: 'approvePlan',
          params: planParams,
          response: { 200: plan },
        },
      },
      async (request, reply) => {
        const id = fromId('plan', request.params.plan)
        return (await write(
          services,
          request,
          reply,
          {
            status: 200,
            render: toPlan,
            // Another plan than the one that was approved: it is held now, there to be approved.
            refusal: (row: PlanRow) =>
              row.id === id
                ? undefined
                : new DirectoryError('plan.changed', row.reason, {
                    context: { held_plan: toId('plan', row.id) },
                  }),
          },
          (context) => approvePlan(context, id),
        )) as never
      },
    )

    app.post(
      '/plans/:plan/discard',
      {
        schema: {
          tags,
          summary: 'Discard a held plan: nothing of it is applied',
          operationId: 'discardPlan',
          params: planParams,
          response: { 200: plan },
        },
      },
      async (request, reply) => {
        const id = fromId('plan', request.params.plan)
        return (await write(services, request, reply, { status: 200, render: toPlan }, (context) =>
          discardPlan(context, id),
        )) as never
      },
    )
  }
}
