import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ChangeRow } from '../../directory/changes/read.ts'
import { getChange, listChanges, readChangeEffects } from '../../directory/changes/read.ts'
import { type UndoOutcome, undoChange } from '../../directory/changes/undo.ts'
import type { GroupKind } from '../../directory/groups/group.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services, write } from './exchange.ts'
import {
  actor,
  cause,
  changeKindName,
  effects,
  fromGroupIdField,
  fromId,
  fromIdField,
  grantEffect,
  numberCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  toActor,
  toCause,
  toDetail,
  toEffect,
  toEffects,
  toGroupId,
  toId,
  toIdOrNull,
  toPage,
  toUndoRefusal,
  undoRefusal,
} from './wire.ts'

const change = z
  .object({
    object: z.literal('change'),
    id: z.string(),
    /** 1, 2, 3 … without gaps within the organization. */
    number: z.number().int(),
    at: moment,
    effective_at: moment,
    kind: changeKindName,
    actor,
    cause: cause.nullable(),
    member: z.string().nullable(),
    group: z.string().nullable(),
    opened: z.number().int(),
    ended: z.number().int(),
    detail: z.record(z.string(), z.unknown()),
    undoes: z.string().nullable(),
    undone_by: z.string().nullable(),
  })
  .meta({ id: 'Change' })

/** What the group of a change is: its kind, or that of the change which it undoes, says so. */
function groupKindOf({ kind, detail }: ChangeRow): GroupKind {
  const about = kind === 'change.undone' ? String(detail.undone_kind) : kind
  return about.startsWith('teamspace.') ? 'teamspace' : 'group'
}

function toChange(row: ChangeRow): z.infer<typeof change> {
  return {
    object: 'change',
    id: toId('change', row.id),
    number: row.seq,
    at: row.at,
    effective_at: row.effective_at ?? row.at,
    kind: row.kind,
    actor: toActor(row.actor_kind, row.actor_id),
    cause: toCause(row.cause_kind, row.cause_id),
    member: toIdOrNull('member', row.member_id),
    group: row.group_id === null ? null : toGroupId(groupKindOf(row), row.group_id),
    opened: row.opened_count,
    ended: row.ended_count,
    detail: toDetail(row.detail),
    undoes: toIdOrNull('change', row.undoes),
    undone_by: toIdOrNull('change', row.undone_by),
  }
}

const undone = z
  .object({
    object: z.literal('undo'),
    undoes: z.string(),
    opened: z.number().int(),
    ended: z.number().int(),
    /** What is not given back, and why. */
    refused: z.array(undoRefusal),
  })
  .meta({ id: 'Undo' })

function toUndone(outcome: UndoOutcome): z.infer<typeof undone> {
  return {
    object: 'undo',
    undoes: toId('change', outcome.undone.id),
    opened: outcome.opened,
    ended: outcome.ended,
    refused: outcome.refused.map(toUndoRefusal),
  }
}

const tags = ['Changes']
const changeParams = orgParams.extend({ change: z.string() })

export function changeRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/changes',
      {
        schema: {
          tags,
          summary: 'List changes in the order in which they happened, or the latest first',
          operationId: 'listChanges',
          params: orgParams,
          querystring: pageQuery.extend({
            order: z.enum(['asc', 'desc']).default('asc'),
            member: z.string().optional(),
            group: z.string().optional(),
            kind: changeKindName.optional(),
          }),
          response: { 200: page(change) },
        },
      },
      async (request) => {
        const { limit, after, order, member, group, kind } = request.query
        const rows = await listChanges(reading(services, request), {
          afterSeq: numberCursor(after),
          order,
          memberId: member === undefined ? null : fromIdField('member', member, 'member'),
          groupId: group === undefined ? null : fromGroupIdField(group, 'group'),
          kind: kind ?? null,
          limit: limit + 1,
        })
        return toPage(rows, limit, toChange, (row) => row.seq)
      },
    )

    app.get(
      '/changes/:change',
      {
        schema: {
          tags,
          summary: 'Read a change with everything it opened and ended',
          operationId: 'getChange',
          params: changeParams,
          response: { 200: change.extend({ effects }) },
        },
      },
      async (request) => {
        const context = reading(services, request)
        const row = await getChange(context, fromId('change', request.params.change))
        return { ...toChange(row), effects: toEffects(await readChangeEffects(context, row)) }
      },
    )

    app.get(
      '/changes/:change/effects',
      {
        schema: {
          tags,
          summary: 'List the grants that a change opened and ended',
          operationId: 'listChangeEffects',
          params: changeParams,
          querystring: pageQuery,
          response: { 200: page(grantEffect) },
        },
      },
      async (request) => {
        const { limit, after } = request.query
        const context = reading(services, request)
        const row = await getChange(context, fromId('change', request.params.change))
        const offset = numberCursor(after) ?? 0
        const found = await readChangeEffects(context, row, { offset, limit: limit + 1 })
        const places = found.grants.map((effect, index) => ({ effect, place: offset + index + 1 }))
        return toPage(
          places,
          limit,
          ({ effect }) => toEffect(effect),
          ({ place }) => place,
        )
      },
    )

    app.post(
      '/changes/:change/undo',
      {
        schema: {
          tags,
          summary: 'Undo a change: gives back what it ended and nobody changed since, ends what it opened',
          operationId: 'undoChange',
          params: changeParams,
          querystring: previewQuery,
          response: { 200: z.union([undone, preview]) },
        },
      },
      async (request, reply) => {
        const id = fromId('change', request.params.change)
        return (await write(services, request, reply, { status: 200, render: toUndone }, (context) =>
          undoChange(context, id),
        )) as never
      },
    )
  }
}
