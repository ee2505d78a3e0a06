import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import type { Actor } from '#src/directory/access/permission.ts'
import type { Context } from '#src/directory/context.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { change, type World } from './world.ts'

/**
 * A transaction of somebody else, open until the test ends it: what waits for its locks is paused there. A test that
 * fails before ends it, too: those after it would wait for ever for what is paused.
 */
export interface Held {
  query(text: string, values?: unknown[]): Promise<pg.QueryResult>
  commit(): Promise<void>
  rollback(): Promise<void>
}

export async function holdOpen(connectionString: string): Promise<Held> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query('begin')
  let isOpen = true
  const end = async (how: string) => {
    isOpen = false
    await client.query(how)
    await client.end()
  }
  after(async () => {
    if (isOpen) await end('rollback')
  })
  return {
    query: (text, values) => client.query(text, values),
    commit: () => end('commit'),
    rollback: () => end('rollback'),
  }
}

/** How many transactions of this database wait for a lock. */
async function countWaiting(database: Database): Promise<number> {
  const row = await database.row(sql<{ waiting: number }>`
    select count(*) as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`)
  return row!.waiting
}

/** Waits until so many transactions of this database wait for a lock. */
export async function untilWaiting(database: Database, count: number): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if ((await countWaiting(database)) >= count) return
    await setTimeout(5)
  }
  throw new Error(`never ${count} transactions waited`)
}

/** Waits until an operation is over, or waits itself for somebody's lock. */
export async function untilWaitingOrOver(database: Database, work: Promise<unknown>): Promise<void> {
  let isOver = false
  const end = () => {
    isOver = true
  }
  void work.then(end, end)
  while (!isOver && (await countWaiting(database)) === 0) await setTimeout(2)
}

const leftOpen = new Set<() => void>()

/** Does an operation and leaves its transaction open; the answer commits it. */
export async function leaveOpen<T>(
  world: World,
  work: (context: Context) => Promise<T>,
  actor?: Actor,
): Promise<() => Promise<T>> {
  const done = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  leftOpen.add(release.resolve)
  const committed = change(
    world,
    async (context) => {
      const result = await work(context)
      done.resolve()
      await release.promise
      return result
    },
    actor,
  )
  // A refusal is thrown here.
  await Promise.race([done.promise, committed])
  return async () => {
    release.resolve()
    return await committed
  }
}

/** For `afterEach`: what a failed test leaves open would keep the process from ending. */
export function closeLeftOpen(): void {
  for (const release of leftOpen) release()
  leftOpen.clear()
}
