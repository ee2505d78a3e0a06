import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Accepted, acceptInvitation, lookUpInvitation } from '../../directory/invitations/acceptance.ts'
import { limitClients } from '../http/client-limit.ts'
import { moment, text } from '../http/wire-types.ts'
import type { Services } from './exchange.ts'
import { toOfferedRole } from './invitations.ts'
import { levelName, roleRef, shownName, target, toId } from './wire.ts'

const TOKEN_LENGTH_MAX = 100
const EMAIL_LENGTH_MAX = 320
const NAME_LENGTH_MAX = 255

// In the body: what stands in a URL stands in logs and histories.
const token = text(TOKEN_LENGTH_MAX).describe('What stands behind the # of the link in the mail.')

const lookup = z
  .object({
    object: z.literal('invitation_lookup'),
    organization: z.object({ name: z.string(), slug: z.string() }),
    workspace: z.object({ name: z.string(), slug: z.string() }).nullable(),
    /** Masked: the person knows the address. */
    email: z.string(),
    level: levelName,
    first_name: z.string().nullable(),
    expires_at: moment,
  })
  .meta({ id: 'InvitationLookup' })

const acceptance = z
  .object({
    object: z.literal('invitation_acceptance'),
    organization: z.object({ id: z.string(), name: z.string(), slug: z.string() }),
    member: z.object({ id: z.string(), display_name: z.string().nullable(), email: z.string().nullable() }),
    /** False: the person was a member already, and has what was offered beside what they had. */
    is_new_member: z.boolean(),
    level: levelName,
    /** What was offered and cannot be given any more. */
    skipped: z.array(
      z.object({ role: roleRef, target, reason: z.enum(['role_deleted', 'project_archived']) }),
    ),
  })
  .meta({ id: 'InvitationAcceptance' })

/** `ann@acme.example` as `a***@acme.example`. */
function masked(email: string): string {
  const [first = ''] = email
  return `${first}***${email.slice(email.lastIndexOf('@'))}`
}

function toLookup({
  organization,
  invitation,
}: Pick<Accepted, 'organization' | 'invitation'>): z.infer<typeof lookup> {
  const { workspace_name: name, workspace_slug: slug } = invitation
  return {
    object: 'invitation_lookup',
    organization: { name: organization.name, slug: organization.slug },
    workspace: name === null || slug === null ? null : { name, slug },
    email: masked(invitation.email),
    level: invitation.level,
    first_name: invitation.first_name,
    expires_at: invitation.expires_at,
  }
}

function toAcceptance({ organization, member, isNewMember, skipped }: Accepted): z.infer<typeof acceptance> {
  return {
    object: 'invitation_acceptance',
    organization: { ...organization, id: toId('organization', organization.id) },
    member: { id: toId('member', member.id), display_name: shownName(member), email: member.email },
    is_new_member: isNewMember,
    level: member.level,
    skipped: skipped.map(({ grant, reason }) => ({ ...toOfferedRole(grant), reason })),
  }
}

const tags = ['Invitations']
const config = { withoutCredential: true }

/** What the person who is invited asks, with the token of the mail instead of a credential. */
export function invitationAcceptanceRoutes({ directory, authentication }: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    app.addHook('onRequest', limitClients())
    app.addHook('onRequest', async (_request, reply) => {
      void reply.header('cache-control', 'no-store')
    })

    app.post(
      '/invitation_lookups',
      {
        config,
        schema: {
          tags,
          security: [],
          summary: 'Ask what a token is an invitation to',
          operationId: 'lookUpInvitation',
          body: z.strictObject({ token }),
          response: { 200: lookup },
        },
      },
      async (request) => toLookup(await lookUpInvitation(directory, request.body.token)),
    )

    app.post(
      '/invitation_acceptances',
      {
        config,
        schema: {
          tags,
          security: [],
          summary: 'Accept an invitation with its token',
          operationId: 'acceptInvitation',
          body: z.strictObject({
            token,
            email: text(EMAIL_LENGTH_MAX).optional().describe('Refused if it is not the invited address.'),
            display_name: text(NAME_LENGTH_MAX).nullish(),
            first_name: text(NAME_LENGTH_MAX, 0).nullish(),
            last_name: text(NAME_LENGTH_MAX, 0).nullish(),
          }),
          response: { 201: acceptance },
        },
      },
      async (request, reply) => {
        const { token: presented, email, ...names } = request.body
        const accepted = await acceptInvitation(directory, presented, {
          email,
          displayName: names.display_name,
          firstName: names.first_name,
          lastName: names.last_name,
        })
        // A key of somebody who was a member already may do more from now on.
        authentication.forget()
        return reply.code(201).send(toAcceptance(accepted))
      },
    )
  }
}
