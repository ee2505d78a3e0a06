import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail as it arrived. */
interface ArrivedMail {
  /** The envelope. */
  readonly from: string
  readonly to: readonly string[]
  /** The whole text, with CRLF line ends. */
  readonly raw: string
  /** Unfolded, by lower-case name; a name that stands twice fails. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly html: string
}

/** A real mail server on this machine that takes every mail, unless a test wants otherwise. */
export interface SmtpSink {
  readonly url: string
  readonly mails: ArrivedMail[]
  /** Answers each recipient: an SMTP status to refuse with, or undefined. */
  refuse: (address: string) => number | undefined
  /** Whoever sends waits for this after the text, before the server says that it has it. */
  hold: Promise<void> | undefined
  /** Waits until so many mails are here. */
  arrived(count: number): Promise<ArrivedMail[]>
  close(): Promise<void>
}

const open = new Set<SmtpSink>()
after(async () => {
  for (const sink of open) await sink.close()
})

export async function startSmtpSink(port = 0, options: SMTPServerOptions = {}): Promise<SmtpSink> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    closeTimeout: 100,
    onRcptTo({ address }, _session, done) {
      const status = sink.refuse(address)
      if (status === undefined) return done()
      done(
        Object.assign(new Error(`${status === 550 ? 'no such mailbox' : 'come back later'} ${address}`), {
          responseCode: status,
        }),
      )
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks).toString()
        const { mailFrom, rcptTo } = session.envelope
        sink.mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw,
          ...parseMail(raw),
        })
        await sink.hold
        done()
      })
    },
    ...options,
  })
  // A client that is killed in the middle is what some tests are about.
  server.on('error', () => {})
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')
  const address = server.server.address() as AddressInfo
  const sink: SmtpSink = {
    url: `smtp://127.0.0.1:${address.port}`,
    mails: [],
    refuse: () => undefined,
    hold: undefined,
    async arrived(count) {
      for (let tries = 0; tries < 3000 && sink.mails.length < count; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      if (sink.mails.length < count) throw new Error(`only ${sink.mails.length} of ${count} mails arrived`)
      return sink.mails
    },
    async close() {
      if (!open.delete(sink)) return
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
  open.add(sink)
  return sink
}

function splitHeaders(raw: string): { headers: Record<string, string>; body: string } {
  const end = raw.indexOf('\r\n\r\n')
  const headers: Record<string, string> = {}
  for (const line of raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const [, name = '', value = ''] = /^([!-9;-~]+): ?(.*)$/.exec(line) ?? []
    if (name === '') throw new Error(`no header: ${JSON.stringify(line)}`)
    if (name.toLowerCase() in headers) throw new Error(`the header ${name} stands twice`)
    headers[name.toLowerCase()] = decodeWords(value)
  }
  return { headers, body: raw.slice(end + 4) }
}

function quotedPrintable(text: string): Buffer {
  const joined = text.replace(/=\r\n/g, '')
  return Buffer.from(
    joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

/** RFC 2047 encoded words in UTF-8. */
function decodeWords(value: string): string {
  return value
    .replace(/\?= =\?/g, '?==?')
    .replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, how: string, text: string) =>
      how.toLowerCase() === 'b'
        ? Buffer.from(text, 'base64').toString()
        : quotedPrintable(text.replaceAll('_', ' ')).toString(),
    )
}

function parseMail(raw: string): Pick<ArrivedMail, 'headers' | 'text' | 'html'> {
  const { headers, body } = splitHeaders(raw)
  const boundary = /boundary="([^"]+)"/.exec(headers['content-type'] ?? '')?.[1]
  const parts = boundary === undefined ? [] : body.split(`--${boundary}`).slice(1, -1)
  const found: Record<string, string> = {}
  for (const part of parts) {
    const one = splitHeaders(part.replace(/^\r\n/, ''))
    const encoding = one.headers['content-transfer-encoding']
    const content =
      encoding === 'base64'
        ? Buffer.from(one.body, 'base64')
        : encoding === 'quoted-printable'
          ? quotedPrintable(one.body)
          : Buffer.from(one.body)
    const type = /^text\/(plain|html)/.exec(one.headers['content-type'] ?? '')?.[1] ?? 'other'
    found[type] = content.toString().replaceAll('\r\n', '\n')
  }
  return { headers, text: found.plain ?? '', html: found.html ?? '' }
}

/** The token of the link in a mail. */
export function tokenOf(mail: { readonly text: string }): string {
  const token = /#(rcinv_[A-Za-z0-9_-]{43})$/m.exec(mail.text)?.[1]
  if (token === undefined) throw new Error(`no token in ${mail.text}`)
  return token
}
