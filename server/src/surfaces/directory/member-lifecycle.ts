import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Context } from '../../directory/context.ts'
import {
  leaveOrganization,
  reactivateMember,
  removeMember,
  restoreMember,
  suspendMember,
} from '../../directory/members/lifecycle.ts'
import type { MemberRow } from '../../directory/members/member.ts'
import { mergeMembers } from '../../directory/members/merge.ts'
import { expectedVersion, type Services, write } from './exchange.ts'
import { member, memberParams, renderMember } from './members.ts'
import { fromId, fromIdField, orgParams, preview, previewQuery } from './wire.ts'

const tags = ['Members']

/** How members come to be suspended, removed, restored and merged. */
export function memberLifecycleRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

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
          return (await write(
            services,
            request,
            reply,
            { status: 200, render: renderMember(reply) },
            (context) => run(context, id),
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
        return (await write(
          services,
          request,
          reply,
          { status: 200, render: renderMember(reply) },
          (context) => removeMember(context, id, expectedVersion(request)),
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
          { status: 200, render: renderMember(reply) },
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
        return (await write(
          services,
          request,
          reply,
          { status: 200, render: renderMember(reply) },
          (context) => mergeMembers(context, into, from),
        )) as never
      },
    )
  }
}
