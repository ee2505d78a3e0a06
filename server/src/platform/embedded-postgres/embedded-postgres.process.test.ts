import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { pino } from 'pino'
import { temporaryDirectory } from '../../../test/harness.ts'
import { StartupError } from '../../config.ts'
import { findPostgresPackage } from './binaries.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { findRunningServer, isAlive } from './running-server.ts'
import { chooseServerUser, SERVER_ENVIRONMENT } from './server-user.ts'

const log = pino({ level: 'silent' })
const isRoot = process.geteuid?.() === 0

async function one(connectionString: string, query: string): Promise<Record<string, unknown>> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return client
    .query(query)
    .then(({ rows }) => rows[0])
    .finally(() => client.end())
}

const startupError = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StartupError, String(error))
  assert.match(error.message, pattern)
  return true
}

/** A program that starts a server, prints who it runs for and ends; run with `node -e` under other rights. */
const program = (dataDir: string) => `
  import { readFileSync, statSync } from 'node:fs'
  const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL('./embedded-postgres.ts', import.meta.url).href)})
  const { pino } = await import(${JSON.stringify(import.meta.resolve('pino'))})
  const dataDir = ${JSON.stringify(dataDir)}
  try {
    const server = await startEmbeddedPostgres({ dataDir, log: (pino.default ?? pino)({ level: 'silent' }), durable: false })
    console.log('cluster of user ' + statSync(dataDir + '/postgres').uid)
    await server.stop()
  } catch (error) {
    console.log(error.constructor.name + ': ' + error.message)
  }`

function run(command: string[], dataDir: string): string {
  const [file = '', ...argv] = [...command, process.execPath, '--input-type=module', '-e', program(dataDir)]
  const { stdout, stderr } = spawnSync(file, argv, { encoding: 'utf8', cwd: '/' })
  return stdout + stderr
}

describe('the embedded server', () => {
  test('is durable, in UTF-8 by code point, with checksums, and has no port', async () => {
    const server = await startEmbeddedPostgres({ dataDir: await temporaryDirectory(), log })
    const settings = await one(
      server.connectionString,
      `select current_database() as database, current_setting('listen_addresses') as listen,
        current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
        current_setting('data_checksums') as checksums, current_setting('server_encoding') as encoding,
        current_setting('jit') as jit, 'a' < 'B' as "byWord", lower('ÄÖ') as lower`,
    )
    assert.deepEqual(settings, {
      ...{ database: 'rollcall', listen: '', fsync: 'on', commit: 'on', checksums: 'on' },
      ...{ encoding: 'UTF8', jit: 'off', byWord: false, lower: 'äö' },
    })
    await server.stop()
  })

  test('cannot be reached by another user of the machine', async () => {
    const dataDir = await temporaryDirectory()
    const server = await startEmbeddedPostgres({ dataDir, log, durable: false })
    assert.equal((await stat(join(dataDir, 'postgres'))).mode & 0o777, 0o700)
    await server.stop()
  })

  test('keeps what was written from one start to the next', async () => {
    const dataDir = await temporaryDirectory()
    const first = await startEmbeddedPostgres({ dataDir, log })
    await one(first.connectionString, 'create table kept as select 42 as answer')
    await first.stop()
    const second = await startEmbeddedPostgres({ dataDir, log })
    assert.deepEqual(await one(second.connectionString, 'select answer from kept'), { answer: 42 })
    await second.stop()
  })

  test('starts below a path that is too long for a socket, or has blanks and signs in it', async () => {
    const parent = await temporaryDirectory()
    for (const name of ['directory-'.repeat(12), 'a b%20ö']) {
      const server = await startEmbeddedPostgres({ dataDir: join(parent, name), log, durable: false })
      assert.deepEqual(await one(server.connectionString, 'select 1 as one'), { one: 1 })
      await server.stop()
    }
  })
})

describe('a data directory', () => {
  test('in use by a live Rollcall is refused to a second one, by name', async () => {
    const dataDir = await temporaryDirectory()
    const server = await startEmbeddedPostgres({ dataDir, log, durable: false })
    await assert.rejects(
      startEmbeddedPostgres({ dataDir, log }),
      startupError(new RegExp(`Another Rollcall \\(process ${process.pid}\\) is using`)),
    )
    assert.deepEqual(await one(server.connectionString, 'select 1 as one'), { one: 1 })
    await server.stop()
  })

  test('opened twice at the same moment for the first time goes to exactly one', async () => {
    const dataDir = await temporaryDirectory()
    const start = () => startEmbeddedPostgres({ dataDir, log, durable: false })
    const outcomes = await Promise.allSettled([start(), start()])
    const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    assert.equal(started.length, 1)
    await started[0]?.stop()
  })

  test('with an orphan server on it is taken over after that one has shut down', async () => {
    const dataDir = await temporaryDirectory()
    await startEmbeddedPostgres({ dataDir, log, durable: false }).then((server) => server.stop())
    const pgdata = join(dataDir, 'postgres')
    const user = await chooseServerUser(undefined)
    const server = [join(findPostgresPackage().binDir, 'postgres'), '-D', pgdata, '-c', 'listen_addresses=']
    const [file, argv] = user.command([...server, '-c', `unix_socket_directories=${pgdata}`])
    const command = [file, ...argv].filter((word) => !['setpriv', '--pdeathsig', 'INT'].includes(word))
    spawn('sh', ['-c', '"$@" >/dev/null 2>&1 &', 'sh', ...command], {
      env: SERVER_ENVIRONMENT,
      stdio: 'ignore',
    })
    let orphan = await findRunningServer(pgdata)
    for (; orphan === undefined; orphan = await findRunningServer(pgdata)) await sleep(20)
    assert.equal(orphan.owner, undefined)

    const next = await startEmbeddedPostgres({ dataDir, log, durable: false })
    // It gives its lock file back a moment before it is gone.
    for (let tries = 0; tries < 100 && isAlive(orphan.pid); tries++) await sleep(20)
    assert.ok(!isAlive(orphan.pid))
    assert.deepEqual(await one(next.connectionString, 'select 1 as one'), { one: 1 })
    await next.stop()
  })

  test('whose lock file names a process that is something else by now is opened', async () => {
    const dataDir = await temporaryDirectory()
    await startEmbeddedPostgres({ dataDir, log, durable: false }).then((server) => server.stop())
    const other = spawn('sleep', ['60'], { stdio: 'ignore' })
    await once(other, 'spawn')
    const pgdata = join(dataDir, 'postgres')
    await writeFile(join(pgdata, 'postmaster.pid'), `${other.pid}\n${pgdata}\n1\n5432\n${pgdata}\n\n\n`)
    const server = await startEmbeddedPostgres({ dataDir, log, durable: false })
    assert.ok(isAlive(other.pid ?? 0), 'a process that is not ours is left alone')
    await server.stop()
    other.kill()
  })

  test('left half made by a kill in the first start is made anew', async () => {
    const dataDir = await temporaryDirectory()
    const unfinished = join(dataDir, 'postgres.initdb-0123456789ab')
    await mkdir(join(unfinished, 'base'), { recursive: true })
    const anHourAgo = Date.now() / 1000 - 3600
    await utimes(unfinished, anHourAgo, anHourAgo)
    const server = await startEmbeddedPostgres({ dataDir, log, durable: false })
    await server.stop()
    assert.deepEqual((await readdir(dataDir)).sort(), ['postgres', 'postgres.lock'])
  })

  test('of another major version is refused and left as it is', async () => {
    const dataDir = await temporaryDirectory()
    await startEmbeddedPostgres({ dataDir, log, durable: false }).then((server) => server.stop())
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n')
    await assert.rejects(startEmbeddedPostgres({ dataDir, log }), startupError(/made by PostgreSQL 17/))
    assert.equal(await readFile(join(dataDir, 'postgres', 'PG_VERSION'), 'utf8'), '17\n')
  })

  test('that cannot be written is refused', async () => {
    const file = join(await temporaryDirectory(), 'file')
    await writeFile(file, '')
    await assert.rejects(
      startEmbeddedPostgres({ dataDir: join(file, 'data'), log }),
      startupError(/cannot be written \(ENOTDIR\)/),
    )
  })
})

describe('the user of the machine', { skip: isRoot ? false : 'only root can become another user' }, () => {
  const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
  const canNobodyRead =
    spawnSync('setpriv', [...asNobody.slice(1), 'test', '-r', import.meta.filename]).status === 0
  // A mount of its own hides one program from one process tree only.
  const without = (path: string) => [
    'unshare',
    '-m',
    'sh',
    '-c',
    `mount --bind /bin/false ${path} && exec "$@"`,
    'sh',
  ]
  const canHide =
    spawnSync('unshare', ['-m', 'sh', '-c', 'mount --bind /bin/false /usr/bin/unshare']).status === 0

  test('root keeps its files, also below a directory of its own alone', async () => {
    const dataDir = join(await temporaryDirectory(), 'data')
    assert.equal(run([], dataDir), 'cluster of user 0\n')
  })

  test('any plain user can start it', {
    skip: !canNobodyRead && 'this tree is closed to other users',
  }, async () => {
    const parent = await temporaryDirectory()
    await chown(parent, 65534, 65534)
    assert.equal(run(asNobody, join(parent, 'data')), 'cluster of user 65534\n')
    assert.equal(run([], join(parent, 'data')), 'cluster of user 65534\n', 'and root after it, as that user')
  })

  test('root hands over to another user where namespaces are forbidden', { skip: !canHide }, async () => {
    const parent = await temporaryDirectory()
    await chmod(parent, 0o711)
    assert.match(run(without('/usr/bin/unshare'), join(parent, 'data')), /^cluster of user [1-9]\d*\n$/)
    await chmod(parent, 0o700)
    assert.match(
      run(without('/usr/bin/unshare'), join(parent, 'other')),
      /^StartupError: PostgreSQL does not run as root, .* cannot reach .*ROLLCALL_DATA_DIR/,
    )
  })
})
