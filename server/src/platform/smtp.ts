import { createTransport } from 'nodemailer'

interface OutgoingMail {
  /** The same for every attempt, so that a mail that arrives twice is shown once. */
  readonly messageId: string
  readonly to: string
  readonly replyTo: string | null
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly date: Date
}

/**
 * What came of an attempt: the server has the mail; it refused it for good; it may take it later; or it could not be
 * asked about any mail at all.
 */
export type Delivery =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'refused' | 'later' | 'unreachable'; readonly reason: string; readonly code: string }

export interface SmtpClient {
  send(mail: OutgoingMail): Promise<Delivery>
  close(): void
}

const CONNECT_MILLIS = 10_000
const SILENCE_MILLIS = 30_000
/** However busy the server looks. */
const ATTEMPT_MILLIS = 60_000
const IDLE_MILLIS = 30_000
const REASON_LENGTH_MAX = 500

/** What a server answers to these is about the mail; what it answers to others is about us. */
const ABOUT_MAIL = /^(MAIL FROM|RCPT TO|DATA|BDAT)/
/** Of these, what is about the recipient or the text. A refused sender is a setting that can be mended. */
const ABOUT_RECIPIENT = /^(RCPT TO|DATA|BDAT)/

interface SmtpError extends Error {
  readonly code?: string
  readonly command?: string
  readonly responseCode?: number
}

function toDelivery(error: SmtpError): Delivery {
  const { command = '', responseCode = 0 } = error
  const code = responseCode > 0 ? String(responseCode) : (error.code ?? 'unknown')
  const failure = { reason: error.message.slice(0, REASON_LENGTH_MAX), code }
  if (!ABOUT_MAIL.test(command)) return { outcome: 'unreachable', ...failure }
  // RFC 5321 section 4.2.1: 5yz is for good, 4yz for now.
  const isFinal = responseCode >= 500 && ABOUT_RECIPIENT.test(command)
  return { outcome: isFinal ? 'refused' : 'later', ...failure }
}

/**
 * A client of one mail server. Connections are encrypted if the server offers it (`smtp://`), or from the start
 * (`smtps://`); they are kept open for a while, and there are as many as are used at once, up to `connections`.
 *
 * @param url with what nodemailer takes in it: user, password, `?tls.rejectUnauthorized=false`
 * @param from an address, or a name and an address
 */
export function createSmtpClient(url: string, from: string, connections: number): SmtpClient {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: connections,
    // The outbox tries again by itself, and writes down that it does.
    maxRequeues: 0,
    connectionTimeout: CONNECT_MILLIS,
    greetingTimeout: CONNECT_MILLIS,
    socketTimeout: SILENCE_MILLIS,
    idleTimeout: IDLE_MILLIS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(mail) {
      const { to, replyTo, ...message } = mail
      try {
        await transport.sendMail({
          ...message,
          from,
          // As objects: nothing of an address is parsed as a list of them.
          to: { name: '', address: to },
          ...(replyTo === null ? {} : { replyTo: { name: '', address: replyTo } }),
          // RFC 3834: nobody's holiday notice answers it.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(ATTEMPT_MILLIS),
        })
        return { outcome: 'sent' }
      } catch (error) {
        return toDelivery(error as SmtpError)
      }
    },
    close: () => transport.close(),
  }
}
