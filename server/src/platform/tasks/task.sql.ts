import type { Database, Queryable, Transaction } from '../postgres/database.ts'
import { sql } from '../postgres/sql.ts'
import { uuidV7 } from '../uuid.ts'

/** Rows of `task` belong to the server, not to an organization: these statements run across organizations. */
export interface TaskRow {
  id: string
  kind: string
  key: string
  organization_id: string | null
  wakes: number
  attempts: number
  lease_token: string
}

/**
 * Asks for work. However often it is asked for, there is one task per kind and key; asking again while it runs
 * makes it run again.
 */
export async function requestTask(
  db: Queryable,
  task: { kind: string; key: string; organizationId: string | null },
): Promise<void> {
  await db.run(sql`
    insert into task (id, kind, key, organization_id, run_at)
    values (${uuidV7()}, ${task.kind}, ${task.key}, ${task.organizationId}, now())
    on conflict (kind, key) do update set wakes = task.wakes + 1, run_at = least(task.run_at, excluded.run_at)`)
}

/** Makes sure that a standing task exists, without waking it. */
export async function ensureTask(db: Queryable, kind: string): Promise<void> {
  await db.run(sql`
    insert into task (id, kind, key, run_at) values (${uuidV7()}, ${kind}, '', now())
    on conflict (kind, key) do nothing`)
}

/** Leases due tasks, each to one worker; a lease that ran out is taken over. */
export async function claimTasks(
  db: Database,
  kinds: readonly string[],
  limit: number,
  leaseSeconds: number,
): Promise<TaskRow[]> {
  return await db.rows(sql<TaskRow>`
    update task set lease_until = now() + make_interval(secs => ${leaseSeconds}),
      lease_token = gen_random_uuid(), attempts = attempts + 1
    where id in (
      select id from task
      where run_at <= now() and (lease_until is null or lease_until < now()) and kind = any(${kinds})
      order by run_at, id limit ${limit} for update skip locked
    )
    returning id, kind, key, organization_id, wakes, attempts, lease_token,
      -- Not worth waiting for the disk: a lease lost with a crash is only claimed again.
      set_config('synchronous_commit', 'off', true)`)
}

/** True if the lease was still held. */
export async function renewLease(db: Database, task: TaskRow, leaseSeconds: number): Promise<boolean> {
  const count = await db.run(sql`
    update task set lease_until = now() + make_interval(secs => ${leaseSeconds})
    where id = ${task.id} and lease_token = ${task.lease_token}`)
  return count === 1
}

/**
 * Ends a task in the transaction of its own writes. If it was asked for again meanwhile, it stays and is due at
 * once. False if the lease was lost: then nothing of the transaction may stand.
 */
export async function endTask(tx: Transaction, task: TaskRow): Promise<boolean> {
  const ended = await tx.run(sql`
    delete from task where id = ${task.id} and lease_token = ${task.lease_token} and wakes = ${task.wakes}`)
  return ended === 1 || (await rescheduleTask(tx, task, 0))
}

/**
 * Gives a task back, due in `delaySeconds`; at once if it was asked for again meanwhile. False if the lease was lost.
 */
export async function rescheduleTask(tx: Queryable, task: TaskRow, delaySeconds: number): Promise<boolean> {
  const count = await tx.run(sql`
    update task set lease_until = null, lease_token = null, attempts = 0, last_error = null,
      run_at = clock_timestamp()
        + make_interval(secs => case when wakes = ${task.wakes} then ${delaySeconds}::float8 else 0 end)
    where id = ${task.id} and lease_token = ${task.lease_token}`)
  return count === 1
}

/** Gives a task back after a failure, due after a while. */
export async function failTask(
  db: Database,
  task: TaskRow,
  delaySeconds: number,
  lastError: string,
): Promise<void> {
  await db.run(sql`
    update task set lease_until = null, lease_token = null, last_error = ${lastError},
      run_at = now() + make_interval(secs => ${delaySeconds})
    where id = ${task.id} and lease_token = ${task.lease_token}`)
}

/** Hands a lease back untouched: another worker may start at once. */
export async function handBackTask(db: Database, task: TaskRow): Promise<void> {
  await db.run(sql`
    update task set lease_until = null, lease_token = null, attempts = greatest(attempts - 1, 0)
    where id = ${task.id} and lease_token = ${task.lease_token}`)
}
