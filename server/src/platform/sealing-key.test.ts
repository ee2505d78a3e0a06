import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { freshDatabase, temporaryDirectory } from '../../test/harness.ts'
import { StartupError } from '../config.ts'
import type { Database } from './postgres/database.ts'
import { sql } from './postgres/sql.ts'
import { openSealingKey } from './sealing-key.ts'

let database: Database
before(async () => {
  ;({ database } = await freshDatabase())
})

const secrets = () => database.rows(sql`select name from server_secret`)

test('a passphrase of the settings is the key, and nothing is kept', async () => {
  const dataDir = await temporaryDirectory()
  const key = await openSealingKey({ passphrase: 'a long passphrase', dataDir, database })
  assert.equal(key.length, 32)
  await assert.rejects(readFile(join(dataDir, 'encryption.key')))
  assert.deepEqual(await secrets(), [])
})

test('beside the embedded database one is made once, in a file that only its owner reads', async () => {
  const dataDir = await temporaryDirectory()
  const open = () => openSealingKey({ passphrase: undefined, dataDir, database })
  const key = await open()
  assert.deepEqual(await open(), key)
  const file = join(dataDir, 'encryption.key')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual(await secrets(), [])
  await writeFile(file, 'no key')
  await assert.rejects(open(), (error) => error instanceof StartupError && error.message.includes(file))
})

test('processes that share a database find the same one, whoever starts first', async () => {
  const open = () => openSealingKey({ passphrase: undefined, dataDir: undefined, database })
  const keys = await Promise.all(Array.from({ length: 5 }, open))
  assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 1)
  assert.deepEqual(await secrets(), [{ name: 'sealing_key' }])
})
