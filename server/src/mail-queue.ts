import { isIP } from 'node:net'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { Directory } from './directory/context.ts'
import { OUTBOX_TASK } from './directory/outbox/mail.sql.ts'
import { outboxHandler } from './directory/outbox/outbox.tasks.ts'
import { createSmtpClient } from './platform/smtp.ts'
import { createTaskQueue, type TaskQueue } from './platform/tasks/queue.ts'

/** Organizations whose mails are under way at once, and connections to the mail server. */
const LANES = 2

/** Who mails come from, if the settings do not say: nobody, at the host that people know this server by. */
export function defaultMailFrom(publicUrl: string): string {
  const { hostname } = new URL(publicUrl)
  // An address needs a name behind the @.
  return `Rollcall <no-reply@${isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : 'localhost'}>`
}

/**
 * Delivers mails while it runs. The lanes are its own: a mail server that hangs holds up nothing but mails.
 *
 * @param smtpUrl where the mails go
 */
export function openMailQueue(
  directory: Directory,
  { smtpUrl, mailFrom, log }: { smtpUrl: string; mailFrom: Config['mailFrom']; log: Logger },
): TaskQueue {
  let running: TaskQueue | undefined
  let closeClient = () => {}
  function open(): TaskQueue {
    const from = mailFrom ?? defaultMailFrom(directory.mailing.publicUrl())
    const smtp = createSmtpClient(smtpUrl, from, LANES)
    closeClient = smtp.close
    const messageIdHost = from.slice(from.lastIndexOf('@') + 1).replace(/>$/, '')
    const handler = outboxHandler(directory, { smtp, messageIdHost, log })
    return createTaskQueue({
      database: directory.database,
      log,
      lanes: LANES,
      handlers: { [OUTBOX_TASK]: handler },
    })
  }
  return {
    // Not before: who mails come from may depend on the address that is listened on.
    start() {
      running = open()
      running.start()
    },
    wake: () => running?.wake(),
    async stop(graceMillis) {
      await running?.stop(graceMillis)
      closeClient()
    },
  }
}
