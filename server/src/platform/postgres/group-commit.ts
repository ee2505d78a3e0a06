import { type Database, sqlState } from './database.ts'
import { type Statement, sql } from './sql.ts'

/** What is written alike, whoever asks for it: several of a kind are written by the same statements as one. */
export interface WriteKind<Lane, Row> {
  /** It may have to wait for somebody's lock: so it comes before those that do not, and waits for a short time only. */
  readonly mayWait: boolean
  /**
   * The statements that write the rows, or fail. They check whatever was taken for granted when a row was made. What the
   * first answers, if anything, is a row for each of them, in their order.
   */
  statements(lane: Lane, rows: readonly Row[]): Statement<unknown>[]
}

export interface GroupedWrite<Lane> {
  readonly kind: WriteKind<Lane, unknown>
  readonly row: unknown
}

interface Job<Lane> {
  readonly write: GroupedWrite<Lane>
  resolve(answer: unknown): void
  reject(error: unknown): void
}

const TOGETHER_MAX = 32

/** Connections and servers that went away: what became of the last thing they were told nobody knows. */
const UNANSWERED = /^(08|57P)/

/** Who waits longer for somebody else's lock waits alone. */
const limitingWaits = sql`set local lock_timeout = '100ms'`
const LOCK_NOT_AVAILABLE = '55P03'

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
   * @returns the row that its statement answers for it; undefined: none
   * @throws what the database says of its own statements: then nothing of it is written
   */
  commit(name: string, lane: Lane, write: GroupedWrite<Lane>): Promise<unknown> {
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
      await this.#write(lane, jobs, jobs.some(mayWait) ? [limitingWaits] : [])
    } catch (error) {
      const state = sqlState(error)
      const isKnown = state !== undefined && !UNANSWERED.test(state)
      const isWorthATry = isKnown && (jobs.length > 1 || state === LOCK_NOT_AVAILABLE)
      // Beside the lane: they may have to wait.
      if (isWorthATry) for (const job of jobs) void this.#commitAlone(lane, job)
      else for (const job of jobs) job.reject(error)
    }
  }

  async #commitAlone(lane: Lane, job: Job<Lane>): Promise<void> {
    try {
      await this.#write(lane, [job], [])
    } catch (error) {
      job.reject(error)
    }
  }

  /** Commits the writes, those first that may wait, and answers each. */
  async #write(lane: Lane, jobs: readonly Job<Lane>[], before: readonly Statement<unknown>[]): Promise<void> {
    const kinds = [...Map.groupBy(jobs, ({ write }) => write.kind)]
      .sort(([, [one]], [, [other]]) => Number(mayWait(other!)) - Number(mayWait(one!)))
      .map(([kind, ofKind]) => {
        const rows = ofKind.map(({ write }) => write.row)
        return { ofKind, statements: kind.statements(lane, rows) }
      })
    const statements = [...before, ...kinds.flatMap((kind) => kind.statements)]
    const answers = await this.#database.transaction(async (tx) => tx.runLast(statements))
    let place = before.length
    for (const { ofKind, statements: own } of kinds) {
      for (const [index, job] of ofKind.entries()) job.resolve(answers.rows[place]?.[index])
      place += own.length
    }
  }
}

function mayWait<Lane>({ write }: Job<Lane>): boolean {
  return write.kind.mayWait
}
