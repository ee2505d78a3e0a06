import { benchAccess } from './access.ts'
import { startBenchServer } from './bench-server.ts'
import { benchFlatness } from './flatness.ts'
import { benchMemberSync } from './member-sync.ts'
import { benchScim } from './scim.ts'

/** Every benchmark, by the name that `npm run bench -- <name>` takes. */
const benchmarks = {
  'member-sync': benchMemberSync,
  flatness: benchFlatness,
  access: benchAccess,
  scim: benchScim,
}

const wanted = process.argv.slice(2)
const server = await startBenchServer()
let ok = true
try {
  for (const [name, run] of Object.entries(benchmarks)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    ok = (await run(server)) && ok
  }
} finally {
  await server.close()
}
process.exitCode = ok ? 0 : 1
