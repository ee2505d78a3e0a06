import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { startServerProcess, temporaryDirectory } from '../test/harness.ts'
import { type Issued, issueSecrets } from '../test/issued-secrets.ts'
import type { ServerProcess } from '../test/server-process.ts'
import { type SmtpSink, startSmtpSink, tokenOf } from '../test/smtp-sink.ts'

let dataDir: string
let server: ServerProcess
let issued: Issued

const lines = () => server.stderr.split('\n').length

/** A new server with its own database, whose log says all it can, has issued everything. */
async function start(sink?: SmtpSink): Promise<void> {
  dataDir = await temporaryDirectory()
  const mail = sink === undefined ? {} : { SMTP_URL: sink.url }
  server = await startServerProcess({ dataDir, env: { LOG_LEVEL: 'trace', ...mail } })
  issued = await issueSecrets(server, sink)
  // A line comes a moment after the answer that it is about.
  for (let tries = 0; tries < 1000 && lines() <= issued.exchanges.length; tries++) await setTimeout(10)
}

/** A secret as it may be written. The first characters may be shown, as a hint to tell one from another. */
function traces(secret: string): string[] {
  const rest = secret.replace(/^(rc\w*?|vit_at)_.{6}/, '')
  const bytes = Buffer.from(secret)
  return [rest, bytes.toString('base64').replace(/.{0,4}$/, ''), bytes.toString('hex')]
}

function assertTraceless(text: string, about: string, except: readonly string[] = []): void {
  for (const [issuer, secret] of issued.secrets) {
    if (except.includes(secret)) continue
    for (const trace of traces(secret))
      assert.ok(!text.includes(trace), `${about} holds the secret of ${issuer}`)
  }
}

/** Asks the server's own database. */
async function onDatabase(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ host: join(dataDir, 'postgres'), user: 'rollcall', database: 'rollcall' })
  await client.connect()
  await work(client).finally(() => client.end())
}

/** What holds with a mail server and without one. */
function holdsOfEverySecret(): void {
  it('was made by every operation that makes one, so that there is something to find', () => {
    const { secrets, exchanges } = issued
    assert.ok(secrets.size >= 17, [...secrets.keys()].join(', '))
    for (const [issuer, secret] of secrets) assert.ok(secret.length >= 25, issuer)
    assert.ok(exchanges.length > 500)
    for (const status of [200, 201, 400, 401, 403, 404, 409]) {
      assert.ok(
        exchanges.some((one) => one.status === status),
        String(status),
      )
    }
    assert.deepEqual(
      exchanges.filter(({ status }) => status >= 500).map(({ about }) => about),
      [],
    )
  })

  it('is in the one answer that shows it, and in no other answer, list or error', () => {
    for (const { about, text, shows } of issued.exchanges) assertTraceless(text, about, shows)
  })

  it('is in no line of the log at its most verbose; only the root key is on standard output, once', () => {
    assert.ok(lines() > issued.exchanges.length, 'a line for each request')
    for (const line of server.stderr.split('\n'))
      assertTraceless(line, `standard error: ${line.slice(0, 600)}`)
    assertTraceless(server.stdout, 'standard output', [server.rootKey!])
    assert.equal(server.stdout.split(server.rootKey!).length, 2)
  })

  it('is in no row of any table as text: not of mails, changes, tasks or answers kept for a repetition', async () => {
    const filled: string[] = []
    await onDatabase(async (client) => {
      const { rows: tables } = await client.query(
        `select table_name as name from information_schema.tables where table_schema = 'public'`,
      )
      for (const { name } of tables) {
        const { rows } = await client.query(`select t::text as row from ${name} t`)
        if (rows.length > 0) filled.push(name)
        // Bytes are written in hexadecimal: what is said in them is read as well.
        for (const { row } of rows) {
          const inBytes = [...row.matchAll(/\\x([0-9a-f]+)/g)].map(([, hex]) =>
            Buffer.from(hex!, 'hex').toString('latin1'),
          )
          assertTraceless(`${row} ${inBytes.join(' ')}`, name)
        }
      }
    })
    for (const name of [
      'mail',
      'change',
      'invitation_token',
      'api_key',
      'scim_token',
      'scim_request',
      'idempotency_key',
    ]) {
      assert.ok(filled.includes(name), `${name} of ${filled}`)
    }
  })

  it('is in no file of the server: not of its database, its write-ahead log or its logs', async () => {
    // What PostgreSQL has in memory only is written as well.
    await onDatabase(async (client) => {
      await client.query('checkpoint')
    })
    const entries = await readdir(dataDir, { recursive: true, withFileTypes: true })
    let found = 0
    for (const entry of entries.filter((one) => one.isFile())) {
      const text = await readFile(join(entry.parentPath, entry.name), 'latin1')
      if (text.includes('one@people.example')) found++
      assertTraceless(text, join(entry.parentPath, entry.name))
    }
    assert.ok(found >= 2, 'what is no secret is found in a table and in the write-ahead log')
  })
}

describe('a secret that a server issues or keeps', () => {
  let sink: SmtpSink
  before(async () => {
    sink = await startSmtpSink()
    await start(sink)
  })

  holdsOfEverySecret()

  it('is in its own mail, and in no other', () => {
    assert.equal(sink.mails.length, 5)
    for (const mail of sink.mails) assertTraceless(mail.raw + mail.text, 'a mail', [tokenOf(mail)])
  })

  it('is in no list of mails, which shows none of their bodies', () => {
    const lists = issued.exchanges.filter(({ about }) => about.includes('/mails'))
    assert.ok(lists.length > 0 && lists.every(({ shows }) => shows.length === 0))
  })
})

describe('a secret that a server without a mail server issues or keeps', () => {
  before(() => start())

  holdsOfEverySecret()

  it('is in the list of mails, as long as it is of use', () => {
    const shown = new Set(
      issued.exchanges.flatMap(({ about, shows }) => (about.includes('/mails') ? shows : [])),
    )
    assert.equal(shown.size, 5)
  })
})
