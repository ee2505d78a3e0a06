import type { Sealer } from '../../platform/sealer.ts'

/** What mails are made with. */
export interface Mailing {
  /** Where people reach this server, without a slash at the end. */
  readonly publicUrl: () => string
  readonly sealer: Sealer
  /** Whether this server hands mails to a mail server; else the outbox is where they are read. */
  readonly isDelivering: boolean
}
