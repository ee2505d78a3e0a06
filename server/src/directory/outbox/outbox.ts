import { requestTask } from '../../platform/tasks/task.sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { holdsPermission, ranksAsOwner, requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { EVERYTHING } from '../roles/predefined.ts'
import { sealSecret } from '../secrets.ts'
import {
  cancelMailsAbout,
  insertMails,
  listMails as listMailRows,
  type MailPage,
  type MailPurpose,
  type MailRow,
  OUTBOX_TASK,
} from './mail.sql.ts'
import type { Mailing } from './mailing.ts'

export interface MailBody {
  readonly text: string
  readonly html: string
}

export interface NewMail extends MailBody {
  readonly recipient: string
  /** Who is answered; null: nobody. */
  readonly replyTo: string | null
  readonly subject: string
  readonly purpose: MailPurpose
  /** What it is about: when that is over, the mail is not sent any more. */
  readonly aboutId: string
  /** From then on it is of no use to the recipient. */
  readonly expiresAt: Date
  /** It does not leave earlier. */
  readonly notBefore: Date
}

export { mailStatuses } from './mail.sql.ts'

/** @throws an error of ours where the operation was not opened to write mails */
export function requireMailing(context: Context): Mailing {
  if (context.mailing === undefined) throw new Error('this context has no outbox')
  return context.mailing
}

/** What a body belongs to: it opens for nothing else. */
const bodyOf = (organizationId: string, id: string) => ({ organizationId, table: 'mail', rowId: id })

/**
 * Writes mails in the operation's own transaction: they are sent if it commits, and never otherwise. A mail whose
 * subject is one is the caller's to make sure of: line ends are taken out of headers when it is sent.
 *
 * @throws {DirectoryError} encryption.unavailable
 */
export async function writeMails(context: Context, mails: readonly NewMail[]): Promise<void> {
  if (mails.length === 0) return
  const { db, organizationId, now } = context
  const mailing = requireMailing(context)
  const rows = await Promise.all(
    mails.map(async ({ text, html, ...mail }) => {
      const id = uuidV7()
      const body = await sealSecret(mailing, JSON.stringify({ text, html }), bodyOf(organizationId, id))
      return { ...mail, id, body }
    }),
  )
  await insertMails(db, organizationId, rows, now)
  await requestTask(db, { kind: OUTBOX_TASK, key: organizationId, organizationId })
}

/** Takes back what has not left about these things. */
export async function cancelMails(context: Context, aboutIds: readonly string[]): Promise<void> {
  if (aboutIds.length > 0) await cancelMailsAbout(context.db, context.organizationId, aboutIds)
}

/** The body of a mail; undefined once it is erased, or if it was encrypted with a key that is gone. */
export async function openMail(
  { encryption }: Mailing,
  organizationId: string,
  mail: Pick<MailRow, 'id' | 'body'>,
): Promise<MailBody | undefined> {
  if (mail.body === null) return undefined
  const text = await encryption.decrypt(mail.body, bodyOf(organizationId, mail.id)).catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as MailBody)
}

export type ListedMail = Omit<MailRow, 'body'> & { readonly body: MailBody | undefined }

/**
 * One page of mails in the order they were written. Where no mail server is set, those that wait have their bodies:
 * they are handed over by hand. A body has a link that works like a password for whatever was offered, so it takes
 * holding everything to read one.
 *
 * @throws {DirectoryError} permission.denied
 */
export async function listMails(
  context: ReadContext,
  mailing: Mailing,
  page: MailPage,
): Promise<ListedMail[]> {
  const { db, actor, organizationId } = context
  requirePermission(actor, 'organization:write')
  const mayOpen = !mailing.isDelivering && ranksAsOwner(actor) && holdsPermission(actor, EVERYTHING)
  const rows = await listMailRows(db, organizationId, page)
  return await Promise.all(
    rows.map(async (row) => ({
      ...row,
      body: mayOpen ? await openMail(mailing, organizationId, row) : undefined,
    })),
  )
}
