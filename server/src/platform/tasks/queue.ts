import type { Logger } from 'pino'
import type { Database } from '../postgres/database.ts'
import { claimTasks, failTask, handBackTask, renewLease, type TaskRow } from './task.sql.ts'

/** Work of one kind. It ends its task itself, in the transaction of its own writes (`endTask`). */
export type TaskHandler = (task: TaskRow) => Promise<void>

export interface TaskQueue {
  start(): void
  /** Looks for due tasks now. */
  wake(): void
  /** Takes no more tasks, waits for running ones up to `graceMillis`, then hands their leases back. */
  stop(graceMillis: number): Promise<void>
}

export interface TaskQueueOptions {
  readonly database: Database
  readonly handlers: Readonly<Record<string, TaskHandler>>
  readonly log: Logger
  /** Tasks under way in this process at once. */
  readonly lanes?: number
}

const LANES = 4
/** A crashed worker's task is taken over after this time; a living worker renews at a third of it. */
const LEASE_SECONDS = 6
const POLL_MILLIS = 1000
const BACKOFF_SECONDS_MAX = 300

/** Thrown by a handler whose lease another worker took over: its transaction rolls back. */
export class LeaseLost extends Error {}

/**
 * Runs tasks from the database: each is leased to one worker, renewed while it runs, and taken over when its
 * worker dies. At least once outside the database; exactly once inside, because a handler ends its task in the
 * transaction of its writes (docs/decisions/0007-task-queue.md).
 */
export function createTaskQueue(options: TaskQueueOptions): TaskQueue {
  const { database, handlers, log } = options
  const lanes = options.lanes ?? LANES
  const kinds = Object.keys(handlers)
  const running = new Map<TaskRow, Promise<void>>()
  let stopping = false
  let claiming: Promise<void> | undefined
  let wokenWhileClaiming = false
  let poll: NodeJS.Timeout | undefined

  function claim(): void {
    if (stopping || running.size >= lanes) return
    if (claiming !== undefined) {
      wokenWhileClaiming = true
      return
    }
    claiming = claimOnce().then(() => {
      claiming = undefined
      if (!wokenWhileClaiming) return
      wokenWhileClaiming = false
      claim()
    })
  }

  async function claimOnce(): Promise<void> {
    try {
      const tasks = await claimTasks(database, kinds, lanes - running.size, LEASE_SECONDS)
      // Leased while `stop` was called: another queue is to have them at once.
      if (stopping) await Promise.allSettled(tasks.map((task) => handBackTask(database, task)))
      else for (const task of tasks) running.set(task, run(task))
    } catch (error) {
      log.error({ err: error }, 'claiming tasks failed')
    }
  }

  async function run(task: TaskRow): Promise<void> {
    const renewal = setInterval(
      () =>
        void renewLease(database, task, LEASE_SECONDS).catch((err) => log.warn({ err }, 'lease not renewed')),
      (LEASE_SECONDS * 1000) / 3,
    )
    try {
      await handlers[task.kind]!(task)
    } catch (error) {
      if (!(error instanceof LeaseLost)) await giveBackAfter(task, error)
    } finally {
      clearInterval(renewal)
      running.delete(task)
      claim()
    }
  }

  async function giveBackAfter(task: TaskRow, error: unknown): Promise<void> {
    const delay = Math.min(2 ** task.attempts, BACKOFF_SECONDS_MAX)
    const message = error instanceof Error ? error.message : String(error)
    log.error({ err: error, task: { kind: task.kind, id: task.id, attempts: task.attempts } }, 'task failed')
    // Without a database the lease runs out by itself.
    await failTask(database, task, delay, message.slice(0, 1000)).catch(() => {})
  }

  return {
    start() {
      poll = setInterval(claim, POLL_MILLIS)
      claim()
    },
    wake: claim,
    async stop(graceMillis) {
      stopping = true
      clearInterval(poll)
      await claiming
      const patience = new Promise<void>((resolve) => setTimeout(resolve, graceMillis).unref())
      await Promise.race([Promise.allSettled(running.values()), patience])
      await Promise.allSettled([...running.keys()].map((task) => handBackTask(database, task)))
    },
  }
}
