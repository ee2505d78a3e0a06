import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** Delivers the mails of one organization. */
export const OUTBOX_TASK = 'outbox'

export const mailStatuses = ['pending', 'sent', 'failed', 'cancelled'] as const
type MailStatus = (typeof mailStatuses)[number]

export type MailPurpose = 'invitation'

export interface MailRow {
  id: string
  recipient: string
  reply_to: string | null
  subject: string
  purpose: MailPurpose
  about_id: string
  /** Encrypted; null once nobody needs it any more. */
  body: string | null
  status: MailStatus
  created_at: string
  expires_at: string
  next_attempt_at: string
  attempts: number
  last_error: string | null
  sent_at: string | null
}

/** A mail that was not delivered in this time is given up. */
const DELIVERY_DAYS_MAX = 3
/** Waits double from the first to the longest. */
export const RETRY_SECONDS = 30
const RETRY_SECONDS_MAX = 3600

export async function insertMails(
  tx: Transaction,
  organizationId: string,
  mails: readonly {
    id: string
    recipient: string
    replyTo: string | null
    subject: string
    purpose: MailPurpose
    aboutId: string
    body: string
    expiresAt: Date
    notBefore: Date
  }[],
  now: Date,
): Promise<void> {
  await tx.run(sql`
    insert into mail (organization_id, id, recipient, reply_to, subject, purpose, about_id, body, created_at,
      expires_at, next_attempt_at)
    select ${organizationId}, m.id, m.recipient, m.reply_to, m.subject, m.purpose, m.about_id, m.body, ${now},
      m.expires_at, m.not_before
    from unnest(${mails.map(({ id }) => id)}::uuid[], ${mails.map(({ recipient }) => recipient)}::text[],
      ${mails.map(({ replyTo }) => replyTo)}::text[], ${mails.map(({ subject }) => subject)}::text[],
      ${mails.map(({ purpose }) => purpose)}::text[], ${mails.map(({ aboutId }) => aboutId)}::uuid[],
      ${mails.map(({ body }) => body)}::text[], ${mails.map(({ expiresAt }) => expiresAt)}::timestamptz[],
      ${mails.map(({ notBefore }) => notBefore)}::timestamptz[])
      m (id, recipient, reply_to, subject, purpose, about_id, body, expires_at, not_before)`)
}

/** What has not left is not sent any more, because what it is about is over. */
export async function cancelMailsAbout(
  tx: Transaction,
  organizationId: string,
  aboutIds: readonly string[],
): Promise<void> {
  await tx.run(sql`
    update mail set status = 'cancelled', body = null
    where organization_id = ${organizationId} and about_id = any (${aboutIds}) and status = 'pending'`)
}

/** The same for mails past their end, of one organization or of all. */
export async function cancelExpiredMails(db: Queryable, organizationId: string | null): Promise<void> {
  await db.run(sql`
    update mail set status = 'cancelled', body = null
    where (${organizationId}::uuid is null or organization_id = ${organizationId}) and status = 'pending'
      and expires_at <= now()`)
}

/** Mails to be sent now; those that failed before come last. None of a deleted organization. */
export async function listDueMails(
  db: Queryable,
  organizationId: string,
  limit: number,
): Promise<(MailRow & { body: string })[]> {
  return await db.rows(sql<MailRow & { body: string }>`
    select m.* from mail m
    join organization o on o.id = m.organization_id and o.deleted_at is null
    where m.organization_id = ${organizationId} and m.status = 'pending' and m.next_attempt_at <= now()
    order by m.attempts, m.next_attempt_at, m.id limit ${limit}`)
}

/** Seconds until the next mail is due; undefined: none waits. */
export async function secondsUntilNextMail(
  db: Queryable,
  organizationId: string,
): Promise<number | undefined> {
  const row = await db.row(sql<{ seconds: number | null }>`
    select extract(epoch from min(m.next_attempt_at) - clock_timestamp())::float8 as seconds
    from mail m
    join organization o on o.id = m.organization_id and o.deleted_at is null
    where m.organization_id = ${organizationId} and m.status = 'pending'`)
  const seconds = row?.seconds ?? undefined
  return seconds === undefined ? undefined : Math.max(0, seconds)
}

/** The mail server has it: the body is erased, the row stays as a record. */
export async function markMailSent(db: Queryable, organizationId: string, id: string): Promise<void> {
  // It may have been cancelled while it was on its way: it has left all the same.
  await db.run(sql`
    update mail set status = 'sent', body = null, sent_at = now(), attempts = attempts + 1, last_error = null
    where organization_id = ${organizationId} and id = ${id} and status in ('pending', 'cancelled')`)
}

/** It will never be delivered. */
export async function markMailFailed(
  db: Queryable,
  organizationId: string,
  id: string,
  lastError: string,
): Promise<void> {
  await db.run(sql`
    update mail set status = 'failed', body = null, attempts = attempts + 1, last_error = ${lastError}
    where organization_id = ${organizationId} and id = ${id} and status = 'pending'`)
}

/** It is tried again after a while, and given up after some days. */
export async function postponeMail(
  db: Queryable,
  organizationId: string,
  id: string,
  lastError: string,
): Promise<void> {
  await db.run(sql`
    update mail set attempts = attempts + 1, last_error = ${lastError},
      next_attempt_at = now() + make_interval(secs => least(
        ${RETRY_SECONDS} * 2 ^ least(attempts, 20), ${RETRY_SECONDS_MAX})),
      status = case when created_at <= now() - make_interval(days => ${DELIVERY_DAYS_MAX})
        then 'failed' else 'pending' end,
      body = case when created_at <= now() - make_interval(days => ${DELIVERY_DAYS_MAX}) then null else body end
    where organization_id = ${organizationId} and id = ${id} and status = 'pending'`)
}

export interface MailPage {
  readonly afterId: string | null
  readonly limit: number
  readonly status: MailStatus | null
}

/** One page of mails in the order they were written. */
export async function listMails(db: Queryable, organizationId: string, page: MailPage): Promise<MailRow[]> {
  return await db.rows(sql<MailRow>`
    select * from mail
    where organization_id = ${organizationId}
      and id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and (${page.status}::text is null or status = ${page.status})
    order by id limit ${page.limit}`)
}
