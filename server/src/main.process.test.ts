import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import pg from 'pg'
import {
  emptyDatabase,
  ServerProcessFailed,
  type ServerProcessOptions,
  startServerProcess,
  temporaryDirectory,
} from '../test/harness.ts'
import { isAlive, lockFilePid } from './platform/embedded-postgres/running-server.ts'

/** Asserts that a start fails with one line on standard error, and answers that line. */
async function failedStart(options: ServerProcessOptions): Promise<string> {
  const outcome = await startServerProcess(options).catch((error) => error)
  assert.ok(outcome instanceof ServerProcessFailed, 'the process became ready')
  assert.equal(outcome.exitCode, 1)
  assert.match(outcome.stderr, /^[^\n]+\n$/, 'not exactly one line')
  assert.doesNotMatch(outcome.stdout, /ready/)
  return outcome.stderr
}

async function onEmbedded<T>(dataDir: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ host: join(dataDir, 'postgres'), user: 'rollcall', database: 'rollcall' })
  await client.connect()
  return work(client).finally(() => client.end())
}

describe('a start', () => {
  test('shows the root key once, then one ready line, and answers; the next start shows no key', async () => {
    const dataDir = await temporaryDirectory()
    const first = await startServerProcess({ dataDir })
    assert.ok(first.rootKey)
    assert.match(
      first.stdout,
      /^Root key \(shown once\): \S+\nRollcall is ready at http:\/\/127\.0\.0\.1:\d+\n$/,
    )
    assert.equal((await fetch(`${first.url}/healthz`)).status, 200)
    first.kill('SIGTERM')
    assert.equal(await first.stopped, 0)
    const second = await startServerProcess({ dataDir })
    assert.match(second.stdout, /^Rollcall is ready at \S+\n$/)
  })

  test('on a busy port says so', async () => {
    const occupied = createServer().listen(0, '127.0.0.1')
    await once(occupied, 'listening')
    const { port } = occupied.address() as { port: number }
    const line = await failedStart({ env: { PORT: String(port) } }).finally(() => occupied.close())
    assert.match(line, new RegExp(`Port ${port} of 127.0.0.1 is in use: .*set PORT`))
  })

  test('with a data directory that cannot be written says so', async () => {
    const file = join(await temporaryDirectory(), 'file')
    await writeFile(file, '')
    const line = await failedStart({ dataDir: join(file, 'data') })
    assert.match(line, /data directory .* cannot be written .*ROLLCALL_DATA_DIR/)
  })

  test('with settings that are not valid names each of them', async () => {
    const line = await failedStart({ env: { PORT: 'http', LOG_LEVEL: 'loud' } })
    assert.match(line, /PORT: .*LOG_LEVEL: /)
  })

  test('with an unreachable database says so, without its password', async () => {
    const line = await failedStart({
      env: { DATABASE_URL: 'postgres://someone:hidden@127.0.0.1:1/rollcall' },
    })
    assert.match(line, /database of DATABASE_URL cannot be used: nothing listens there/)
    assert.doesNotMatch(line, /hidden/)
  })

  test('on a database of a newer version asks for an upgrade', async () => {
    const { connectionString } = await emptyDatabase()
    const now = await startServerProcess({ env: { DATABASE_URL: connectionString } })
    now.kill('SIGTERM')
    await now.stopped
    const client = new pg.Client({ connectionString })
    await client.connect()
    await client.query("insert into schema_migration (version, name, checksum) values (9999, 'future', 'x')")
    await client.end()
    const line = await failedStart({ env: { DATABASE_URL: connectionString } })
    assert.match(line, /newer Rollcall .*9999_future.* upgrade/)
  })

  test('on a data directory in use names the process that uses it, which goes on undisturbed', async () => {
    const dataDir = await temporaryDirectory()
    const first = await startServerProcess({ dataDir })
    const line = await failedStart({ dataDir })
    assert.match(
      line,
      new RegExp(`Another Rollcall \\(process ${first.process.pid}\\) is using .*ROLLCALL_DATA_DIR`),
    )
    assert.equal((await fetch(`${first.url}/healthz`)).status, 200)
  })

  test('of two processes at once on one empty database makes both ready', async () => {
    const { connectionString } = await emptyDatabase()
    const env = { DATABASE_URL: connectionString }
    const both = await Promise.all([startServerProcess({ env }), startServerProcess({ env })])
    for (const { url } of both) assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assert.equal(both.filter(({ rootKey }) => rootKey !== undefined).length, 1, 'one root key for both')
  })
})

describe('a stop', () => {
  test('by SIGTERM exits 0 and leaves no database server behind', async () => {
    const dataDir = await temporaryDirectory()
    const server = await startServerProcess({ dataDir })
    const databasePid = await lockFilePid(join(dataDir, 'postgres'))
    assert.ok(databasePid !== undefined && isAlive(databasePid))
    server.kill('SIGTERM')
    assert.equal(await server.stopped, 0)
    assert.ok(!isAlive(databasePid))
    assert.equal(await lockFilePid(join(dataDir, 'postgres')), undefined, 'it was shut down, not killed')
  })

  test('by Ctrl-C under npm, which arrives twice, is still clean', async () => {
    const server = await startServerProcess()
    server.kill('SIGINT')
    server.kill('SIGINT')
    assert.equal(await server.stopped, 0)
  })

  test('by kill -9 loses nothing that was committed, and the next start works', async () => {
    const dataDir = await temporaryDirectory()
    const killed = await startServerProcess({ dataDir })
    await onEmbedded(dataDir, (client) => client.query('create table kept as select 42 as answer'))
    killed.kill('SIGKILL')
    assert.equal(await killed.stopped, 'SIGKILL')
    await startServerProcess({ dataDir })
    const { rows } = await onEmbedded(dataDir, (client) => client.query('select answer from kept'))
    assert.deepEqual(rows, [{ answer: 42 }])
  })

  test('of the embedded database alone ends the process with code 1, for a supervisor to restart it', async () => {
    const dataDir = await temporaryDirectory()
    const server = await startServerProcess({ dataDir })
    const pid = Number.parseInt(await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10)
    process.kill(pid, 'SIGQUIT')
    assert.equal(await server.stopped, 1)
    assert.match(server.stderr, /the embedded database ended unexpectedly/)
  })
})
