import { requestTask } from '../../platform/tasks/task.sql.ts'
import type { Context } from '../context.ts'

export const SCIM_GROUP_SYNC_TASK = 'scim_group_sync'

/** Asks for the group sync of members whose groups have changed: after COMMIT, a batch at a time. */
export async function requestGroupSync({ db, organizationId, change }: Context): Promise<void> {
  change.requestsTask = true
  await requestTask(db, { kind: SCIM_GROUP_SYNC_TASK, key: organizationId, organizationId })
}
