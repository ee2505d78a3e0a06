import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { everyOwnerIsKeptOut } from './domain.sql.ts'

/**
 * Runs a change of a domain or an identity provider, and refuses it if no owner could sign in afterwards. Who cannot
 * sign in before it either may still repair things step by step. Two such changes at once have to wait for each other:
 * whoever calls this holds `lockOwners` from before its first write.
 *
 * @param field what the refusal is about
 * @throws {DirectoryError} domain.would_lock_out
 */
export async function keepingAWayIn<T>(context: Context, work: () => Promise<T>, field?: string): Promise<T> {
  const { db, organizationId } = context
  const wasKeptOut = await everyOwnerIsKeptOut(db, organizationId)
  const result = await work()
  if (!wasKeptOut) await requireWayIn(context, field)
  return result
}

/** As `keepingAWayIn`, for what the transaction has done already. @throws {DirectoryError} domain.would_lock_out */
export async function requireWayIn(context: Context, field?: string): Promise<void> {
  if (!(await everyOwnerIsKeptOut(context.db, context.organizationId))) return
  throw new DirectoryError(
    'domain.would_lock_out',
    'No owner could sign in any more: link an identity provider whose settings are complete, or make somebody of another domain an owner.',
    field === undefined ? {} : { field },
  )
}
