import type { BenchServer } from './bench-server.ts'
import { quantile, report } from './figures.ts'
import type { ScimWorld } from './scim-fill.ts'
import { ScimSide } from './scim-loads.ts'

const ROUNDS = 9
const WARM_ROUNDS = 2
const GROWTH_MAX = 1.3

/** Of the processor's time other work on the machine takes some away through its caches; it never gives any. */
const usual = (micros: readonly number[]) => quantile(micros, 0.25)

/** As many of each as spread the work of the garbage collector over all rounds. */
const operations: readonly (readonly [
  name: string,
  count: number,
  run: (side: ScimSide) => Promise<unknown>,
])[] = [
  ['create', 300, (side) => side.create(300)],
  ['read', 1000, (side) => side.read(1000)],
  ['look up by userName', 1000, (side) => side.lookUp(1000)],
  ['PATCH active', 300, (side) => side.patchActive(300)],
  ['list page of 100 at the end', 40, (side) => side.listAtTheEnd(40)],
  ['members by PATCH', 30, (side) => side.changeMembers(largestGroup(side.world), 10)],
]

const largestGroup = ({ groups }: ScimWorld) => groups.get(Math.max(...groups.keys()))!

/** Processor time of each operation, of the server and of the database together: many users against few. */
export async function benchScimGrowth(
  server: BenchServer,
  small: ScimWorld,
  large: ScimWorld,
): Promise<boolean[]> {
  const sides = { small: new ScimSide(small, small.url), large: new ScimSide(large, large.url) }
  const oks: boolean[] = []
  for (const [name, count, run] of operations) {
    const used = { small: [] as number[], large: [] as number[] }
    for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
      for (const size of ['small', 'large'] as const) {
        const before = await server.processorMicros()
        await run(sides[size])
        const after = await server.processorMicros()
        const micros = after.server - before.server + after.database - before.database
        if (round >= 0) used[size].push(micros / count)
      }
    }
    const [many, few] = [large, small].map(({ size }) => size.toLocaleString('en'))
    oks.push(
      report({
        name: `processor, ${name}: ${many} against ${few}`,
        ours: usual(used.large),
        floor: usual(used.small),
        limit: GROWTH_MAX,
        unit: 'µs',
      }),
    )
  }
  return oks
}
