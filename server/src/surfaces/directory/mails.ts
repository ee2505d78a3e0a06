import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type ListedMail, listMails, mailStatuses } from '../../directory/outbox/outbox.ts'
import { moment } from '../http/wire-types.ts'
import { reading, type Services } from './exchange.ts'
import { idCursor, orgParams, page, pageQuery, toId, toPage } from './wire.ts'

const mail = z
  .object({
    object: z.literal('mail'),
    id: z.string(),
    to: z.string(),
    reply_to: z.string().nullable(),
    subject: z.string(),
    purpose: z.enum(['invitation']),
    /** What it is about. */
    invitation: z.string(),
    status: z.enum(mailStatuses),
    /** Null where mails are delivered, once it is over, and for who may not give everything that it offers. */
    body: z.object({ text: z.string(), html: z.string() }).nullable(),
    created_at: moment,
    expires_at: moment,
    sent_at: moment.nullable(),
    attempts: z.number().int(),
    next_attempt_at: moment.nullable(),
    last_error: z.string().nullable(),
  })
  .meta({ id: 'Mail' })

function toMail(row: ListedMail): z.infer<typeof mail> {
  return {
    object: 'mail',
    id: toId('mail', row.id),
    to: row.recipient,
    reply_to: row.reply_to,
    subject: row.subject,
    purpose: row.purpose,
    invitation: toId('invitation', row.about_id),
    status: row.status,
    body: row.body ?? null,
    created_at: row.created_at,
    expires_at: row.expires_at,
    sent_at: row.sent_at,
    attempts: row.attempts,
    next_attempt_at: row.status === 'pending' ? row.next_attempt_at : null,
    last_error: row.last_error,
  }
}

export function mailRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/mails',
      {
        schema: {
          tags: ['Mails'],
          summary: 'List the outbox: what was mailed, what waits, and what was not delivered and why',
          operationId: 'listMails',
          params: orgParams,
          querystring: pageQuery.extend({ status: z.enum(mailStatuses).optional() }),
          response: { 200: page(mail) },
        },
      },
      async (request, reply) => {
        const { limit, after, status } = request.query
        const { mailing } = services.directory
        const rows = await listMails(reading(services, request), mailing, {
          afterId: idCursor(after),
          limit: limit + 1,
          status: status ?? null,
        })
        void reply.header('cache-control', 'no-store')
        return toPage(rows, limit, toMail, (row) => row.id)
      },
    )
  }
}
