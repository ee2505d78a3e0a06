import { randomBytes } from 'node:crypto'
import type { Mailing } from '#src/directory/outbox/mailing.ts'
import { createSealer, SEALING_KEY_BYTES } from '#src/platform/sealer.ts'

const PUBLIC_URL = 'https://rollcall.example'

/** What mails of a test are made with: a key that nobody else has. */
export function testMailing(more: Partial<Mailing> = {}): Mailing {
  const sealer = createSealer(randomBytes(SEALING_KEY_BYTES))
  return { publicUrl: () => PUBLIC_URL, sealer, isDelivering: false, ...more }
}
