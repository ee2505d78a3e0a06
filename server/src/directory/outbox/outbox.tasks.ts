import type { Logger } from 'pino'
import type { Delivery, SmtpClient } from '../../platform/smtp.ts'
import { LeaseLost, type TaskHandler } from '../../platform/tasks/queue.ts'
import { endTask, rescheduleTask, type TaskRow } from '../../platform/tasks/task.sql.ts'
import type { Directory } from '../context.ts'
import {
  cancelExpiredMails,
  listDueMails,
  type MailRow,
  markMailFailed,
  markMailSent,
  postponeMail,
  RETRY_SECONDS,
  secondsUntilNextMail,
} from './mail.sql.ts'
import { openMail } from './outbox.ts'

/** Mails in one turn; then other organizations have theirs. */
const BATCH = 50

export interface MailDelivery {
  readonly smtp: SmtpClient
  /** What stands behind the @ of Message-ID. */
  readonly messageIdHost: string
  readonly log: Logger
}

/**
 * Delivers what is due of one organization. A mail is marked as sent after the mail server has taken it: who dies in
 * between sends it again, with the same Message-ID (docs/decisions/0013-mail.md).
 */
export function outboxHandler(directory: Directory, delivery: MailDelivery): TaskHandler {
  const { database } = directory
  return async (task) => {
    const organizationId = task.organization_id!
    await cancelExpiredMails(database, organizationId)
    const isReachable = await deliverDue(directory, delivery, organizationId)
    const wait = await secondsUntilNextMail(database, organizationId)
    await finish(directory, task, wait === undefined || isReachable ? wait : Math.max(wait, RETRY_SECONDS))
  }
}

async function finish({ database }: Directory, task: TaskRow, wait: number | undefined): Promise<void> {
  const held = await database.transaction((tx) =>
    wait === undefined ? endTask(tx, task) : rescheduleTask(tx, task, wait),
  )
  if (!held) throw new LeaseLost()
}

/** False if the mail server cannot be reached: then the rest is not tried either. */
async function deliverDue(
  directory: Directory,
  delivery: MailDelivery,
  organizationId: string,
): Promise<boolean> {
  for (const mail of await listDueMails(directory.database, organizationId, BATCH)) {
    const { outcome } = await deliver(directory, delivery, organizationId, mail)
    if (outcome === 'unreachable') return false
  }
  return true
}

async function deliver(
  { database, mailing }: Directory,
  { smtp, messageIdHost, log }: MailDelivery,
  organizationId: string,
  mail: MailRow,
): Promise<Delivery> {
  const body = await openMail(mailing, organizationId, mail)
  const result: Delivery =
    body === undefined
      ? { outcome: 'refused', reason: 'sealed with another encryption key', code: 'sealed' }
      : await smtp.send({
          messageId: `<${mail.id}@${messageIdHost}>`,
          to: mail.recipient,
          replyTo: mail.reply_to,
          subject: mail.subject,
          date: new Date(mail.created_at),
          ...body,
        })
  if (result.outcome === 'sent') {
    await markMailSent(database, organizationId, mail.id)
    return result
  }
  // What the server says may quote the address, which does not belong in a log.
  const { outcome, code } = result
  log.warn({ mail: mail.id, attempts: mail.attempts + 1, outcome, code }, 'a mail was not delivered')
  if (outcome === 'refused') await markMailFailed(database, organizationId, mail.id, result.reason)
  else await postponeMail(database, organizationId, mail.id, result.reason)
  return result
}
