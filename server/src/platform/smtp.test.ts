import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { type SmtpSink, startSmtpSink } from '../../test/smtp-sink.ts'
import { createSmtpClient, type Delivery, type SmtpClient } from './smtp.ts'

const clients: SmtpClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

const mail = {
  ...{ messageId: '<1@x.example>', to: 'ann@x.example', replyTo: null, subject: 'Subject' },
  ...{ text: 'Text', html: '<p>Text</p>', date: new Date() },
}

async function send(url: string, more: Partial<typeof mail> = {}): Promise<Delivery> {
  const client = createSmtpClient(url, 'Rollcall <no-reply@x.example>', 1)
  clients.push(client)
  return await client.send({ ...mail, ...more })
}

/** A server that offers TLS with a certificate of its own making, and takes mails of one user only. */
async function guardedSink(): Promise<SmtpSink & { readonly secure: boolean[] }> {
  const secure: boolean[] = []
  const sink = await startSmtpSink(0, {
    authOptional: false,
    disabledCommands: [],
    onAuth({ username, password }, _session, done) {
      if (username === 'user' && password === 'p@ss') return done(null, { user: username })
      done(new Error('wrong password'))
    },
    onMailFrom(_address, session, done) {
      secure.push(session.secure)
      done()
    },
  })
  return Object.assign(sink, { secure })
}
const withUser = ({ url }: SmtpSink, password: string) =>
  `${url.replace('smtp://', `smtp://user:${password}@`)}?tls.rejectUnauthorized=false`

describe('a mail server', () => {
  test('that has no TLS and asks for no password takes mails', async () => {
    const sink = await startSmtpSink()
    assert.deepEqual(await send(sink.url), { outcome: 'sent' })
    assert.deepEqual([sink.mails[0]!.text, sink.mails[0]!.html], ['Text\n', '<p>Text</p>\n'])
  })

  test('that offers TLS is asked over it, with user and password', async () => {
    const sink = await guardedSink()
    assert.deepEqual(await send(withUser(sink, 'p%40ss')), { outcome: 'sent' })
    assert.deepEqual(sink.secure, [true])
  })

  test('with a certificate that nobody vouches for is not trusted, unless the settings say so', async () => {
    const sink = await guardedSink()
    const { outcome } = await send(withUser(sink, 'p%40ss').replace(/\?.*/, ''))
    assert.deepEqual([outcome, sink.mails.length], ['unreachable', 0])
  })

  test('that does not take the password may do so later, and no reason quotes it', async () => {
    const sink = await guardedSink()
    const result = await send(withUser(sink, 'secret-password'))
    assert.equal(result.outcome, 'unreachable')
    assert.ok(!JSON.stringify(result).includes('secret-password'))
  })

  test('that refuses says whether it is for good: 5yz to the recipient is', async () => {
    const sink = await startSmtpSink()
    for (const [status, outcome] of [
      [550, 'refused'],
      [451, 'later'],
    ] as const) {
      sink.refuse = () => status
      const result = await send(sink.url)
      assert.deepEqual([result.outcome, 'code' in result && result.code], [outcome, String(status)])
    }
  })

  test('that refuses the sender may take the mail later: that is a setting', async () => {
    const sink = await startSmtpSink(0, {
      onMailFrom: (_address, _session, done) =>
        done(Object.assign(new Error('sender not allowed'), { responseCode: 553 })),
    })
    assert.equal((await send(sink.url)).outcome, 'later')
  })

  test('that is not there is unreachable', async () => {
    const sink = await startSmtpSink()
    await sink.close()
    assert.equal((await send(sink.url)).outcome, 'unreachable')
  })
})

describe('an address or a subject', () => {
  test('adds no recipient and no header, whatever is in it', async () => {
    const sink = await startSmtpSink()
    const subject = 'One\r\nBcc: eve@x.example\r\n\r\nbody'
    await send(sink.url, { subject, to: 'ann@x.example' })
    assert.deepEqual(sink.mails[0]!.to, ['ann@x.example'])
    assert.ok(!('bcc' in sink.mails[0]!.headers))
    for (const to of ['ann@x.example, eve@x.example', 'ann@x.example\r\nRCPT TO:<eve@x.example>']) {
      await send(sink.url, { to })
    }
    assert.ok(sink.mails.every((one) => !one.to.includes('eve@x.example')))
  })
})
