import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '../config.ts'
import type { Database } from './postgres/database.ts'
import { sql } from './postgres/sql.ts'
import { SEALING_KEY_BYTES, sealingKeyOf } from './sealer.ts'

const FILE_NAME = 'encryption.key'

/**
 * The key that this server seals with: of the settings; else one that is made at the first start, and kept in a file
 * beside the embedded database, outside of what it dumps. Processes that share another database have no file in
 * common, so without a setting they keep it in there: it hides nothing from who reads the whole database.
 *
 * @param dataDir of the embedded database; absent: there is none
 */
export async function openSealingKey(options: {
  passphrase: string | undefined
  dataDir: string | undefined
  database: Database
}): Promise<Buffer> {
  const { passphrase, dataDir, database } = options
  if (passphrase !== undefined) return sealingKeyOf(passphrase)
  return dataDir === undefined ? await keyOfDatabase(database) : await keyOfFile(join(dataDir, FILE_NAME))
}

/** @throws {StartupError} if the file cannot be read, or holds no key */
async function keyOfFile(path: string): Promise<Buffer> {
  try {
    const made = randomBytes(SEALING_KEY_BYTES).toString('base64')
    await writeFile(path, `${made}\n`, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64')
  if (key.length === SEALING_KEY_BYTES) return key
  throw new StartupError(
    `${path} holds no encryption key: put it back from a backup, or remove it to begin with a new one.`,
  )
}

/** The first of several processes makes it. */
async function keyOfDatabase(database: Database): Promise<Buffer> {
  const made = randomBytes(SEALING_KEY_BYTES)
  await database.run(sql`
    insert into server_secret (name, value) values ('sealing_key', ${made}) on conflict do nothing`)
  const row = await database.row(sql<{ value: Buffer }>`
    select value from server_secret where name = 'sealing_key'`)
  return row!.value
}
