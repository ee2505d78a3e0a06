import { type Database, sqlState } from './database.ts'
import type { Statement } from './sql.ts'

/** What is written alike, whoever asks for it: several of a kind are written by the same statements as one. */
export interface WriteKind<Lane, Row> {
  /** It locks what other writes of its lane may wait for, and so has to come before those that lock less. */
  readonly comesFirst: boolean
  /** The statements that write the rows, or fail. They check whatever was taken for granted when a row was made. */
  statements(lane: Lane, rows: readonly Row[]): Statement<unknown>[]
}

export interface GroupedWrite<Lane> {
  readonly kind: WriteKind<Lane, unknown>
  readonly row: unknown
}

interface Job<Lane> {
  readonly write: GroupedWrite<Lane>
  resolve(): void
  reject(error: unknown): void
}

const TOGETHER_MAX = 32

/**
 * Commits writes of one lane that come while another is under way together, in one transaction: where each would wait
 * for the same row until the one before it is on disk, all of them wait once, and a statement writes many
 * (docs/decisions/0016-group-commit.md).
 */
export class GroupCommit<Lane> {
  readonly #database: Database
  /** What waits in each lane that is busy. */
  readonly #lanes = new Map<string, Job<Lane>[]>()

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Resolves when the write is committed.
   *
   * @param name of the lane: whoever gives the same name gives the same lane
   * @throws what the database says of its own statements: then nothing of it is written
   */
  commit(name: string, lane: Lane, write: GroupedWrite<Lane>): Promise<void> {
    return new Promise((resolve, reject) => {
      const job = { write, resolve, reject }
      const waiting = this.#lanes.get(name)
      if (waiting !== undefined) waiting.push(job)
      else void this.#run(name, lane, [job])
    })
  }

  async #run(name: string, lane: Lane, jobs: Job<Lane>[]): Promise<void> {
    this.#lanes.set(name, jobs)
    // What comes in the same turn of the event loop goes along.
    await new Promise(setImmediate)
    while (jobs.length > 0) await this.#commitAll(lane, jobs.splice(0, TOGETHER_MAX))
    this.#lanes.delete(name)
  }

  async #commitAll(lane: Lane, jobs: readonly Job<Lane>[]): Promise<void> {
    try {
      await this.#transaction(lane, jobs)
      for (const job of jobs) job.resolve()
    } catch (error) {
      // Without an answer of the database nobody knows what became of it: no reason to do it again.
      const isAnswered = sqlState(error) !== undefined
      if (jobs.length === 1 || !isAnswered) for (const job of jobs) job.reject(error)
      else await Promise.all(jobs.map((job) => this.#transaction(lane, [job]).then(job.resolve, job.reject)))
    }
  }

  async #transaction(lane: Lane, jobs: readonly Job<Lane>[]): Promise<void> {
    const kinds = Map.groupBy(jobs, ({ write }) => write.kind)
    const inOrder = [...kinds].sort(([a], [b]) => Number(b.comesFirst) - Number(a.comesFirst))
    const statements = inOrder.flatMap(([kind, ofKind]) =>
      kind.statements(
        lane,
        ofKind.map(({ write }) => write.row),
      ),
    )
    await this.#database.transaction(async (tx) => tx.runLast(statements))
  }
}
