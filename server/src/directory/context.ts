import type { Encryption } from '../platform/encryption.ts'
import type { Outbound } from '../platform/outbound/outbound.ts'
import type { Database, Queryable, Transaction } from '../platform/postgres/database.ts'
import type { Actor } from './access/permission.ts'
import type { ChangeDraft } from './changes/change-draft.ts'
import type { DomainProofs } from './domains/proof.ts'
import type { Mailing } from './outbox/mailing.ts'

/** What every read gets: where to read, for whom, in which organization. */
export interface ReadContext {
  readonly db: Queryable
  readonly actor: Actor
  readonly organizationId: string
}

/** First argument of every operation that writes: one open transaction that becomes one change. */
export interface Context extends ReadContext {
  readonly db: Transaction
  readonly now: Date
  readonly change: ChangeDraft
  /** Another transaction came in between before: nothing is taken for likely any more. */
  readonly isRetry: boolean
  /** What mails are made with; absent where an operation writes none. */
  readonly mailing?: Mailing | undefined
}

/** What the directory runs on. */
export interface Directory {
  readonly database: Database
  /** Asks the task queue of this process to look now instead of at its next poll. */
  readonly wakeTasks: () => void
  /** Secrets that must be read again. */
  readonly encryption: Encryption
  /** Checks and reaches addresses that customers give. */
  readonly outbound: Outbound
  readonly domainProofs: DomainProofs
  /** How often the proof of a verified domain is looked for again. */
  readonly domainCheckMillis: number
  /** How long the requests of SCIM clients are kept. */
  readonly scimRequestDays: number
  readonly mailing: Mailing
}
