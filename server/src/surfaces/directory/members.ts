import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { explainAccess, type MemberAccess } from '../../directory/access/member-access.ts'
import type { Context } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { attributeProblem } from '../../directory/members/attributes.ts'
import {
  leaveOrganization,
  reactivateMember,
  removeMember,
  restoreMember,
  suspendMember,
} from '../../directory/members/lifecycle.ts'
import type { MemberAttributes, MemberRow } from '../../directory/members/member.ts'
import {
  changeMemberLevel,
  createMember,
  getMember,
  listMembers,
  type NewMember,
  updateMember,
} from '../../directory/members/member.ts'
import { mergeMembers } from '../../directory/members/merge.ts'
import { attributes } from '../http/attributes.ts'
import { metadata, moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  actor,
  cause,
  changeKindName,
  fromId,
  fromIdField,
  idCursor,
  levelName,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  shownName,
  sourceName,
  toActor,
  toCause,
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

const member = z
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

const tags = ['Members']
const memberParams = orgParams.extend({ member: z.string() })

export function memberRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: MemberRow) => {
      setVersion(reply, row.version)
      return toMember(row)
    }

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
        (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          createMember(context, toNewMember(request.body)),
        )) as never,
    )

    app.get(
      '/members',
      {
        schema: {
          tags,
          summary: 'List members; removed ones only when asked for',
          operationId: 'listMembers',
          params: orgParams,
          querystring: pageQuery.extend({
            status: z.enum(['active', 'suspended', 'removed']).optional(),
            email: text(EMAIL_LENGTH_MAX).optional(),
            external_reference_id: text(REFERENCE_LENGTH_MAX).optional(),
          }),
          response: { 200: page(member) },
        },
      },
      async (request) => {
        const { limit, after, status, email, external_reference_id: reference } = request.query
        const rows = await listMembers(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
          status: status ?? null,
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
        return renderTo(reply)(row)
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
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateMember(context, id, toNewMember(request.body), expectedVersion(request)),
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
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          changeMemberLevel(context, id, request.body.level),
        )) as never
      },
    )

    /** Operations that only need to know which member. */
    const lifecycle = {
      suspend: { run: suspendMember, summary: 'Suspend a member: grants stay, nothing they give works' },
      reactivate: { run: reactivateMember, summary: 'Make a suspended member active again' },
      restore: {
        run: restoreMember,
        summary: 'Restore a removed member: gives back what the removal ended and nobody changed since',
      },
    } satisfies Record<string, { run: (context: Context, id: string) => Promise<MemberRow>; summary: string }>
    for (const [name, { run, summary }] of Object.entries(lifecycle)) {
      app.post(
        `/members/:member/${name}`,
        {
          schema: {
            tags,
            summary,
            operationId: `${name}Member`,
            params: memberParams,
            querystring: previewQuery,
            response: { 200: z.union([member, preview]) },
          },
        },
        async (request, reply) => {
          const id = fromId('member', request.params.member)
          return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
            run(context, id),
          )) as never
        },
      )
    }

    app.delete(
      '/members/:member',
      {
        schema: {
          tags,
          summary: 'Remove a member: ends every grant and key in one change',
          operationId: 'removeMember',
          params: memberParams,
          querystring: previewQuery,
          response: { 200: z.union([member, preview]) },
        },
      },
      async (request, reply) => {
        const id = fromId('member', request.params.member)
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          removeMember(context, id, expectedVersion(request)),
        )) as never
      },
    )

    app.post(
      '/leave',
      {
        schema: {
          tags,
          summary: 'Leave the organization, with a key that acts as a member',
          operationId: 'leaveOrganization',
          params: orgParams,
          querystring: previewQuery,
          response: { 200: z.union([member, preview]) },
        },
      },
      async (request, reply) =>
        (await write(
          services,
          request,
          reply,
          { status: 200, render: renderTo(reply) },
          leaveOrganization,
        )) as never,
    )

    app.post(
      '/members/:member/merge',
      {
        schema: {
          tags,
          summary: 'Merge another member into this one; it cannot be undone',
          operationId: 'mergeMembers',
          params: memberParams,
          querystring: previewQuery,
          body: z.strictObject({ from: z.string() }),
          response: { 200: z.union([member, preview]) },
        },
      },
      async (request, reply) => {
        const into = fromId('member', request.params.member)
        const from = fromIdField('member', request.body.from, 'from')
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          mergeMembers(context, into, from),
        )) as never
      },
    )

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
