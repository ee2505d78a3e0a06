import type { Context } from '../context.ts'
import { endPendingSyncs } from './submission.sql.ts'

/** Cancels what waits for a group that is being deleted. */
export async function cancelForDeletedGroup(context: Context, groupId: string): Promise<void> {
  await endPendingSyncs(context.db, context.organizationId, {
    groupId,
    syncId: null,
    status: 'cancelled',
    reason: 'the group was deleted',
    now: context.now,
  })
}
