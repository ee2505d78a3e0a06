import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  createDomain,
  type DomainRow,
  deleteDomain,
  getDomain,
  listDomains,
  ssoEnforcements,
  updateDomain,
} from '../../directory/domains/domain.ts'
import { findProof, PROOF_GRACE_MILLIS, verifyDomain } from '../../directory/domains/verification.ts'
import { moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  fromId,
  fromIdField,
  idCursor,
  orgParams,
  page,
  pageQuery,
  preview,
  previewQuery,
  toId,
  toIdOrNull,
  toPage,
} from './wire.ts'

const NAME_LENGTH_MAX = 255

const [, ...enforcements] = ssoEnforcements
/** Null on the wire is the empty text inside: not enforced. */
const ssoEnforcement = z
  .enum(enforcements, { error: `must be null or one of ${enforcements.join(', ')}` })
  .nullable()

const domain = z
  .object({
    object: z.literal('domain'),
    id: z.string(),
    /** Lower-case A-labels. */
    name: z.string(),
    status: z.enum(['unverified', 'verified', 'proof_missing']),
    verified_at: moment.nullable(),
    /** The DNS record that proves the domain; it has to stay. */
    challenge: z.object({ type: z.literal('TXT'), name: z.string(), value: z.string() }),
    /** The last look for the record: what was wrong, or null. Null: nobody has looked yet. */
    last_check: z.object({ at: moment, problem: z.string().nullable() }).nullable(),
    /** When a verified domain whose record is gone loses its verification. */
    unverified_from: moment.nullable(),
    just_in_time: z.boolean(),
    sso_enforcement: ssoEnforcement,
    identity_provider: z.string().nullable(),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'Domain' })

function toDomain(row: DomainRow, recordName: (domain: string) => string): z.infer<typeof domain> {
  const { proof_missing_since: missingSince } = row
  return {
    object: 'domain',
    id: toId('domain', row.id),
    name: row.name,
    status: row.verified_at === null ? 'unverified' : missingSince === null ? 'verified' : 'proof_missing',
    verified_at: row.verified_at,
    challenge: { type: 'TXT', name: recordName(row.name), value: row.challenge },
    last_check: row.checked_at === null ? null : { at: row.checked_at, problem: row.check_problem },
    unverified_from:
      missingSince === null ? null : new Date(Date.parse(missingSince) + PROOF_GRACE_MILLIS).toISOString(),
    just_in_time: row.just_in_time,
    sso_enforcement: row.sso_enforcement === '' ? null : row.sso_enforcement,
    identity_provider: toIdOrNull('identityProvider', row.identity_provider_id),
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const tags = ['Domains']
const domainParams = orgParams.extend({ domain: z.string() })

/** The identity provider that a body or a query names; undefined: it names none, null: it takes the link away. */
function fromProvider<T extends null | undefined>(id: string | T): string | T {
  return typeof id === 'string' ? fromIdField('identityProvider', id, 'identity_provider') : id
}

export function domainRoutes(services: Services): FastifyPluginAsync {
  const { domainProofs, domainCheckMillis } = services.directory
  const render = (row: DomainRow) => toDomain(row, domainProofs.recordName)
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: DomainRow) => {
      setVersion(reply, row.version)
      return render(row)
    }

    app.post(
      '/domains',
      {
        schema: {
          tags,
          summary: 'Name a domain; it does nothing before it is verified',
          operationId: 'createDomain',
          params: orgParams,
          body: z.strictObject({ name: text(NAME_LENGTH_MAX), identity_provider: z.string().nullish() }),
          response: { 201: domain },
        },
      },
      async (request, reply) => {
        const { name, identity_provider: provider = null } = request.body
        const input = { name, identityProviderId: fromProvider(provider) }
        return (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          createDomain(context, input),
        )) as never
      },
    )

    app.get(
      '/domains',
      {
        schema: {
          tags,
          summary: 'List domains',
          operationId: 'listDomains',
          params: orgParams,
          querystring: pageQuery.extend({
            identity_provider: z.string().optional().describe('Only domains linked to it.'),
          }),
          response: { 200: page(domain) },
        },
      },
      async (request) => {
        const { limit, after, identity_provider: provider } = request.query
        const rows = await listDomains(reading(services, request), {
          afterId: idCursor(after),
          limit: limit + 1,
          identityProviderId: fromProvider(provider) ?? null,
        })
        return toPage(rows, limit, render, (row) => row.id)
      },
    )

    app.get(
      '/domains/:domain',
      {
        schema: {
          tags,
          summary: 'Read a domain',
          operationId: 'getDomain',
          params: domainParams,
          response: { 200: domain },
        },
      },
      async (request, reply) =>
        renderTo(reply)(await getDomain(reading(services, request), fromId('domain', request.params.domain))),
    )

    app.patch(
      '/domains/:domain',
      {
        schema: {
          tags,
          summary: 'Change what a domain does; just_in_time and sso_enforcement need a verified one',
          operationId: 'updateDomain',
          params: domainParams,
          querystring: previewQuery,
          body: z.strictObject({
            just_in_time: z.boolean().optional(),
            sso_enforcement: ssoEnforcement.optional(),
            identity_provider: z.string().nullish(),
          }),
          response: { 200: z.union([domain, preview]) },
        },
      },
      async (request, reply) => {
        const id = fromId('domain', request.params.domain)
        const { just_in_time: justInTime, sso_enforcement: enforcement } = request.body
        const update = {
          justInTime,
          ssoEnforcement: enforcement === null ? ('' as const) : enforcement,
          identityProviderId: fromProvider(request.body.identity_provider),
        }
        const version = expectedVersion(request)
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateDomain(context, id, update, version),
        )) as never
      },
    )

    app.post(
      '/domains/:domain/verify',
      {
        schema: {
          tags,
          summary: 'Look for the DNS record now; last_check says what was wrong if it is not verified',
          operationId: 'verifyDomain',
          params: domainParams,
          response: { 200: domain },
        },
      },
      async (request, reply) => {
        const id = fromId('domain', request.params.domain)
        const finding = await findProof(reading(services, request), domainProofs, id)
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          verifyDomain(context, id, finding, domainCheckMillis),
        )) as never
      },
    )

    app.delete(
      '/domains/:domain',
      {
        schema: {
          tags,
          summary: 'Remove a domain and everything it does; anybody may then verify its name',
          operationId: 'deleteDomain',
          params: domainParams,
          querystring: previewQuery,
          response: { 200: preview, 204: z.null() },
        },
      },
      async (request, reply) => {
        const id = fromId('domain', request.params.domain)
        const version = expectedVersion(request)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          deleteDomain(context, id, version),
        )) as never
      },
    )
  }
}
