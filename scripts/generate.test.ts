import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import pg from 'pg'
import { freshDatabase } from '../server/test/harness.ts'
import { dumpSchema } from './dump-schema.ts'

test('the migrations give the committed schema on every supported PostgreSQL', async () => {
  const { connectionString } = await freshDatabase()
  const client = new pg.Client({ connectionString })
  await client.connect()
  const dump = await dumpSchema(client).finally(() => client.end())
  assert.equal(dump, await readFile(new URL('../server/generated/schema.sql', import.meta.url), 'utf8'))
})
