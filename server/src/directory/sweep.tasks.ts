import type { TaskHandler } from '../platform/tasks/queue.ts'
import { LeaseLost } from '../platform/tasks/queue.ts'
import { rescheduleTask } from '../platform/tasks/task.sql.ts'
import { deleteExpiredCredentials } from './api-keys/api-key.sql.ts'
import { applyChange } from './changes/change.ts'
import type { Directory } from './context.ts'
import { endExpiredMemberships, listOrganizationsWithExpired } from './grants/group-membership.sql.ts'
import { endExpiredRoleGrants } from './grants/role-grant.sql.ts'
import { listOrganizationsToPurge } from './organizations/organization.sql.ts'
import { purgeOrganization } from './organizations/purge.sql.ts'
import { cancelExpiredMails } from './outbox/mail.sql.ts'
import { listExpiredPlans } from './plans/plan.sql.ts'
import { expirePlan } from './plans/plan.ts'
import { forgetOldScimRequests } from './scim/request.ts'
import { deleteOldIdempotencyKeys } from './sweep.sql.ts'

export const SWEEP_TASK = 'sweep'
const SWEEP_EVERY_SECONDS = 10
/** Organizations or plans in one sweep; the rest waits for the next. */
const BATCH = 100

/** Records what time has done: ended grants, plans nobody decided on, answers and organizations to forget. */
export function sweepHandler(directory: Directory): TaskHandler {
  return async (task) => {
    await sweep(directory)
    if (!(await rescheduleTask(directory.database, task, SWEEP_EVERY_SECONDS))) throw new LeaseLost()
  }
}

/** One sweep, whoever asks for it. */
export async function sweep(directory: Directory): Promise<void> {
  const { database } = directory
  for (const organizationId of await listOrganizationsWithExpired(database, BATCH)) {
    await recordExpired(directory, organizationId)
  }
  for (const plan of await listExpiredPlans(database, BATCH)) {
    const request = { organizationId: plan.organization_id, actor: { kind: 'system' } as const }
    await applyChange(directory, request, (context) => expirePlan(context, plan.id))
  }
  await deleteOldIdempotencyKeys(database)
  await deleteExpiredCredentials(database)
  await forgetOldScimRequests(database, directory.scimRequestDays)
  await cancelExpiredMails(database, null)
  for (const id of await listOrganizationsToPurge(database, BATCH)) await purgeOrganization(database, id)
}

/** Expired grants are gone from every read already; here they get the change that ended them. */
async function recordExpired(directory: Directory, organizationId: string): Promise<void> {
  await applyChange(directory, { organizationId, actor: { kind: 'system' } }, async (context) => {
    const { db, change } = context
    const memberships = await endExpiredMemberships(db, organizationId, null, change.id)
    const roles = await endExpiredRoleGrants(db, organizationId, change.id)
    const ended = memberships.ended + roles.ended
    if (ended === 0) return
    change.count({ ended })
    const latest = [memberships.latest, roles.latest]
      .filter((moment) => moment !== null)
      .sort()
      .at(-1)
    change.describe({
      kind: 'grants.expired',
      ...(latest === undefined ? {} : { effectiveAt: latest }),
    })
  })
}
