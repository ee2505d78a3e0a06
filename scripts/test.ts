// `npm test`: the checks, then every test on the embedded PostgreSQL, then the database tests again on the
// oldest PostgreSQL that is supported. `npm test -- PATTERN…` runs only the files whose path contains a pattern.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { startThrowawayServer, type ThrowawayServer } from '../server/test/throwaway-server.ts'
import { findOldestPostgres } from './oldest-postgres.ts'
import { type RunResult, runTestFiles } from './run-test-files.ts'

process.chdir(new URL('..', import.meta.url).pathname)
const patterns = process.argv.slice(2)
const isCi = process.env.CI === 'true'

const files = globSync(['server/**/*.test.ts', 'scripts/**/*.test.ts', 'cli/**/*.test.ts'])
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
  .sort()
// Those start whole server processes with the embedded database: another server changes nothing for them.
const databaseFiles = files.filter((file) => !file.endsWith('.process.test.ts'))

const notRun: string[] = []
const results: RunResult[] = []

if (files.length === 0) {
  console.error(`No test file matches ${patterns.join(' ')}.`)
  process.exit(1)
}
if (patterns.length === 0) {
  console.log('== checks: types, style, imports, generated files')
  const { status } = spawnSync('npm', ['run', '--silent', 'check'], { stdio: 'inherit' })
  if (status !== 0) {
    console.error('The checks failed; the tests were not run.')
    process.exit(1)
  }
}
await runOn('embedded PostgreSQL', files, () => startThrowawayServer())
if (databaseFiles.length > 0) {
  const oldest = findOldestPostgres()
  if ('missing' in oldest) notRun.push(`database tests on PostgreSQL 15: ${oldest.missing}`)
  else await runOn('PostgreSQL 15', databaseFiles, () => startThrowawayServer(oldest.binDir))
}

for (const { title, passed, failed, skipped } of results) {
  console.log(`${title}: ${passed} passed, ${failed} failed, ${skipped} skipped`)
}
for (const suite of notRun) console.log(`Not run: ${suite}`)
const isGood = results.every(({ passed, failed }) => failed === 0 && passed > 0)
process.exit(isGood && !(isCi && notRun.length > 0) ? 0 : 1)

async function runOn(title: string, testFiles: string[], start: () => Promise<ThrowawayServer>) {
  const server = await start()
  const interrupt = () => void server.stop().then(() => process.exit(1))
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    console.log(`== ${testFiles.length} test files on ${title}`)
    process.env.ROLLCALL_TEST_DATABASE_URL = server.adminUrl
    results.push(await runTestFiles(title, testFiles))
  } finally {
    process.removeListener('SIGINT', interrupt).removeListener('SIGTERM', interrupt)
    await server.stop()
  }
}
