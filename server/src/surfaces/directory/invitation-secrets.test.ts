import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { tableNames } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { mailedLongAgo } from '../../../test/inviting.ts'
import { routesOf } from '../../../test/route-table.ts'
import { type SmtpSink, startSmtpSink, tokenOf } from '../../../test/smtp-sink.ts'
import { openLog } from '../../platform/log.ts'
import { digestSecret } from '../../platform/secret.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
let sink: SmtpSink
let acme: DirectoryClient
let written = ''
const answers: Answer[] = []
before(async () => {
  sink = await startSmtpSink()
  const destination = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk)
      done()
    },
  })
  app = await startTestApp({ smtpUrl: sink.url, log: openLog('trace', destination) })
  const { call } = app
  Object.assign(app, {
    call: async (...given: Parameters<typeof call>) => {
      const answer = await call(...given)
      answers.push(answer)
      return answer
    },
  })
  acme = directoryClient(app, (await app.organization('acme')).path)
})

/** Every row of every table, as text; bytes as text where they are some. */
async function everyRow(): Promise<string> {
  const parts: string[] = []
  for (const table of await tableNames(app.database)) {
    const rows = await app.database.rows<Record<string, unknown>>({
      name: '',
      text: `select * from ${table}`,
      values: [],
    })
    for (const row of rows) {
      for (const value of Object.values(row)) {
        parts.push(Buffer.isBuffer(value) ? value.toString('latin1') : (JSON.stringify(value) ?? ''))
      }
    }
  }
  return parts.join('\n')
}

test('the token of an invitation is in its mail, and in nothing else that the server writes', async () => {
  const accept = (token: string) =>
    app.call('POST', '/directory/v1/invitation_acceptances', {
      key: null,
      body: { token, email: 'x@y.example' },
    })
  const sent: { id: string; tail: string }[] = []
  for (const [tail, body] of [
    ['/invitations', { email: 'one@people.example' }],
    [
      '/invitations/bulk',
      { invitations: [{ email: 'two@people.example' }, { email: 'three@people.example' }] },
    ],
  ] as const) {
    const headers = { 'idempotency-key': `secrets-${tail}` }
    const { body: made } = await acme.send('POST', tail, { body, headers })
    await acme.send('POST', tail, { body, headers })
    for (const { id } of made.data ?? [made]) sent.push({ id, tail })
  }
  await sink.arrived(3)
  // Whatever can be done with one: sent again, busy, refused, looked up, accepted by a stranger and for good, revoked.
  await mailedLongAgo(app.database, decodeId(idPrefixes.invitation, sent[0]!.id)!)
  await acme.post(`/invitations/${sent[0]!.id}/resend`)
  await sink.arrived(4)
  sink.refuse = (address) => (address.startsWith('four') ? 451 : 550)
  await acme.post('/invitations', { email: 'four@people.example' })
  await acme.post('/invitations', { email: 'five@people.example' })
  while ((written.match(/a mail was not delivered/g)?.length ?? 0) < 2) await setTimeout(10)
  const tokens = sink.mails.map(tokenOf)
  assert.equal(new Set(tokens).size, 4)
  for (const token of tokens) {
    await app.call('POST', '/directory/v1/invitation_lookups', { key: null, body: { token } })
    await accept(token)
    await app.call('POST', '/directory/v1/invitation_acceptances', {
      key: null,
      body: { token, extra: token },
    })
    await app.call('POST', '/directory/v1/invitation_acceptances', { key: null, raw: `{"token": "${token}"` })
    await app.call('POST', '/directory/v1/invitation_acceptances', { key: null, body: { token: [token] } })
  }
  await app.call('POST', '/directory/v1/invitation_acceptances', { key: null, body: { token: tokens[1] } })
  await acme.ok('DELETE', `/invitations/${sent[2]!.id}`)
  await accept(tokens[2]!)
  for (const { method, path } of routesOf(app.http)) {
    if (method !== 'GET' || !path.startsWith('/directory/v1/organizations/{org}')) continue
    const tail = path.slice('/directory/v1/organizations/{org}'.length)
    if (!tail.includes('{')) await acme.send('GET', tail)
  }
  for (const { id } of sent) await acme.get(`/invitations/${id}`)

  const rows = await everyRow()
  for (const token of tokens) {
    const secret = token.slice('rcinv_'.length)
    assert.ok(!written.includes(secret), 'a log line has it')
    assert.ok(!rows.includes(secret), 'a table has it')
    assert.ok(!rows.includes(Buffer.from(secret, 'base64url').toString('latin1')), 'a table has its bytes')
    const answer = answers.find((one) => JSON.stringify([one.headers, one.body]).includes(secret))
    assert.equal(answer, undefined, 'an answer has it')
  }
  assert.ok(rows.includes(digestSecret(tokens[1]!).toString('latin1')), 'this test reads the bytes of tables')
  assert.ok(written.includes('"route":"/directory/v1/invitation_acceptances"') && answers.length > 40)
  assert.ok(!/people\.example/.test(written), 'addresses do not belong in a log')
})
