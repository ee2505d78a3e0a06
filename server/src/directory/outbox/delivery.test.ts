import assert from 'node:assert/strict'
import { before, beforeEach, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { type SmtpSink, startSmtpSink, tokenOf } from '../../../test/smtp-sink.ts'
import { sql } from '../../platform/postgres/sql.ts'

let sink: SmtpSink
let app: TestApp
let acme: DirectoryClient
before(async () => {
  sink = await startSmtpSink()
  app = await startTestApp({ smtpUrl: sink.url })
  acme = directoryClient(app, (await app.organization('acme')).path)
})
beforeEach(() => {
  sink.mails.length = 0
  sink.refuse = () => undefined
})

let made = 0
const address = () => `p${++made}@people.example`
const invite = (more: object = {}) => acme.post('/invitations', { email: address(), ...more })

/** The mails about an invitation, as the outbox shows them. */
async function mailsAbout(invitation: { id: string }) {
  const { data } = await acme.get('/mails?limit=1000')
  return data.filter((mail: { invitation: string }) => mail.invitation === invitation.id)
}

/** Waits until the only mail about an invitation is as wanted. */
async function mailBecomes(invitation: { id: string }, wanted: (mail: never) => boolean) {
  for (let tries = 0; tries < 2000; tries++) {
    const [mail, ...others] = await mailsAbout(invitation)
    assert.deepEqual(others, [])
    if (wanted(mail as never)) return mail
    await setTimeout(10)
  }
  throw new Error(`never: ${wanted} ${JSON.stringify(await mailsAbout(invitation))}`)
}
const isSent = (mail: { status: string }) => mail.status === 'sent'
const wasTried = (mail: { attempts: number }) => mail.attempts > 0

/** Lets the wait before the next attempt be over. */
async function dueNow(): Promise<void> {
  await app.database.run(sql`update mail set next_attempt_at = now() where status = 'pending'`)
  await app.database.run(sql`update task set run_at = now(), wakes = wakes + 1 where kind = 'outbox'`)
  app.directory.wakeTasks()
}

const stored = async () => JSON.stringify(await app.database.rows(sql`select * from mail`))

describe('a mail', () => {
  test('waits where the address was mailed a moment ago: nobody floods a mailbox by inviting again and again', async () => {
    const email = address()
    const first = await invite({ email })
    await sink.arrived(1)
    await mailBecomes(first, isSent)
    await acme.ok('DELETE', `/invitations/${first.id}`)
    const second = await invite({ email: email.toUpperCase() })
    await acme.post('/workspaces', { name: 'W', slug: 'flooded' })
    const target = (await acme.get('/workspaces/flooded')).id
    const { data: roles } = await acme.get('/roles?resource=workspace')
    const role = roles.find((row: { key: string }) => row.key === 'guest').id
    const third = await invite({ email, replace_pending: true })
    const beside = await invite({ email, target, role })
    const other = await app.organization('elsewhere')
    await directoryClient(app, other.path).post('/invitations', { email })
    // To others, and from others, mails leave meanwhile.
    await invite()
    const arrived = await sink.arrived(3)
    await setTimeout(300)
    assert.equal(
      arrived.filter((mail) => mail.to[0]!.toLowerCase() === email).length,
      2,
      'one of each organization',
    )
    const [cancelled] = await mailsAbout(second)
    assert.equal(cancelled.status, 'cancelled')
    const due = await app.database.rows(sql<{ at: string }>`
      select next_attempt_at as at from mail where status = 'pending' order by id`)
    const after = (at: string, seconds: number) => Date.parse(at) + seconds * 1000
    assert.deepEqual(
      due.map(({ at }) => Date.parse(at)),
      [after(second.created_at, 60), after(second.created_at, 120)],
    )
    await dueNow()
    for (const invitation of [third, beside]) await mailBecomes(invitation, isSent)
  })

  test('is delivered once, to the invited address alone, in text and in HTML', async () => {
    const invitation = await invite({
      email: 'Ann@People.Example',
      first_name: 'Ann',
      message: 'Hi & <welcome>',
    })
    const [mail] = await sink.arrived(1)
    await mailBecomes(invitation, isSent)
    await dueNow()
    await setTimeout(300)
    assert.equal(sink.mails.length, 1)
    assert.deepEqual([mail!.from, mail!.to], ['no-reply@rollcall.example', ['Ann@people.example']])
    assert.match(mail!.headers['content-type']!, /^multipart\/alternative/)
    assert.equal(mail!.headers.from, 'Rollcall <no-reply@rollcall.example>')
    assert.equal(mail!.headers['auto-submitted'], 'auto-generated')
    assert.equal(mail!.headers.subject, 'You are invited to acme')
    assert.ok(!('reply-to' in mail!.headers), 'an organization’s own key has no mailbox')
    const link = `https://rollcall.example/invitations/accept#${tokenOf(mail!)}`
    assert.ok(mail!.text.includes(link) && mail!.html.includes(`href="${link}"`))
    assert.ok(mail!.text.includes('Hello Ann,') && mail!.text.includes('> Hi & <welcome>'))
    assert.ok(mail!.html.includes('Hi &amp; &lt;welcome&gt;') && !mail!.html.includes('<welcome>'))
  })

  test('leaves a record without its text and link', async () => {
    const invitation = await invite()
    const [mail] = await sink.arrived(1)
    const record = await mailBecomes(invitation, isSent)
    const { id, created_at, sent_at, expires_at } = record
    assert.deepEqual(record, {
      ...{ object: 'mail', id, to: invitation.email, reply_to: null, subject: 'You are invited to acme' },
      ...{ purpose: 'invitation', invitation: invitation.id, status: 'sent', body: null, attempts: 1 },
      ...{ created_at, expires_at, sent_at, next_attempt_at: null, last_error: null },
    })
    assert.equal(expires_at, invitation.expires_at)
    assert.ok(!(await stored()).includes(tokenOf(mail!)))
  })

  test('answers to the inviter, and calls them by name', async () => {
    const inviter = await acme.member({ level: 'admin', display_name: 'Bob', email: 'bob@acme.example' })
    const key = await acme.key(['*'], { member_id: inviter.id })
    await directoryClient(app, acme.path, key).post('/invitations', { email: address() })
    const [mail] = await sink.arrived(1)
    assert.equal(mail!.headers['reply-to'], 'bob@acme.example')
    assert.equal(mail!.headers.subject, 'Bob invites you to acme')
    assert.ok(mail!.text.includes('Bob (bob@acme.example) invites you to join acme.'))
  })

  test('has no header that a name, a subject or a message put there', async () => {
    const evil = 'Evil\r\nBcc: victim@x.example\r\n\r\n<script>alert(1)</script>\u2028\u202egnp'
    const inviter = await acme.member({ level: 'admin', display_name: evil })
    await acme.ok('PATCH', '', { name: evil })
    const key = await acme.key(['*'], { member_id: inviter.id })
    const body = { email: address(), first_name: evil, message: `${evil}\n.\r\nQUIT` }
    await directoryClient(app, acme.path, key).post('/invitations', body)
    await acme.ok('PATCH', '', { name: 'acme' })
    const [mail] = await sink.arrived(1)
    assert.deepEqual(
      Object.keys(mail!.headers).sort(),
      'auto-submitted,content-type,date,from,message-id,mime-version,reply-to,subject,to'.split(','),
    )
    assert.deepEqual(mail!.to, [body.email])
    assert.equal(
      mail!.headers.subject,
      'Evil Bcc: victim@x.example <script>alert(1)</script> gnp invites you to ' +
        'Evil Bcc: victim@x.example <script>alert(1)</script> gnp',
    )
    assert.ok(!/\p{Cc}(?<!\n)|[\u2028\u202e]/u.test(mail!.text + mail!.html))
    assert.ok(!mail!.html.includes('<script'))
    tokenOf(mail!)
  })

  test('is sent again after the server was busy, with the same Message-ID, and then not any more', async () => {
    sink.refuse = () => 451
    const invitation = await invite()
    const waiting = await mailBecomes(invitation, wasTried)
    assert.deepEqual([waiting.status, waiting.body, waiting.sent_at], ['pending', null, null])
    assert.match(waiting.last_error, /451|come back later/)
    const wait = Date.parse(waiting.next_attempt_at) - Date.now()
    assert.ok(wait > 20_000 && wait < 31_000, `the first wait is ${wait} ms`)
    sink.refuse = () => undefined
    await dueNow()
    const sent = await mailBecomes(invitation, isSent)
    assert.deepEqual([sent.attempts, sent.last_error], [2, null])
    assert.equal(sink.mails.length, 1)
    assert.match(sink.mails[0]!.headers['message-id']!, /^<[0-9a-f-]{36}@rollcall\.example>$/)
  })

  test('waits twice as long after each failure, up to an hour', async () => {
    sink.refuse = () => 451
    const invitation = await invite()
    const waits: number[] = []
    for (let attempt = 1; attempt <= 9; attempt++) {
      const mail = await mailBecomes(invitation, ({ attempts }: { attempts: number }) => attempts === attempt)
      waits.push(Math.round((Date.parse(mail.next_attempt_at) - Date.now()) / 1000))
      await dueNow()
    }
    const wanted = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    for (const [index, wait] of waits.entries()) {
      assert.ok(Math.abs(wait - wanted[index]!) <= 5, `${waits}`)
    }
  })

  test('is given up after three days, which is recorded', async () => {
    sink.refuse = () => 451
    const invitation = await invite({ expires_in_seconds: 30 * 24 * 3600 })
    await mailBecomes(invitation, wasTried)
    await app.database.run(
      sql`update mail set created_at = now() - interval '3 days' where status = 'pending'`,
    )
    await dueNow()
    const mail = await mailBecomes(invitation, ({ status }: { status: string }) => status !== 'pending')
    assert.deepEqual(
      [mail.status, mail.body, mail.sent_at, mail.next_attempt_at],
      ['failed', null, null, null],
    )
    assert.match(mail.last_error, /come back later/)
  })

  test('that the server refuses for good is recorded at once, and does not hold up others', async () => {
    const email = address()
    sink.refuse = (to) => (to === email ? 550 : undefined)
    const refused = await invite({ email })
    const other = await invite()
    const mail = await mailBecomes(refused, ({ status }: { status: string }) => status === 'failed')
    assert.deepEqual([mail.attempts, mail.body], [1, null])
    assert.match(mail.last_error, /no such mailbox/)
    await mailBecomes(other, isSent)
    assert.equal((await acme.get('/mails?status=failed&limit=1000')).data.at(-1).id, mail.id)
  })

  test('waits for a server that is dead, and leaves when it is back', async () => {
    const port = Number(new URL(sink.url).port)
    await sink.close()
    const invitation = await invite()
    const waiting = await mailBecomes(invitation, wasTried)
    assert.deepEqual([waiting.status, waiting.body], ['pending', null])
    assert.match(waiting.last_error, /ECONNREFUSED/)
    sink = await startSmtpSink(port)
    await dueNow()
    await mailBecomes(invitation, isSent)
    assert.deepEqual((await sink.arrived(1))[0]!.to, [invitation.email])
  })

  test('whose invitation is revoked before it leaves is not sent', async () => {
    sink.refuse = () => 451
    const invitation = await invite()
    await mailBecomes(invitation, wasTried)
    await acme.ok('DELETE', `/invitations/${invitation.id}`)
    sink.refuse = () => undefined
    await dueNow()
    await setTimeout(300)
    const [mail] = await mailsAbout(invitation)
    assert.deepEqual([mail.status, mail.body, sink.mails.length], ['cancelled', null, 0])
  })

  test('of a deleted organization waits for its restoration', async () => {
    sink.refuse = () => 451
    const { id } = await app.organization('gone')
    const gone = directoryClient(app, '/directory/v1/organizations/gone')
    await gone.post('/invitations', { email: address() })
    const attempts = async () =>
      (await app.database.row(sql<{ attempts: number }>`
        select attempts from mail m join organization o on o.id = m.organization_id where o.slug = 'gone'`))!
        .attempts
    while ((await attempts()) === 0) await setTimeout(10)
    await gone.ok('DELETE', '')
    sink.refuse = () => undefined
    await dueNow()
    await setTimeout(300)
    assert.equal(sink.mails.length, 0)
    await app.call('POST', `/directory/v1/organizations/${id}/restore`)
    await sink.arrived(1)
  })
})

describe('a mail server', () => {
  test('that hangs does not keep other work from its turn', async () => {
    const held = Promise.withResolvers<void>()
    sink.hold = held.promise
    for (const slug of ['hang-1', 'hang-2', 'hang-3', 'hang-4', 'hang-5']) {
      const { path } = await app.organization(slug)
      await directoryClient(app, path).post('/invitations', { email: address() })
    }
    await sink.arrived(2)
    const group = await acme.group()
    assert.equal((await acme.sync(group.id, ['a'])).status, 'completed')
    sink.hold = undefined
    held.resolve()
    await sink.arrived(5)
  })
})
