import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const BIN_DIR = '/usr/lib/postgresql/15/bin'
// The client's package has the directory too, without this program.
const SERVER = `${BIN_DIR}/postgres`
const PACKAGE = 'postgresql-15'
// The package would make and start a cluster of its own, which nobody here wants.
const NO_CLUSTER = '/etc/postgresql-common/createcluster.d/rollcall-tests.conf'

/** The programs of the oldest PostgreSQL that Rollcall supports, installed where that is allowed. */
export function findOldestPostgres(): { binDir: string } | { missing: string } {
  if (existsSync(SERVER)) return { binDir: BIN_DIR }
  if (!isDebian()) return { missing: `no PostgreSQL 15 in ${BIN_DIR}` }
  if (process.geteuid?.() !== 0) return { missing: `no PostgreSQL 15: run apt-get install ${PACKAGE}` }
  console.log(`Installing ${PACKAGE} with apt-get for the database tests.`)
  mkdirSync(dirname(NO_CLUSTER), { recursive: true })
  writeFileSync(NO_CLUSTER, 'create_main_cluster = false\n')
  try {
    // The package list may be old or missing: only then it is fetched.
    if (aptGet('install', '-y', '--no-install-recommends', PACKAGE) !== 0) {
      aptGet('update')
      aptGet('install', '-y', '--no-install-recommends', PACKAGE)
    }
  } finally {
    rmSync(NO_CLUSTER)
  }
  return existsSync(SERVER) ? { binDir: BIN_DIR } : { missing: `apt-get could not install ${PACKAGE}` }
}

function isDebian(): boolean {
  return existsSync('/etc/debian_version') && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readRelease())
}

const readRelease = () => (existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')

function aptGet(...argv: string[]): number | null {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', argv, { stdio: ['ignore', 'ignore', 'inherit'], env }).status
}
