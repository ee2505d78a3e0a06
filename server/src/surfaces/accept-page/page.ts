import { createHash } from 'node:crypto'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 10vh auto 0; max-width: 26rem; padding: 0 1rem }
label { display: block; margin: .75rem 0 }
input, button { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit }
button { margin-top: .5rem; cursor: pointer }
[hidden] { display: none }
#problem { color: #b00020 }
@media (prefers-color-scheme: dark) { #problem { color: #ff8a80 } }
`

// Runs in the browser. The token stays behind the #, which is sent to no server, and goes out in bodies only; what
// comes back is shown as text, never as HTML.
const SCRIPT = `
'use strict'
const element = (id) => document.getElementById(id)
const token = location.hash.slice(1)
const api = location.pathname.replace(/\\/invitations\\/accept\\/?$/, '') + '/directory/v1/'
const problems = {
  'invitation.not_found': 'This link is not valid. It may have been replaced by a newer mail.',
  'invitation.expired': 'This invitation is past its end. Ask for a new one.',
  'invitation.wrong_status': 'This invitation was used or taken back already.',
  'invitation.wrong_recipient': 'This invitation was sent to another address.',
  'invitation.inviter_unauthorized': 'Whoever invited you may not do so any more. Ask for a new invitation.',
  'member.wrong_status': 'Your membership is suspended. Ask an administrator.',
  'request.rate_limited': 'Too many tries. Wait a minute.',
}
function show(id) {
  for (const part of ['wait', 'offer', 'done']) element(part).hidden = part !== id
}
function fail(answer) {
  element('wait').hidden = true
  element('problem').hidden = false
  element('problem').textContent = problems[answer.code] || 'This did not work. Try again later.'
}
async function ask(path, body) {
  const options = {
    method: 'POST', cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer',
    headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token, ...body }),
  }
  const answer = await fetch(api + path, options).then(
    async (response) => ({ ok: response.ok, body: await response.json() }),
  ).catch(() => ({ ok: false, body: {} }))
  if (answer.ok) return answer.body
  fail(answer.body)
}
async function begin() {
  if (token === '') return fail({ code: 'invitation.not_found' })
  const offer = await ask('invitation_lookups', {})
  if (offer === undefined) return
  const { organization, workspace, level } = offer
  element('to').textContent = workspace === null ? organization.name : workspace.name + ' (' + organization.name + ')'
  element('rank').textContent = level === 'member' ? '' : ' as an ' + level
  element('for').textContent = offer.email
  element('first').value = offer.first_name || ''
  show('offer')
}
element('offer').addEventListener('submit', async (event) => {
  event.preventDefault()
  element('problem').hidden = true
  element('accept').disabled = true
  const names = { email: element('email').value.trim() }
  if (element('first').value.trim() !== '') names.first_name = element('first').value.trim()
  if (element('last').value.trim() !== '') names.last_name = element('last').value.trim()
  const accepted = await ask('invitation_acceptances', names)
  element('accept').disabled = false
  if (accepted === undefined) return
  // It is of no use any more, and has no business in the history.
  history.replaceState(null, '', location.pathname)
  element('in').textContent = accepted.organization.name
  show('done')
})
begin()
`

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The page that a link of an invitation leads to. It has nobody's data in it, and is the same for everybody. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Invitation</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Invitation</h1>
<p id="problem" role="alert" hidden></p>
<p id="wait">One moment …</p>
<form id="offer" hidden>
<p>You are invited to join <strong id="to"></strong><span id="rank"></span>. The invitation was sent to <span id="for"></span>.</p>
<label>Your email address<input id="email" type="email" autocomplete="email" maxlength="320" required></label>
<label>First name<input id="first" autocomplete="given-name" maxlength="255"></label>
<label>Last name<input id="last" autocomplete="family-name" maxlength="255"></label>
<button id="accept">Accept the invitation</button>
</form>
<p id="done" hidden>You are a member of <strong id="in"></strong> now. You can close this page.</p>
<noscript><p>This page needs JavaScript: the link's secret is never sent as part of an address.</p></noscript>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`

/** Nothing but what stands in the page itself runs or loads; it talks to this server only, and nobody frames it. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    ...[
      "default-src 'none'",
      `script-src ${hashOf(SCRIPT)}`,
      `style-src ${hashOf(STYLE)}`,
      "connect-src 'self'",
    ],
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
}
