import fc from 'fast-check'
import type { Database } from '#src/platform/postgres/database.ts'
import { accessHistory } from './access-arbitrary.ts'
import { performAccess } from './access-operations.ts'
import { askAccess, type Counts } from './access-questions.ts'
import { openAccessWorld } from './access-world.ts'

export interface AccessCounts extends Counts {
  worlds: number
  operations: number
}

export const newCounts = (): AccessCounts => ({ worlds: 0, operations: 0, questions: 0, endings: 0 })

/** Random organizations over time: who may do what, now and then, is what the rules say, and so is why. */
export function accessProperty(database: Database, length: number, counts: AccessCounts) {
  return fc.asyncProperty(accessHistory(length), async ({ given, start, steps }) => {
    counts.worlds++
    const access = await openAccessWorld(database, given)
    for (const operation of start) await performAccess(access, operation)
    counts.operations += start.length
    for (const { operation, questions } of steps) {
      counts.operations++
      await performAccess(access, operation)
      await askAccess(access, questions, counts)
    }
  })
}
