import type { FastifyBaseLogger, FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { toRefusal } from '../http/refusal.ts'
import type { Versioned } from './endpoint.ts'
import { type ScimErrorBody, toScimErrorBody } from './errors.ts'
import { groups } from './groups.ts'
import { idOf } from './path-id.ts'
import { versionOf } from './preconditions.ts'
import { BULK_ID, type BulkOperation, readBulkRequest, resolveBulkIds } from './protocol/bulk-request.ts'
import { ScimError } from './protocol/scim-error.ts'
import { etagOf } from './resource-text.ts'
import { type ScimScope, type ScimServices, scopeOf, sendScim } from './scope.ts'
import { users } from './users.ts'

interface BulkResult {
  readonly method: BulkOperation['method']
  readonly bulkId?: string
  readonly location?: string
  readonly version?: string
  readonly status: string
  readonly response?: ScimErrorBody
}

const endpoints = { Users: users, Groups: groups }

export function bulkRoutes(services: ScimServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      '/Bulk',
      {
        schema: {
          tags: ['SCIM: bulk'],
          summary: 'Carry out many operations',
          description:
            'One after the other, each whole or not at all. References by `bulkId` may point forward: what they point to is carried out first.',
          operationId: 'scimBulk',
        },
      },
      async (request, reply) => {
        const { operations, failOnErrors } = readBulkRequest(request.body)
        const scope = scopeOf(services, request)
        const results = await carryOut(scope, operations, failOnErrors, request.log)
        const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkResponse']
        return sendScim(reply, 200, JSON.stringify({ schemas, Operations: results }))
      },
    )
  }
}

/** Answers in the order in which they were carried out (RFC 7644 section 3.7). */
async function carryOut(
  scope: ScimScope,
  operations: readonly BulkOperation[],
  failOnErrors: number | undefined,
  log: FastifyBaseLogger,
): Promise<BulkResult[]> {
  const results: BulkResult[] = []
  const ids = new Map<string, string>()
  let errors = 0
  for (const operation of operations) {
    if (failOnErrors !== undefined && errors >= failOnErrors) break
    try {
      const { result, id } = await carryOutOne(scope, operation, ids)
      if (operation.bulkId !== undefined && id !== undefined) ids.set(operation.bulkId, id)
      results.push(result)
    } catch (error) {
      errors++
      const refusal = error instanceof ScimError ? error : toRefusal(error)
      if (refusal === undefined) log.error({ err: error }, 'an operation of a bulk request failed')
      const response = toScimErrorBody(refusal)
      results.push({ ...failedAt(scope, operation, ids), status: response.status, response })
    }
  }
  return results
}

const nameOf = ({ method, bulkId }: BulkOperation) => ({
  method,
  ...(bulkId === undefined ? {} : { bulkId }),
})

/** What has failed, and where: a POST is nowhere, and neither is what was never created. */
function failedAt(scope: ScimScope, operation: BulkOperation, ids: ReadonlyMap<string, string>) {
  const { id, endpoint } = operation
  const known = id?.startsWith(BULK_ID) ? ids.get(id.slice(BULK_ID.length)) : id
  const { url } = endpoints[endpoint]
  return { ...nameOf(operation), ...(known === undefined ? {} : { location: url(scope.baseUrl, known) }) }
}

async function carryOutOne(
  scope: ScimScope,
  operation: BulkOperation,
  ids: ReadonlyMap<string, string>,
): Promise<{ result: BulkResult; id?: string }> {
  const { method, endpoint } = operation
  const run = endpoints[endpoint]
  const data = resolveBulkIds(operation.data, ids)
  if (method === 'POST') {
    const row = await run.post(scope, data)
    return {
      result: { ...nameOf(operation), ...seenAt(run.url(scope.baseUrl, row.id), row), status: '201' },
      id: row.id,
    }
  }
  const id = idOf(run.kind, resolveBulkIds(operation.id, ids) as string)
  const location = run.url(scope.baseUrl, id)
  const expected = operation.version === undefined ? undefined : versionOf(operation.version)
  if (method === 'DELETE') {
    await run.delete(scope, id, expected)
    return { result: { ...nameOf(operation), location, status: '204' } }
  }
  const change = method === 'PUT' ? run.put : run.patch
  const row = await change(scope, id, data, expected)
  return { result: { ...nameOf(operation), ...seenAt(location, row), status: '200' } }
}

const seenAt = (location: string, row: Versioned) => ({ location, version: etagOf(row) })
