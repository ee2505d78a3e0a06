import { createHash } from 'node:crypto'
import type pg from 'pg'
import { migrate, readMigrations } from '#src/platform/postgres/migrate.ts'

const LOCK_KEY = 7_265_106

/**
 * The name of a database with the present schema, to be cloned: about 20 ms instead of a whole migration. Made
 * once on each server for each state of the migrations, by whichever of the parallel test processes is first.
 */
export async function createTemplate(admin: pg.Client, adminUrl: string): Promise<string> {
  const checksums = (await readMigrations()).map(({ checksum }) => checksum).join()
  const name = `template_${createHash('sha256').update(checksums).digest('hex').slice(0, 16)}`
  if (await exists(admin, name)) return name
  // CREATE DATABASE cannot run in a transaction, so this lock belongs to the session.
  await admin.query('select pg_advisory_lock($1)', [LOCK_KEY])
  try {
    if (await exists(admin, name)) return name
    const unfinished = `${name}_unfinished`
    await admin.query(`drop database if exists ${unfinished} with (force)`)
    await admin.query(`create database ${unfinished} template template0`)
    const url = new URL(adminUrl)
    url.pathname = `/${unfinished}`
    await migrate(url.href)
    await admin.query(`alter database ${unfinished} with allow_connections false`)
    await waitUntilUnused(admin, unfinished)
    // The name appears only when the template is complete: others look for it without the lock.
    await admin.query(`alter database ${unfinished} rename to ${name}`)
    return name
  } finally {
    await admin.query('select pg_advisory_unlock($1)', [LOCK_KEY])
  }
}

async function exists(admin: pg.Client, name: string): Promise<boolean> {
  return (await admin.query('select from pg_database where datname = $1', [name])).rowCount === 1
}

/** A closed connection ends on the server a moment later. */
async function waitUntilUnused(admin: pg.Client, name: string): Promise<void> {
  const query = 'select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1'
  await admin.query(query, [name])
}
