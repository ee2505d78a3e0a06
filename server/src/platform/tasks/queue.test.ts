import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { pino } from 'pino'
import { freshDatabase } from '../../../test/harness.ts'
import type { Database } from '../postgres/database.ts'
import { sql } from '../postgres/sql.ts'
import { createTaskQueue, LeaseLost, type TaskHandler } from './queue.ts'
import { claimTasks, endTask, renewLease, requestTask, rescheduleTask, type TaskRow } from './task.sql.ts'

const log = pino({ level: 'silent' })
const KIND = 'work'
const NOBODY = '00000000-0000-7000-8000-000000000000'

// What a failed test leaves running would keep the process from ending.
const leftOver: (() => unknown)[] = []
afterEach(async () => {
  for (const end of leftOver.splice(0)) await end()
})

function queueOn(database: Database, handler: TaskHandler, lanes = 4) {
  const queue = createTaskQueue({ database, log, lanes, handlers: { [KIND]: handler } })
  leftOver.push(() => queue.stop(0))
  return queue
}

async function request(database: Database, key = 'one'): Promise<void> {
  await requestTask(database, { kind: KIND, key, organizationId: null })
}

interface StoredTask {
  key: string
  wakes: number
  attempts: number
  last_error: string | null
  leased: boolean
  waits: boolean
}

async function stored(database: Database): Promise<StoredTask[]> {
  return await database.rows(sql<StoredTask>`
    select key, wakes, attempts, last_error, lease_until > now() as leased, run_at > now() as waits
    from task order by key`)
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (await condition()) return
    await setTimeout(5)
  }
  throw new Error('what the test waits for does not happen')
}

/** A gate that handlers wait at until the test opens it. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  leftOver.unshift(resolve)
  return { passed: promise, open: resolve }
}

async function end(database: Database, task: TaskRow): Promise<void> {
  await database.transaction(async (tx) => {
    if (!(await endTask(tx, task))) throw new LeaseLost()
  })
}

describe('the task queue', () => {
  test('runs a task once, however often it was asked for before', async () => {
    const { database } = await freshDatabase()
    for (let n = 0; n < 5; n++) await request(database)
    let runs = 0
    const queue = queueOn(database, async (task) => {
      runs++
      await end(database, task)
    })
    queue.start()
    await until(async () => (await stored(database)).length === 0)
    await queue.stop(1000)
    assert.equal(runs, 1)
  })

  test('runs a task again that is asked for while it runs', async () => {
    const { database } = await freshDatabase()
    await request(database)
    const first = gate()
    let runs = 0
    const queue = queueOn(database, async (task) => {
      if (++runs === 1) await first.passed
      await end(database, task)
    })
    queue.start()
    await until(() => runs === 1)
    await request(database)
    first.open()
    await until(async () => (await stored(database)).length === 0)
    await queue.stop(1000)
    assert.equal(runs, 2)
  })

  test('puts a task off, but not one that was asked for meanwhile', async () => {
    const { database } = await freshDatabase()
    const dueAfter = async (meanwhile: () => Promise<void>) => {
      await request(database)
      const [task] = await claimTasks(database, [KIND], 1, 60)
      await meanwhile()
      assert.equal(await rescheduleTask(database, task!, 3600), true)
      return (await claimTasks(database, [KIND], 1, 60)).length
    }
    assert.equal(await dueAfter(() => request(database)), 1)
    await database.run(sql`delete from task`)
    assert.equal(await dueAfter(async () => {}), 0)
  })

  test('takes over a dead worker’s task after its lease, and nothing of the old worker’s stands', async () => {
    const { database } = await freshDatabase()
    await request(database)
    const [dead] = await claimTasks(database, [KIND], 1, 60)
    assert.deepEqual(await claimTasks(database, [KIND], 1, 60), [], 'a leased task was claimed')
    await database.run(sql`update task set lease_until = now() - interval '1 second'`)
    const [living] = await claimTasks(database, [KIND], 1, 60)
    assert.equal(living!.id, dead!.id)
    assert.equal(await renewLease(database, dead!, 60), false)
    await assert.rejects(
      database.transaction(async (tx) => {
        await requestTask(tx, { kind: KIND, key: 'written by the dead', organizationId: null })
        if (!(await endTask(tx, dead!))) throw new LeaseLost()
      }),
      LeaseLost,
    )
    assert.deepEqual(
      (await stored(database)).map(({ key, leased }) => ({ key, leased })),
      [{ key: 'one', leased: true }],
    )
    await end(database, living!)
    assert.deepEqual(await stored(database), [])
  })

  test('a lost lease is no failure: the new worker’s task stays as it is', async () => {
    const { database } = await freshDatabase()
    await request(database)
    const held = gate()
    let started = false
    const queue = queueOn(database, async (task) => {
      started = true
      await held.passed
      await end(database, task)
    })
    queue.start()
    await until(() => started)
    await database.run(sql`update task set lease_token = ${NOBODY}`)
    held.open()
    await queue.stop(1000)
    const [task] = await stored(database)
    assert.deepEqual([task!.leased, task!.last_error], [true, null])
  })

  test('a stop hands the leases back, so that another queue starts at once', async () => {
    const { database } = await freshDatabase()
    await request(database)
    const held = gate()
    let started = false
    let late: unknown
    const old = queueOn(database, async (task) => {
      started = true
      await held.passed
      await end(database, task).catch((error: unknown) => {
        late = error
        throw error
      })
    })
    old.start()
    await until(() => started)
    await old.stop(0)
    assert.deepEqual(
      (await stored(database)).map(({ leased, attempts }) => ({ leased, attempts })),
      [{ leased: null, attempts: 0 }],
    )
    let taken = 0
    const next = queueOn(database, async (task) => {
      taken++
      await end(database, task)
    })
    next.start()
    await until(() => taken === 1)
    held.open()
    await until(() => late !== undefined)
    await next.stop(1000)
    assert.ok(late instanceof LeaseLost)
  })

  test('a stop while tasks are being claimed leaves none of them leased or running', async () => {
    const { database } = await freshDatabase()
    for (let n = 0; n < 8; n++) await request(database, `task ${n}`)
    let started = 0
    const queue = queueOn(database, async () => void started++, 8)
    queue.start()
    await queue.stop(1000)
    assert.equal(started, 0)
    for (const task of await stored(database)) assert.equal(task.leased, null, task.key)
  })

  test('a failing task waits longer each time and keeps its last error', async () => {
    const { database } = await freshDatabase()
    await request(database)
    let runs = 0
    const queue = queueOn(database, async () => {
      throw new Error(`failure ${++runs}`)
    })
    queue.start()
    const waits: number[] = []
    for (const message of ['failure 1', 'failure 2', 'failure 3']) {
      await until(async () => (await stored(database))[0]!.last_error === message)
      const row = await database.row(sql<{ seconds: number }>`
        select extract(epoch from run_at - now())::float8 as seconds from task`)
      waits.push(row!.seconds)
      await database.run(sql`update task set run_at = now()`)
      queue.wake()
    }
    await queue.stop(1000)
    assert.ok(waits[1]! > waits[0]! && waits[2]! > waits[1]!, waits.join())
  })

  test('two queues on one database never run one task at the same time, nor lose a wake', async () => {
    const { database } = await freshDatabase({ poolSize: 12 })
    const under = new Set<string>()
    const runs = new Map<string, number>()
    const twice: string[] = []
    const handler: TaskHandler = async (task) => {
      if (under.has(task.key)) twice.push(task.key)
      under.add(task.key)
      await setTimeout(1)
      runs.set(task.key, (runs.get(task.key) ?? 0) + 1)
      under.delete(task.key)
      await end(database, task)
    }
    const queues = [queueOn(database, handler), queueOn(database, handler)]
    for (const queue of queues) queue.start()
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 6 }, (_, n) => request(database, `task ${n}`)))
      for (const queue of queues) queue.wake()
    }
    await until(async () => (await stored(database)).length === 0)
    for (const queue of queues) await queue.stop(1000)
    assert.deepEqual(twice, [])
    assert.equal(runs.size, 6)
  })
})
