// Installs the dependencies when they are missing or out of date. It runs before `npm start` and `npm test`, on
// whatever Node the machine has: plain JavaScript, nothing imported that is not part of Node 20. Afterwards
// `node` in npm's scripts is the pinned Node of the lockfile (node_modules/.bin comes first in their PATH).
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR_TO_INSTALL = 20
const NODE_MAJOR_TO_RUN = 24

const root = fileURLToPath(new URL('..', import.meta.url))
const marker = join(root, 'node_modules', '.lockfile-sha256')
const bundledNode = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')

/** Ends with one line and exit code 1. */
function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}

/** Whether npm itself recorded every package of the lockfile as installed (a developer ran `npm install`). */
function npmRecordsAsInstalled(lock) {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages ?? {}
  return Object.entries(lock.packages ?? {}).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed[path]
    // Packages for other platforms are never installed.
    if (found === undefined) return wanted.optional === true
    return found.version === wanted.version && found.integrity === wanted.integrity
  })
}

function install() {
  console.error('Installing dependencies (npm ci); this happens once for each version of package-lock.json.')
  // --include=dev: with NODE_ENV=production npm would leave out what builds and tests need.
  const flags = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
  ]
  const npm = process.env.npm_execpath
  const [command, argv] = npm?.endsWith('.js') ? [process.execPath, [npm, ...flags]] : ['npm', flags]
  // npm's own report goes to standard error: standard output belongs to the program that starts next.
  const result = spawnSync(command, argv, { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.status !== 0) {
    const reason = result.error?.message ?? `exit code ${result.status ?? result.signal}`
    fail(
      `Dependencies were not installed: npm ci failed (${reason}). Mend what npm reports above and try again.`,
    )
  }
}

/** Where no Node is bundled, npm's scripts run with the system's. */
function requireRecentSystemNode() {
  if (existsSync(bundledNode) || Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_TO_RUN) return
  fail(
    `Rollcall needs Node ${NODE_MAJOR_TO_RUN} or newer on ${process.platform}-${process.arch}, ` +
      `this is ${process.version}: install it from nodejs.org.`,
  )
}

/** A musl Linux (Alpine) installs the bundled Node and cannot run it. */
function requireRunningBundledNode() {
  if (!existsSync(bundledNode) || spawnSync(bundledNode, ['--version']).status === 0) return
  fail('The Node that Rollcall installs does not run on this system: use a Linux with glibc, such as Debian.')
}

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_TO_INSTALL) {
  fail(
    `Rollcall needs Node ${NODE_MAJOR_TO_INSTALL} or newer, this is ${process.version}: install it from nodejs.org.`,
  )
}
const lockfile = readFileSync(join(root, 'package-lock.json'), 'utf8')
const digest = createHash('sha256').update(lockfile).digest('hex')
if (!existsSync(marker) || readFileSync(marker, 'utf8') !== digest) {
  const installedAlready = npmRecordsAsInstalled(JSON.parse(lockfile))
  if (!installedAlready) install()
  requireRunningBundledNode()
  try {
    writeFileSync(marker, digest)
  } catch (error) {
    // A tree that is read-only but complete still starts; it is only compared again next time.
    if (!installedAlready)
      fail(`Cannot write ${marker} (${error.code}): let this user write to node_modules.`)
  }
}
requireRecentSystemNode()
