import { sql } from '../../platform/postgres/sql.ts'
import { LeaseLost, type TaskHandler } from '../../platform/tasks/queue.ts'
import { endTask, rescheduleTask } from '../../platform/tasks/task.sql.ts'
import { openContext, recordChange } from '../changes/change.ts'
import { retryConflicts } from '../changes/conflicts.ts'
import type { Context, Directory } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { applyClaims } from '../group-sync/apply.ts'
import { listOfflineSyncs, noteAgain, takeDue } from './group-sync-due.sql.ts'

/** Members in one transaction. */
const BATCH = 500
/** After which what a brake or another rule refused is tried again. */
const REFUSED_RETRY_SECONDS = 60

/**
 * Lets the group sync of each workspace follow the groups that identity providers assert, a batch of members at a time,
 * each workspace as a change of its own. What a rule refuses (the brake, say) stays due and is tried again.
 */
export function scimGroupSyncHandler(directory: Directory): TaskHandler {
  return async (task) => {
    const { isRefused, isDone } = await syncDue(directory, task.organization_id!)
    if (isDone && !isRefused) {
      if (!(await directory.database.transaction((tx) => endTask(tx, task)))) throw new LeaseLost()
      return
    }
    const delay = isRefused ? REFUSED_RETRY_SECONDS : 0
    if (!(await rescheduleTask(directory.database, task, delay))) throw new LeaseLost()
  }
}

/** One batch, whoever asks for it. */
export async function syncDue(
  directory: Directory,
  organizationId: string,
): Promise<{ isRefused: boolean; isDone: boolean }> {
  const request = { organizationId, actor: { kind: 'system' } as const }
  return await retryConflicts(() =>
    directory.database.transaction(async (tx) => {
      const due = await takeDue(tx, organizationId, BATCH)
      if (due.length === 0) return { isRefused: false, isDone: true }
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
      for (const context of contexts) await recordChange(context)
      if (isRefused) {
        await noteAgain(
          tx,
          organizationId,
          due.map(({ member_id: id }) => id),
        )
      }
      return { isRefused, isDone: due.length < BATCH }
    }),
  )
}
