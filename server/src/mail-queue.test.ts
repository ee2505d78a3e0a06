import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig, StartupError } from './config.ts'
import { defaultMailFrom } from './mail-queue.ts'

test('mails come from the host that people know the server by, or from localhost where that is an address', () => {
  for (const [publicUrl, from] of [
    ['https://rollcall.acme.example', 'Rollcall <no-reply@rollcall.acme.example>'],
    ['https://acme.example:8443/directory', 'Rollcall <no-reply@acme.example>'],
    ['http://127.0.0.1:8484', 'Rollcall <no-reply@localhost>'],
    ['http://[::1]:8484', 'Rollcall <no-reply@localhost>'],
  ] as const) {
    assert.equal(defaultMailFrom(publicUrl), from)
  }
})

test('ROLLCALL_MAIL_FROM is an address, or a name and an address, and nothing that makes another header', () => {
  const read = (from: string) => readConfig({ ROLLCALL_MAIL_FROM: from }).mailFrom
  for (const from of [
    'no-reply@acme.example',
    'Acme GmbH <no-reply@acme.example>',
    'Ä & Söhne <x@acme.example>',
  ]) {
    assert.equal(read(from), from)
  }
  assert.equal(read(''), undefined)
  const wrong = [
    'Acme',
    'a@b@c.example',
    'A <a@b.example>, B <b@c.example>',
    'A\r\nBcc: x@y.example <a@b.example>',
    'a b@c.example',
    '<a@b.example',
  ]
  for (const from of wrong) {
    assert.throws(
      () => read(from),
      (error) => error instanceof StartupError && error.message.includes('ROLLCALL_MAIL_FROM'),
      from,
    )
  }
})
