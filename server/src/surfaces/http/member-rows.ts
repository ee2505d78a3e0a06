import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { readJsonRows } from '../../platform/json-rows.ts'
import { invalidField } from './refusal.ts'

/** Makes the routes of a scope get their JSON bodies as streams, for `readMemberRows`. */
export function takeBodiesAsStreams(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', async (_request: unknown, payload: Readable) => payload)
}

export interface MemberRowsOptions<Row> {
  readonly bytesMax: number
  readonly rowsMax: number
  readonly schema: z.ZodType<Row>
  readonly onRow: (row: Row) => void
}

/**
 * Reads the `members` of a submission from the request as they arrive, each checked against the dialect's schema.
 *
 * @throws {DirectoryError} request.invalid naming the row and the rule, request.too_large,
 *   member_sync.too_many_members; whatever `onRow` throws
 */
export async function readMemberRows<Row>(
  request: FastifyRequest,
  options: MemberRowsOptions<Row>,
): Promise<void> {
  const { bytesMax, rowsMax, schema, onRow } = options
  const length = Number(request.headers['content-length'] ?? 0)
  if (length > bytesMax) {
    throw new DirectoryError('request.too_large', `The body is larger than ${bytesMax} bytes.`)
  }
  if (request.body === undefined || request.body === null) {
    throw new DirectoryError('request.invalid', 'members is required and must be a list.', {
      field: 'members',
    })
  }
  const body = request.body as Readable
  // Not destroyed when reading ends early: the refusal still has to go out on its connection.
  const source = body.iterator({ destroyOnReturn: false })
  const reading = readJsonRows(source, {
    rowsKey: 'members',
    bytesMax,
    rowsMax,
    onRows(rows, firstIndex) {
      for (const [index, row] of rows.entries()) {
        const parsed = schema.safeParse(row)
        if (!parsed.success) {
          const [issue] = parsed.error.issues
          throw invalidField({ ...issue!, path: ['members', firstIndex + index, ...issue!.path] })
        }
        onRow(parsed.data)
      }
    },
  })
  const { rest, rowCount } = await reading.catch((error: unknown) => {
    // The rest is thrown away as it comes: a connection that nobody reads from does not even notice its end.
    body.resume()
    throw error
  })
  if (rowCount === undefined) {
    const rule = rest.members === undefined ? 'is required and must be a list' : 'must be a list'
    throw new DirectoryError('request.invalid', `members ${rule}.`, { field: 'members' })
  }
}
