import module from 'node:module'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR_MIN = 24

// Everything else is imported afterwards: an older Node must still reach this sentence, and the cache must be
// on before there is something to compile. It is kept with the code, not in a directory open to other users.
if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `Rollcall needs Node ${NODE_MAJOR_MIN} or newer, this is ${process.version}: start it with npm start.\n`,
  )
  process.exit(1)
}
module.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url)))

const { runProcess } = await import('./run-process.ts')
await runProcess()
