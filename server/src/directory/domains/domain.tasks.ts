import type { Logger } from 'pino'
import { LeaseLost, type TaskHandler } from '../../platform/tasks/queue.ts'
import { rescheduleTask } from '../../platform/tasks/task.sql.ts'
import { applyChange } from '../changes/change.ts'
import type { Directory } from '../context.ts'
import { lockDomain } from './domain.sql.ts'
import { type DueDomain, listDueDomains } from './verification.sql.ts'
import { recordCheck } from './verification.ts'

export const DOMAIN_CHECK_TASK = 'domain_check'
const EVERY_SECONDS = 60
/** Domains looked for at once; the next ones follow in the same round. */
const BATCH = 20
/** Batches in a round: the lease is held meanwhile, and whoever waits for a stop waits for it. */
const BATCHES_MAX = 20

/** Looks again for the proof of verified domains, each at its own time. */
export function domainCheckHandler(directory: Directory, log: Logger): TaskHandler {
  return async (task) => {
    for (let batch = 0; batch < BATCHES_MAX; batch++) {
      if ((await checkDueDomains(directory, log)) < BATCH) break
    }
    if (!(await rescheduleTask(directory.database, task, EVERY_SECONDS))) throw new LeaseLost()
  }
}

/** One batch, whoever asks for it. The number of domains that were due. */
export async function checkDueDomains(directory: Directory, log?: Logger): Promise<number> {
  const due = await listDueDomains(directory.database, BATCH)
  const outcomes = await Promise.allSettled(due.map((domain) => checkDomain(directory, domain)))
  for (const [index, outcome] of outcomes.entries()) {
    // One that cannot be recorded now stays due, and keeps no other from its turn.
    if (outcome.status === 'rejected') {
      log?.error({ err: outcome.reason, domain: due[index]!.id }, 'a domain could not be checked')
    }
  }
  return due.length
}

async function checkDomain(directory: Directory, due: DueDomain): Promise<void> {
  const { domainProofs, domainCheckMillis } = directory
  const finding = await domainProofs.find(due.name, due.challenge)
  const request = { organizationId: due.organization_id, actor: { kind: 'system' } as const }
  await applyChange(directory, request, async (context) => {
    const row = await lockDomain(context.db, due.organization_id, due.id)
    // Removed or checked by another process meanwhile.
    if (row === undefined || row.next_check_at === null) return
    if (Date.parse(row.next_check_at) > context.now.getTime()) return
    await recordCheck(context, row, finding, domainCheckMillis)
  })
}
