import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { temporaryDirectory } from '../../test/harness.ts'
import { type EncryptionContext, EncryptionUnavailable, openEncryption } from './encryption.ts'

const context: EncryptionContext = { organizationId: 'one', table: 'identity_provider', rowId: 'row' }
/** Below a file nothing can be made. */
const NOWHERE = join(import.meta.filename, 'data')
const withKeys = (...keys: string[]) => openEncryption({ keys, dataDir: NOWHERE })
const unavailable = (rule: RegExp) => (error: unknown) => {
  assert.ok(error instanceof EncryptionUnavailable, String(error))
  assert.match(error.message, rule)
  return true
}

describe('an encrypted value', () => {
  it('is read again as it was, and never looks the same twice', async () => {
    const encryption = withKeys('a long enough key')
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (plain) => {
        const encrypted = await encryption.encrypt(plain, context)
        assert.equal(await encryption.decrypt(encrypted, context), plain)
        assert.notEqual(await encryption.encrypt(plain, context), encrypted)
        if (plain.length > 3) assert.ok(!encrypted.includes(plain))
      }),
      { numRuns: 50 },
    )
  })

  it('cannot be read in another organization, table or row', async () => {
    const encryption = withKeys('a long enough key')
    const encrypted = await encryption.encrypt('secret', context)
    for (const field of ['organizationId', 'table', 'rowId'] as const) {
      await assert.rejects(encryption.decrypt(encrypted, { ...context, [field]: 'another' }), /authenticate/)
    }
    // Where one part ends and the next begins counts, too.
    const shifted = { organizationId: 'on', table: 'eidentity_provider', rowId: 'row' }
    await assert.rejects(encryption.decrypt(encrypted, shifted), /authenticate/)
  })

  it('cannot be changed anywhere', async () => {
    const encryption = withKeys('a long enough key')
    const encrypted = await encryption.encrypt('secret', context)
    const [format, id, payload = ''] = encrypted.split('.')
    const bytes = Buffer.from(payload, 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at]! ^ 1
      const forged = [format, id, changed.toString('base64url')].join('.')
      await assert.rejects(encryption.decrypt(forged, context))
    }
    for (const forged of ['', 'v1', `v2.${id}.${payload}`, `v1.${id}.`, `v1.${id}.AAAA`]) {
      await assert.rejects(encryption.decrypt(forged, context), forged)
    }
    const short = Buffer.concat([bytes.subarray(0, 12), bytes.subarray(12, 16)]).toString('base64url')
    await assert.rejects(encryption.decrypt(`v1.${id}.${short}`, context), 'a short tag is no tag')
  })
})

describe('keys', () => {
  it('are rotated: the first encrypts, all decrypt, and a key that is gone is named as missing', async () => {
    const old = await withKeys('the old key of all').encrypt('secret', context)
    const rotated = withKeys('the new key of all', 'the old key of all')
    assert.equal(await rotated.decrypt(old, context), 'secret')
    const renewed = await rotated.encrypt('secret', context)
    assert.equal(await withKeys('the new key of all').decrypt(renewed, context), 'secret')
    await assert.rejects(
      withKeys('the new key of all').decrypt(old, context),
      unavailable(/ROLLCALL_ENCRYPTION_KEY/),
    )
  })

  it('come from a file of mode 0600 in the data directory where none is set, made once', async () => {
    const dataDir = join(await temporaryDirectory(), 'data')
    const opened = Array.from({ length: 8 }, () => openEncryption({ keys: [], dataDir }))
    const values = await Promise.all(opened.map((encryption) => encryption.encrypt('secret', context)))
    for (const value of values) {
      assert.equal(await opened[0]!.decrypt(value, context), 'secret', 'eight starts at once made one key')
    }
    const path = join(dataDir, 'encryption.key')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(dataDir), ['encryption.key'])
    assert.equal((await readFile(path, 'utf8')).trim().length, 43)
    assert.equal(await openEncryption({ keys: [], dataDir }).decrypt(values[0]!, context), 'secret')
  })

  it('that cannot be had refuse the work by a sentence, until they can', async () => {
    const dataDir = await temporaryDirectory()
    await assert.rejects(
      openEncryption({ keys: [], dataDir: NOWHERE }).encrypt('x', context),
      unavailable(/Set ROLLCALL/),
    )
    const path = join(dataDir, 'encryption.key')
    const encryption = openEncryption({ keys: [], dataDir })
    await writeFile(path, '')
    await chmod(path, 0o600)
    await assert.rejects(encryption.encrypt('x', context), unavailable(/is empty/))
    await writeFile(path, 'a key of the operator')
    await chmod(path, 0o644)
    await assert.rejects(encryption.encrypt('x', context), unavailable(/mode 0600/))
    await chmod(path, 0o600)
    assert.equal(await encryption.decrypt(await encryption.encrypt('x', context), context), 'x')
  })
})
