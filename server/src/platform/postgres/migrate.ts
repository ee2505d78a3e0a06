import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartupError } from '#src/config.ts'
import { type Database, openDatabase, sqlState, type Transaction } from './database.ts'
import { type Statement, sql } from './sql.ts'
import { requireReachable, unreachableDatabase } from './unreachable-database.ts'

export interface Migration {
  readonly version: number
  readonly name: string
  readonly text: string
  readonly checksum: string
}

interface AppliedMigration {
  readonly version: number
  readonly name: string
  readonly checksum: string
}

const MIGRATIONS_DIR = fileURLToPath(new URL('../../../migrations/', import.meta.url))
const SERVER_VERSION_MIN = 15

/**
 * Brings the database to the schema of this code: everything pending in one transaction, so a failure leaves
 * the database as it was. Processes that start together take turns through a transaction-level lock, which
 * also works behind PgBouncer.
 *
 * @throws {StartupError} when the database cannot be used by this version of Rollcall.
 */
export async function migrate(target: string | Database, directory = MIGRATIONS_DIR): Promise<void> {
  const migrations = await readMigrations(directory)
  const database =
    typeof target === 'string' ? openDatabase({ connectionString: target, poolSize: 1 }) : target
  try {
    await requireReachable(database)
    await database.transaction(async (tx) => {
      await requireUsableServer(tx)
      await applyPending(tx, migrations)
    })
  } catch (error) {
    throw (error instanceof StartupError ? undefined : unreachableDatabase(error)) ?? error
  } finally {
    if (typeof target === 'string') await database.close()
  }
}

/** The migrations of a directory in their order. */
export async function readMigrations(directory = MIGRATIONS_DIR): Promise<Migration[]> {
  const migrations: Migration[] = []
  for (const file of (await readdir(directory)).sort()) {
    const [, digits, name] = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file) ?? []
    if (digits === undefined || name === undefined) continue
    // A checkout with other line ends is the same migration.
    const text = (await readFile(join(directory, file), 'utf8')).replaceAll('\r\n', '\n')
    const checksum = createHash('sha256').update(text).digest('hex')
    migrations.push({ version: Number(digits), name, text, checksum })
  }
  const twice = migrations.find((migration, index) => migrations[index - 1]?.version === migration.version)
  if (twice !== undefined)
    throw new StartupError(`Two migrations have the number ${label(twice)}: renumber one.`)
  return migrations
}

/** What is still to apply. */
function pendingMigrations(known: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  for (const done of applied) {
    const migration = known.find(({ version }) => version === done.version)
    if (migration === undefined) {
      throw new StartupError(
        `The database was written by a newer Rollcall (it has migration ${label(done)}, which this one does ` +
          'not know): upgrade this Rollcall.',
      )
    }
    if (migration.checksum !== done.checksum) {
      throw new StartupError(
        `Migration ${label(migration)} was changed after it was applied to this database: restore the file ` +
          'and put the change into a new migration.',
      )
    }
  }
  const newest = Math.max(0, ...applied.map(({ version }) => version))
  const pending = known.filter(({ version }) => !applied.some((done) => done.version === version))
  const late = pending.find(({ version }) => version < newest)
  if (late !== undefined) {
    throw new StartupError(
      `Migration ${label(late)} is older than the newest one applied (${newest}): give it the next number.`,
    )
  }
  return pending
}

/** @throws {StartupError} when a server of this version or encoding cannot hold the schema. */
export function requireServer(server: { versionNumber: number; encoding: string }): void {
  const major = Math.floor(server.versionNumber / 10_000)
  if (major < SERVER_VERSION_MIN) {
    throw new StartupError(
      `The database server is PostgreSQL ${major}, Rollcall needs ${SERVER_VERSION_MIN} or newer: ` +
        'upgrade it, or set DATABASE_URL to another server.',
    )
  }
  if (server.encoding !== 'UTF8') {
    throw new StartupError(
      `The database has encoding ${server.encoding}, Rollcall needs UTF8: ` +
        "create it with encoding 'UTF8' template template0, or set DATABASE_URL to another one.",
    )
  }
}

async function requireUsableServer(tx: Transaction): Promise<void> {
  const server = await tx.row(sql<{ versionNumber: number; encoding: string }>`
    select current_setting('server_version_num')::int as "versionNumber",
      current_setting('server_encoding') as encoding`)
  if (server !== undefined) requireServer(server)
}

async function applyPending(tx: Transaction, migrations: readonly Migration[]): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(hashtext('rollcall.migrate'))`)
  await tx.run(sql`
    create table if not exists schema_migration (
      version int primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`)
  const applied = await tx.rows(sql<AppliedMigration>`
    select version, name, checksum from schema_migration order by version`)
  for (const migration of pendingMigrations(migrations, applied)) {
    await tx.run(script(migration.text)).catch((error) => {
      if (sqlState(error) === '42501') throw error
      throw new Error(`Migration ${label(migration)} failed: ${error.message}`, { cause: error })
    })
    const { version, name, checksum } = migration
    await tx.run(sql`
      insert into schema_migration (version, name, checksum) values (${version}, ${name}, ${checksum})`)
  }
}

/** A script has many statements, which only the simple protocol takes: no name, no values. */
const script = (text: string): Statement<never> => ({ name: '', text, values: [] })

const label = ({ version, name }: { version: number; name: string }) =>
  `${String(version).padStart(4, '0')}_${name}`
