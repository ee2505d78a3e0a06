import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { emptyDatabase, temporaryDirectory } from '../../../test/harness.ts'
import { StartupError } from '../../config.ts'
import { migrate, readMigrations, requireServer } from './migrate.ts'
import { sql } from './sql.ts'

const FIRST = {
  '0001_people.sql': 'create table person (id int primary key);\ninsert into person values (1);',
}
const SECOND = {
  '0002_pets.sql':
    "create table pet (id int);\ncreate function f() returns text language sql as $$ select 'a;b' $$;",
}

async function directoryWith(files: Record<string, string>): Promise<string> {
  const directory = await temporaryDirectory()
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return directory
}

const startupError = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StartupError, String(error))
  assert.match(error.message, pattern)
  assert.doesNotMatch(error.message, /\n/)
  return true
}

describe('migrate', () => {
  test('applies what is pending, in order, and nothing a second time', async () => {
    const { database, drop } = await emptyDatabase()
    const directory = await directoryWith(FIRST)
    await migrate(database, directory)
    await migrate(database, directory)
    await writeFile(join(directory, '0002_pets.sql'), SECOND['0002_pets.sql'])
    await migrate(database, directory)
    const applied = await database.rows(sql`select version, name from schema_migration order by version`)
    assert.deepEqual(applied, [
      { version: 1, name: 'people' },
      { version: 2, name: 'pets' },
    ])
    assert.deepEqual(await database.rows(sql`select id from person`), [{ id: 1 }])
    await drop()
  })

  test('processes that start at the same moment apply each migration once', async () => {
    const { database, connectionString, drop } = await emptyDatabase()
    const directory = await directoryWith({ ...FIRST, ...SECOND })
    await Promise.all(Array.from({ length: 6 }, () => migrate(connectionString, directory)))
    assert.deepEqual(await database.rows(sql`select id from person`), [{ id: 1 }])
    await drop()
  })

  test('a failing migration leaves the database as it was, earlier pending ones included', async () => {
    const { database, drop } = await emptyDatabase()
    const directory = await directoryWith({ ...FIRST, '0002_broken.sql': 'create table broken (' })
    await assert.rejects(migrate(database, directory), /Migration 0002_broken failed: syntax error/)
    assert.deepEqual(await database.row(sql`select to_regclass('person') as person`), { person: null })
    await drop()
  })

  test('a database written by a newer version is refused and left alone', async () => {
    const { database, drop } = await emptyDatabase()
    const directory = await directoryWith({ ...FIRST, ...SECOND })
    await migrate(database, directory)
    await rm(join(directory, '0002_pets.sql'))
    await assert.rejects(migrate(database, directory), startupError(/newer Rollcall.*0002_pets.*upgrade/))
    await drop()
  })

  test('a migration edited after it was applied is refused', async () => {
    const { database, drop } = await emptyDatabase()
    const directory = await directoryWith(FIRST)
    await migrate(database, directory)
    await writeFile(join(directory, '0001_people.sql'), `${FIRST['0001_people.sql']} -- edited`)
    await assert.rejects(migrate(database, directory), startupError(/0001_people was changed after/))
    await drop()
  })

  test('a checkout with Windows line ends is the same migration', async () => {
    const { database, drop } = await emptyDatabase()
    const directory = await directoryWith(FIRST)
    await migrate(database, directory)
    await writeFile(join(directory, '0001_people.sql'), FIRST['0001_people.sql'].replaceAll('\n', '\r\n'))
    await migrate(database, directory)
    await drop()
  })

  test('a migration numbered below an applied one is refused', async () => {
    const { database, drop } = await emptyDatabase()
    const directory = await directoryWith(SECOND)
    await migrate(database, directory)
    await writeFile(join(directory, '0001_people.sql'), FIRST['0001_people.sql'])
    await assert.rejects(migrate(database, directory), startupError(/0001_people is older.*next number/))
    await drop()
  })

  test('two migrations with one number are refused', async () => {
    const directory = await directoryWith({ ...FIRST, '0001_again.sql': 'select 1' })
    await assert.rejects(readMigrations(directory), startupError(/Two migrations have the number/))
  })

  test('an unreachable database, a wrong name and a missing right each give one sentence', async () => {
    const { database, connectionString, drop } = await emptyDatabase()
    const directory = await directoryWith(FIRST)
    await assert.rejects(
      migrate('postgres://u:secret@127.0.0.1:1/x', directory),
      startupError(/^(?!.*secret).*cannot be used: nothing listens/),
    )
    const elsewhere = new URL(connectionString)
    elsewhere.pathname = '/no_such_database'
    await assert.rejects(migrate(elsewhere.href, directory), startupError(/does not exist: create it/))
    await database.run(
      sql`do $$ begin create role guest login; exception when duplicate_object then null; end $$`,
    )
    const guest = connectionString.replace(/\/\/[^@]*@/, '//guest@')
    await assert.rejects(migrate(guest, directory), startupError(/may not create tables/))
    await drop()
  })
})

describe('requireServer', () => {
  test('takes PostgreSQL 15 and newer with UTF8', () => {
    requireServer({ versionNumber: 150_000, encoding: 'UTF8' })
    requireServer({ versionNumber: 180_004, encoding: 'UTF8' })
  })

  test('refuses an older server and another encoding in one sentence', () => {
    assert.throws(
      () => requireServer({ versionNumber: 140_019, encoding: 'UTF8' }),
      startupError(/PostgreSQL 14, Rollcall needs 15 or newer: upgrade/),
    )
    assert.throws(
      () => requireServer({ versionNumber: 160_000, encoding: 'SQL_ASCII' }),
      startupError(/encoding SQL_ASCII/),
    )
  })
})
