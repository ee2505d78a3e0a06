import { sql } from '../../platform/postgres/sql.ts'
import { LeaseLost, type TaskHandler } from '../../platform/tasks/queue.ts'
import { endTask, rescheduleTask } from '../../platform/tasks/task.sql.ts'
import { openContext, recordChange } from '../changes/change.ts'
import { retryConflicts } from '../changes/conflicts.ts'
import type { Context, Directory } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { applyClaims } from '../group-sync/apply.ts'
import { listOfflineSyncs, noteAgain, secondsUntilDue, takeDue } from './group-sync-due.sql.ts'

/** Members in one transaction. */
const BATCH = 500
/** After which what a brake or another rule refused is tried again. */
const REFUSED_RETRY_SECONDS = 60

/**
 * Lets the group sync of each workspace follow the groups that identity providers assert, a batch of members at a time,
 * each workspace as a change of its own. What a rule refuses (the brake, say) is due again later, behind all others.
 */
export function scimGroupSyncHandler(directory: Directory): TaskHandler {
  return async (task) => {
    await syncDue(directory, task.organization_id!)
    const seconds = await secondsUntilDue(directory.database, task.organization_id!)
    const isOurs =
      seconds === undefined
        ? await directory.database.transaction((tx) => endTask(tx, task))
        : await rescheduleTask(directory.database, task, seconds)
    if (!isOurs) throw new LeaseLost()
  }
}

/** One batch, whoever asks for it. */
export async function syncDue(directory: Directory, organizationId: string): Promise<void> {
  const request = { organizationId, actor: { kind: 'system' } as const }
  await retryConflicts(() =>
    directory.database.transaction(async (tx) => {
      const due = await takeDue(tx, organizationId, BATCH)
      if (due.length === 0) return
      const claims = due.map(({ member_id: memberId, groups }) => ({ memberId, groups }))
      const contexts: Context[] = []
      let isRefused = false
      for (const workspaceId of await listOfflineSyncs(tx, organizationId)) {
        const context = openContext(tx, request)
        await tx.run(sql`savepoint workspace`)
        try {
          await applyClaims(context, workspaceId, claims, { origin: 'scim' })
          contexts.push(context)
        } catch (error) {
          if (!(error instanceof DirectoryError)) throw error
          await tx.run(sql`rollback to savepoint workspace`)
          isRefused = true
        }
      }
      const memberIds = due.map(({ member_id: id }) => id)
      if (isRefused) await noteAgain(tx, organizationId, memberIds, REFUSED_RETRY_SECONDS)
      for (const context of contexts) await recordChange(context)
    }),
  )
}
