import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshDatabase } from '../../test/harness.ts'
import { openLog } from './log.ts'
import { sql } from './postgres/sql.ts'

test('a database error is logged with its constraint, and without the values of the row it quotes', async () => {
  const { database } = await freshDatabase()
  const root = sql`insert into root_key (digest, created_at) values (${Buffer.from('a value')}, now())`
  await database.run(root)
  const error = await database.run(root).then(
    () => assert.fail('a second row of the same key'),
    (caught: Error) => caught,
  )
  const quoted = Buffer.from('a value').toString('hex')
  assert.ok((error as { detail?: string }).detail?.includes(quoted), 'PostgreSQL quotes the value')
  let written = ''
  const log = openLog('info', {
    write(line) {
      written += line
    },
  })
  log.child({ reqId: 'one' }).error({ err: error }, 'request failed')
  assert.match(written, /root_key_pkey/)
  assert.ok(!written.includes(quoted), written)
})
