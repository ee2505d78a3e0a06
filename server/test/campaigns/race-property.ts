import fc from 'fast-check'
import type { Database } from '#src/platform/postgres/database.ts'
import { type Action, resolve } from './actions.ts'
import { history, operation } from './operation-arbitrary.ts'
import { perform } from './operations.ts'
import { race } from './race.ts'
import { openWorld } from './world.ts'

/** Time and sweeps concern every organization of the database: those are not raced. */
const raced = operation.filter(({ kind }) => kind !== 'passTime' && kind !== 'sweep')

/** After some history, several operations at once, some times over. */
export function raceProperty(database: Database, counted: () => void = () => {}) {
  const rounds = fc.array(fc.array(raced, { minLength: 2, maxLength: 4 }), {
    minLength: 1,
    maxLength: 6,
    size: 'max',
  })
  return fc.asyncProperty(history(8), rounds, async (before, together) => {
    const world = await openWorld(database, { groups: 2 })
    for (const one of before) await perform(world, one)
    for (const operations of together) {
      const actions = operations.map((one) => resolve(world.state, one))
      counted()
      await race(
        world,
        actions.filter((action): action is Action => action !== undefined),
      )
    }
  })
}
