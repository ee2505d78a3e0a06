import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { sealHistory } from './change.sql.ts'

/**
 * Closes history up to a moment before it is read, so that the same question has the same answer for ever.
 *
 * @param asOf RFC 3339
 * @throws {DirectoryError} request.invalid for a moment in the future
 */
export async function closeHistory(context: ReadContext, asOf: string): Promise<void> {
  if (Date.parse(asOf) > Date.now()) {
    throw new DirectoryError('request.invalid', 'as_of must not be in the future.', { field: 'as_of' })
  }
  await sealHistory(context.db, context.organizationId, asOf)
}
