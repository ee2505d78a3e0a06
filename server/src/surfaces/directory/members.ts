import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { attributeProblem } from '../../directory/members/attributes.ts'
import type { MemberAttributes, MemberRow } from '../../directory/members/member.ts'
import {
  changeMemberLevel,
  createMember,
  getMember,
  listMembers,
  listMembersHolding,
  type NewMember,
  updateMember,
} from '../../directory/members/member.ts'
import { attributes } from '../http/attributes.ts'
import { metadata, moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  fromHoldingQuery,
  fromId,
  holdingQuery,
  idCursor,
  levelName,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  requireOnly,
  shownName,
  toId,
  toPage,
} from './wire.ts'

const EMAIL_LENGTH_MAX = 320
const NAME_LENGTH_MAX = 255
const REFERENCE_LENGTH_MAX = 255

export const newMember = z.strictObject({
  email: text(EMAIL_LENGTH_MAX).nullish(),
  display_name: text(NAME_LENGTH_MAX).nullish(),
  first_name: text(NAME_LENGTH_MAX, 0).nullish(),
  last_name: text(NAME_LENGTH_MAX, 0).nullish(),
  external_reference_id: text(REFERENCE_LENGTH_MAX).nullish(),
  attributes: attributes.optional(),
  metadata: metadata.optional(),
  level: levelName.optional(),
})
const memberUpdate = newMember.omit({ level: true })

/** @throws {DirectoryError} request.invalid for an attribute that breaks its rule */
export function toNewMember(input: z.infer<typeof newMember>): NewMember {
  const given = input.attributes as MemberAttributes | undefined
  const problem = given === undefined ? undefined : attributeProblem(given)
  if (problem !== undefined) {
    throw new DirectoryError('request.invalid', `attributes.${problem}.`, { field: 'attributes' })
  }
  return {
    email: input.email,
    displayName: input.display_name,
    firstName: input.first_name,
    lastName: input.last_name,
    externalReferenceId: input.external_reference_id,
    attributes: given,
    metadata: input.metadata,
    level: input.level,
  }
}

export const member = z
  .object({
    object: z.literal('member'),
    id: z.string(),
    email: z.string().nullable(),
    display_name: z.string().nullable(),
    first_name: z.string().nullable(),
    last_name: z.string().nullable(),
    external_reference_id: z.string().nullable(),
    attributes: z.record(z.string(), z.unknown()),
    metadata: z.record(z.string(), z.unknown()),
    status: z.enum(['active', 'suspended', 'removed']),
    level: levelName,
    merged_into: z.string().nullable(),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Member' })

function toMember(row: MemberRow): z.infer<typeof member> {
  return {
    object: 'member',
    id: toId('member', row.id),
    email: row.email,
    display_name: shownName(row),
    first_name: row.first_name,
    last_name: row.last_name,
    external_reference_id: row.external_reference_id,
    attributes: row.attributes as Record<string, unknown>,
    metadata: row.metadata,
    status: row.status,
    level: row.level,
    merged_into: row.merged_into === null ? null : toId('member', row.merged_into),
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

/** Renders a member and sends its version as the ETag. */
export function renderMember(reply: FastifyReply): (row: MemberRow) => z.infer<typeof member> {
  return (row) => {
    setVersion(reply, row.version)
    return toMember(row)
  }
}

const tags = ['Members']
export const memberParams = orgParams.extend({ member: z.string() })

export function memberRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/members',
      {
        schema: {
          tags,
          summary: 'Create a member',
          operationId: 'createMember',
          params: orgParams,
          body: newMember,
          response: { 201: member },
        },
      },
      async (request, reply) =>
        (await write(services, request, reply, { status: 201, render: renderMember(reply) }, (context) =>
          createMember(context, toNewMember(request.body)),
        )) as never,
    )

    app.get(
      '/members',
      {
        schema: {
          tags,
          summary:
            'List members, all or those who hold a role, on a target, from a source; removed ones only when asked for',
          operationId: 'listMembers',
          params: orgParams,
          querystring: pageQuery.extend({
            ...holdingQuery.shape,
            status: z.enum(['active', 'suspended', 'removed']).optional(),
            email: text(EMAIL_LENGTH_MAX).optional(),
            external_reference_id: text(REFERENCE_LENGTH_MAX).optional(),
          }),
          response: { 200: page(member) },
        },
      },
      async (request) => {
        const { limit, after, status, email, external_reference_id: reference } = request.query
        const place = { afterId: idCursor(after), limit: limit + 1, status: status ?? null }
        const holding = fromHoldingQuery(request.query)
        if (Object.values(holding).some((value) => value !== null)) {
          requireOnly(request.query, ['email', 'external_reference_id'])
          const holders = await listMembersHolding(reading(services, request), holding, place)
          return toPage(holders, limit, toMember, (row) => row.id)
        }
        const rows = await listMembers(reading(services, request), {
          ...place,
          email: email ?? null,
          externalReferenceId: reference ?? null,
        })
        return toPage(rows, limit, toMember, (row) => row.id)
      },
    )

    app.get(
      '/members/:member',
      {
        schema: {
          tags,
          summary: 'Read a member',
          operationId: 'getMember',
          params: memberParams,
          response: { 200: member },
        },
      },
      async (request, reply) => {
        const row = await getMember(reading(services, request), fromId('member', request.params.member))
        return renderMember(reply)(row)
      },
    )

    app.patch(
      '/members/:member',
      {
        schema: {
          tags,
          summary: 'Change fields of a member; null clears one',
          operationId: 'updateMember',
          params: memberParams,
          body: memberUpdate,
          response: { 200: member },
        },
      },
      async (request, reply) => {
        const id = fromId('member', request.params.member)
        return (await write(
          services,
          request,
          reply,
          { status: 200, render: renderMember(reply) },
          (context) => updateMember(context, id, toNewMember(request.body), expectedVersion(request)),
        )) as never
      },
    )

    app.put(
      '/members/:member/level',
      {
        schema: {
          tags,
          summary: "Set a member's organization level",
          operationId: 'changeMemberLevel',
          params: memberParams,
          querystring: previewQuery,
          body: z.strictObject({ level: levelName }),
          response: { 200: z.union([member, preview]) },
        },
      },
      async (request, reply) => {
        const id = fromId('member', request.params.member)
        return (await write(
          services,
          request,
          reply,
          { status: 200, render: renderMember(reply) },
          (context) => changeMemberLevel(context, id, request.body.level),
        )) as never
      },
    )
  }
}
