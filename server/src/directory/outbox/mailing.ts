import type { Encryption } from '../../platform/encryption.ts'

/** What mails are made with. */
export interface Mailing {
  /** Where people reach this server, without a slash at the end. */
  readonly publicUrl: () => string
  /** Of bodies, which carry links that work like passwords. */
  readonly encryption: Encryption
  /** Whether this server hands mails to a mail server; else the outbox is where they are read. */
  readonly isDelivering: boolean
}
