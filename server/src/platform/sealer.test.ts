import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createSealer, SEALING_KEY_BYTES, sealingKeyOf } from './sealer.ts'

const sealer = createSealer(randomBytes(SEALING_KEY_BYTES))

test('what is sealed opens for what it was sealed for, and does not show the text', () => {
  const text = 'rcinv_secret é 😀'
  const sealed = sealer.seal(text, 'mail 1')
  assert.equal(sealer.open(sealed, 'mail 1'), text)
  assert.ok(!sealed.includes('rcinv'))
  assert.notDeepEqual(sealer.seal(text, 'mail 1'), sealed)
})

test('it opens with no other key, for nothing else, and not when a byte was changed', () => {
  const sealed = sealer.seal('text', 'mail 1')
  assert.equal(sealer.open(sealed, 'mail 2'), undefined)
  assert.equal(createSealer(randomBytes(SEALING_KEY_BYTES)).open(sealed, 'mail 1'), undefined)
  for (let place = 0; place < sealed.length; place++) {
    const forged = Buffer.from(sealed)
    forged[place]! ^= 1
    assert.equal(sealer.open(forged, 'mail 1'), undefined)
  }
  for (const length of [0, 12, 27, sealed.length - 1]) {
    assert.equal(sealer.open(sealed.subarray(0, length), 'mail 1'), undefined)
  }
})

test('a passphrase gives the same key in every process', () => {
  const [one, two] = [createSealer(sealingKeyOf('a passphrase')), createSealer(sealingKeyOf('a passphrase'))]
  assert.equal(two.open(one.seal('text', ''), ''), 'text')
})
