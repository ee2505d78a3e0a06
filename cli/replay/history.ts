import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'

/** Who belongs to one group after a step. */
export interface GroupState {
  /** The organization, a slash, the group's name. */
  readonly path: string
  /** The part before the first slash. */
  readonly organization: string
  /** The part behind it: the group's name and its `external_reference_id`. */
  readonly reference: string
  /** Pseudonyms; of a group that is gone, none. */
  readonly members: ReadonlySet<string>
  readonly isGone: boolean
}

/** One change of the history: the groups that it changed. */
export interface Step {
  /** From 1. */
  readonly number: number
  readonly groups: readonly GroupState[]
}

const BESIDE_THE_REPOSITORY = new URL('../../../shared/data/kubernetes-org-history.jsonl.gz', import.meta.url)

/** The history to replay when none is named: `ROLLCALL_HISTORY_FILE`, else the one beside the repository. */
export function defaultHistoryFile(): string {
  return process.env.ROLLCALL_HISTORY_FILE || fileURLToPath(BESIDE_THE_REPOSITORY)
}

/**
 * Reads a membership history (gzipped, one JSON object a line, oldest first), step by step: the whole of it would
 * be millions of strings.
 *
 * @param stepsMax read no further than this step
 * @throws {Error} naming the line that is not a step
 */
export async function* readHistory(file: string, stepsMax = Number.POSITIVE_INFINITY): AsyncGenerator<Step> {
  let number = 0
  for await (const line of readLines(file)) {
    if (number >= stepsMax) return
    number++
    yield { number, groups: parseGroups(line, number) }
  }
}

/** Steps of a history, up to `stepsMax`. */
export async function countSteps(file: string, stepsMax = Number.POSITIVE_INFINITY): Promise<number> {
  let count = 0
  for await (const _line of readLines(file)) if (++count >= stepsMax) break
  return count
}

/** The last state of every group that a history names, as one step. */
export async function readLastState(file: string, stepsMax?: number): Promise<Step> {
  const last = new Map<string, GroupState>()
  for await (const { groups } of readHistory(file, stepsMax)) {
    for (const group of groups) last.set(group.path, group)
  }
  return { number: 1, groups: [...last.values()] }
}

async function* readLines(file: string): AsyncGenerator<string> {
  const source = createReadStream(file)
  const input = source.pipe(createGunzip())
  source.on('error', (error) => input.destroy(error))
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') yield line
    }
  } finally {
    source.destroy()
  }
}

function parseGroups(line: string, number: number): GroupState[] {
  try {
    const { groups } = JSON.parse(line) as { groups: Record<string, string[] | null> }
    return Object.entries(groups).map(([path, members]) => {
      const slash = path.indexOf('/')
      if (slash < 1) throw new Error(`${path} names no organization`)
      return {
        path,
        organization: path.slice(0, slash),
        reference: path.slice(slash + 1),
        members: new Set(members ?? []),
        isGone: members === null,
      }
    })
  } catch (error) {
    throw new Error(`Line ${number} of the history is not a step: ${(error as Error).message}`)
  }
}
