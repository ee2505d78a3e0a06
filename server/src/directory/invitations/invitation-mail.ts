import type { Level } from '../access/permission.ts'
import type { MailBody } from '../outbox/outbox.ts'

/** What the mail of an invitation tells. */
export interface InvitationMail {
  readonly organizationName: string
  /** Null: to the organization as such. */
  readonly workspaceName: string | null
  readonly level: Level
  /** Null: nobody in particular, such as a program with the organization's own key. */
  readonly inviterName: string | null
  readonly inviterEmail: string | null
  readonly firstName: string | null
  readonly message: string | null
  readonly link: string
  readonly expiresAt: Date
}

const NAME_LENGTH_MAX = 100

// Controls and line ends would break out of a header or a line; direction marks would show what is not there.
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu
const UNSHOWN_BUT_LINE_ENDS = /[^\P{Cc}\n]|[\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** A name as one line of a bounded length. */
function oneLine(name: string): string {
  const line = name.toWellFormed().replace(UNSHOWN, ' ').replace(/ +/g, ' ').trim()
  return [...line].slice(0, NAME_LENGTH_MAX).join('')
}

function lines(text: string): string[] {
  const clean = text.toWellFormed().replace(/\r\n?/g, '\n').replace(UNSHOWN_BUT_LINE_ENDS, ' ')
  return clean.split('\n')
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]!)
}

/** `2026-11-25 10:00 UTC` */
function shownMoment(moment: Date): string {
  return `${moment.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** Subject, text and HTML; whatever came from people is one line, or escaped. */
export function renderInvitationMail(mail: InvitationMail): MailBody & { subject: string } {
  const organization = oneLine(mail.organizationName)
  const workspace = mail.workspaceName === null ? null : oneLine(mail.workspaceName)
  const inviter = mail.inviterName === null ? null : oneLine(mail.inviterName)
  const where = workspace === null ? organization : `${workspace} (${organization})`
  const rank = mail.level === 'member' ? '' : ` as an ${mail.level}`
  const from = mail.inviterEmail === null || mail.inviterEmail === inviter ? '' : ` (${mail.inviterEmail})`
  const subject = inviter === null ? `You are invited to ${where}` : `${inviter} invites you to ${where}`
  const greeting = mail.firstName === null ? 'Hello,' : `Hello ${oneLine(mail.firstName)},`
  const sentence =
    inviter === null
      ? `you are invited to join ${where}${rank}.`
      : `${inviter}${from} invites you to join ${where}${rank}.`
  const terms =
    `The link works once, for this address, until ${shownMoment(mail.expiresAt)}. Whoever has it can accept in ` +
    'your name, so keep it to yourself. If you did not expect this mail, you can ignore it.'
  const message = mail.message === null ? [] : lines(mail.message)
  const text = [
    ...[greeting, '', sentence, ''],
    ...(message.length === 0 ? [] : [...message.map((line) => `> ${line}`), '']),
    ...['Accept the invitation:', mail.link, '', terms, ''],
  ].join('\n')
  const quote =
    message.length === 0
      ? ''
      : `<blockquote style="margin:16px 0;padding-left:12px;border-left:3px solid #ccc">${message.map(escapeHtml).join('<br>')}</blockquote>\n`
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body style="font-family:sans-serif;font-size:16px;line-height:1.5;color:#222">
<p>${escapeHtml(greeting)}</p>
<p>${escapeHtml(sentence)}</p>
${quote}<p><a href="${escapeHtml(mail.link)}">Accept the invitation</a></p>
<p style="font-size:13px;color:#666">${escapeHtml(terms)}</p>
</body>
</html>
`
  return { subject, text, html }
}
