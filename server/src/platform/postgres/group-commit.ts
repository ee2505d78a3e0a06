import { type Database, sqlState } from './database.ts'
import type { Statement } from './sql.ts'

/** What is written alike, whoever asks for it: several of a kind are written by the same statements as one. */
export interface WriteKind<Lane, Row> {
  readonly name: string
  /** The statements that write the rows, or fail. They check whatever was taken for granted when a row was made. */
  statements(lane: Lane, rows: readonly Row[]): Statement<unknown>[]
}

export interface GroupedWrite<Lane> {
  readonly kind: WriteKind<Lane, unknown>
  readonly row: unknown
}

interface Job {
  readonly row: unknown
  resolve(): void
  reject(error: unknown): void
}

const TOGETHER_MAX = 32

/** Connections and servers that went away: what became of the last thing they were told nobody knows. */
const UNANSWERED = /^(08|57P)/

/**
 * Commits writes of one kind and lane that come while another is under way together, in one transaction: where each
 * would wait for the same row until the one before it is on disk, all of them wait once, and a statement writes many.
 * Kinds do not wait for each other here (docs/decisions/0016-group-commit.md).
 */
export class GroupCommit<Lane> {
  readonly #database: Database
  /** What waits behind what is under way. */
  readonly #waiting = new Map<string, Job[]>()

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Resolves when the write is committed.
   *
   * @param name of the lane: whoever gives the same name gives the same lane
   * @throws what the database says of its own statements: then nothing of it is written
   */
  commit(name: string, lane: Lane, { kind, row }: GroupedWrite<Lane>): Promise<void> {
    const key = `${kind.name} ${name}`
    return new Promise((resolve, reject) => {
      const job = { row, resolve, reject }
      const waiting = this.#waiting.get(key)
      if (waiting !== undefined) waiting.push(job)
      else void this.#run(key, lane, kind, [job])
    })
  }

  async #run(key: string, lane: Lane, kind: WriteKind<Lane, unknown>, jobs: Job[]): Promise<void> {
    this.#waiting.set(key, jobs)
    // What comes in the same turn of the event loop goes along.
    await new Promise(setImmediate)
    while (jobs.length > 0) await this.#commitAll(lane, kind, jobs.splice(0, TOGETHER_MAX))
    this.#waiting.delete(key)
  }

  async #commitAll(lane: Lane, kind: WriteKind<Lane, unknown>, jobs: readonly Job[]): Promise<void> {
    const write = async (rows: readonly unknown[]) =>
      await this.#database.transaction(async (tx) => tx.runLast(kind.statements(lane, rows)))
    try {
      await write(jobs.map(({ row }) => row))
      for (const job of jobs) job.resolve()
    } catch (error) {
      const state = sqlState(error)
      const isKnown = state !== undefined && !UNANSWERED.test(state)
      if (isKnown && jobs.length > 1) {
        await Promise.all(jobs.map((job) => write([job.row]).then(job.resolve, job.reject)))
      } else {
        for (const job of jobs) job.reject(error)
      }
    }
  }
}
