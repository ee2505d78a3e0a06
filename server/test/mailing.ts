import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import type { Mailing } from '#src/directory/outbox/mailing.ts'
import { openEncryption } from '#src/platform/encryption.ts'

const PUBLIC_URL = 'https://rollcall.example'

/** What mails of a test are made with: a key that nobody else has. */
export function testMailing(more: Partial<Mailing> = {}): Mailing {
  const encryption = openEncryption({ keys: [randomBytes(32).toString('hex')], dataDir: tmpdir() })
  return { publicUrl: () => PUBLIC_URL, encryption, isDelivering: false, ...more }
}
