import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServerProcess, temporaryDirectory } from '../../../test/harness.ts'
import { startSmtpSink } from '../../../test/smtp-sink.ts'

const ROOT_KEY = 'root-key-of-the-outbox-test'

test('a server killed after the mail server had a mail sends it again with the same Message-ID', async () => {
  const sink = await startSmtpSink()
  const held = Promise.withResolvers<void>()
  sink.hold = held.promise
  const dataDir = await temporaryDirectory()
  const env = {
    SMTP_URL: sink.url,
    ROLLCALL_ROOT_KEY: ROOT_KEY,
    ROLLCALL_MAIL_FROM: 'Acme <mail@acme.example>',
  }
  const first = await startServerProcess({ dataDir, env })
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${ROOT_KEY}`, 'content-type': 'application/json' }
    const options = { method: 'POST', headers, body: JSON.stringify(body) }
    const answer = await fetch(`${first.url}/directory/v1/organizations${path}`, options)
    assert.equal(answer.status, 201, await answer.clone().text())
  }
  await post('', { name: 'Acme', slug: 'acme', owner: { email: 'owner@acme.example' } })
  await post('/acme/invitations', { email: 'ann@people.example' })
  await sink.arrived(1)
  first.kill('SIGKILL')
  await first.stopped
  sink.hold = undefined
  held.resolve()

  const second = await startServerProcess({ dataDir, env })
  const [before, again] = await sink.arrived(2)
  assert.equal(again!.headers['message-id'], before!.headers['message-id'])
  assert.match(again!.headers['message-id']!, /@acme\.example>$/)
  assert.equal(again!.headers.from, 'Acme <mail@acme.example>')
  assert.equal(again!.text, before!.text, 'the key that it was sealed with outlived the process')
  assert.ok(again!.text.includes(`${first.url}/invitations/accept#rcinv_`), 'the address that is listened on')
  second.kill('SIGTERM')
  assert.equal(await second.stopped, 0)
  assert.equal(sink.mails.length, 2)
})
