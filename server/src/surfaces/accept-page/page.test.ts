import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { openBrowser, withoutBrowser } from '../../../test/browser.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { expireInvitation } from '../../../test/inviting.ts'
import { decodeId, idPrefixes } from '../http/prefixed-id.ts'

let app: TestApp
let acme: DirectoryClient
let url: string
const asked: { url: string; referer: string | undefined }[] = []
before(async () => {
  app = await startTestApp({ publicUrl: () => url })
  acme = directoryClient(app, (await app.organization('acme')).path)
  app.http.server.prependListener('request', (request) =>
    asked.push({ url: request.url!, referer: request.headers.referer }),
  )
  url = await app.http.listen({ host: '127.0.0.1', port: 0 })
})

describe('the page that accepts invitations', () => {
  it('loads and runs nothing but itself, is framed by nobody, and is kept nowhere', async () => {
    for (const path of ['/invitations/accept', '/invitations/accept/']) {
      const { status, headers, body } = await app.call('GET', path, { key: null })
      assert.equal(status, 200)
      assert.equal(headers['content-type'], 'text/html; charset=utf-8')
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      const policy = String(headers['content-security-policy'])
      for (const rule of [
        "default-src 'none'",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]) {
        assert.ok(policy.includes(rule), policy)
      }
      assert.ok(!/unsafe|\*|https?:/.test(policy), policy)
      for (const element of ['script', 'style']) {
        const parts = [...body.matchAll(new RegExp(`<${element}([^>]*)>(.*?)</${element}>`, 'gs'))]
        assert.equal(parts.length, 1)
        assert.equal(parts[0]![1], '', 'no source elsewhere')
        const digest = createHash('sha256').update(parts[0]![2]!).digest('base64')
        assert.ok(policy.includes(`${element}-src 'sha256-${digest}'`))
      }
      assert.ok(
        !/\b(src|href|action)=|\son\w+=|\sstyle=|https?:/.test(body),
        'nothing is loaded from anywhere',
      )
    }
  })
})

/** The link in the mail about an invitation. */
async function linkOf(invitation: { id: string }): Promise<string> {
  const { data } = await acme.get('/mails?limit=1000')
  const { body } = data.find((mail: { invitation: string }) => mail.invitation === invitation.id)
  return /^http\S+$/m.exec(body.text)![0]
}

describe('in a browser', { skip: withoutBrowser }, () => {
  /** Opens a link in a fresh window; what the page complains about fails the test. */
  async function visit(link: string): Promise<{ page: Page; problems: string[] }> {
    const page = await (await (await openBrowser()).newContext()).newPage()
    const problems: string[] = []
    page.on('console', (message) => {
      // A refusal of ours is logged by the browser as well.
      if (message.type() === 'error' && !message.text().includes('status of 4')) problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(link)
    return { page, problems }
  }
  const text = (page: Page, id: string) => page.locator(`#${id}`).innerText()

  it('the link of a mail shows who invites, takes the address, and makes a member', async () => {
    const name = 'Acme <b>&amp; Sons</b>'
    await acme.ok('PATCH', '', { name })
    const invitation = await acme.post('/invitations', {
      ...{ email: 'ann@people.example', first_name: '"><script>alert(1)</script>', level: 'admin' },
    })
    const link = await linkOf(invitation)
    const token = link.slice(link.indexOf('#') + 1)
    asked.length = 0
    const { page, problems } = await visit(link)
    await page.locator('#offer').waitFor()
    assert.equal(await text(page, 'to'), name)
    assert.equal(await text(page, 'rank'), ' as an admin')
    assert.equal(await text(page, 'for'), 'a***@people.example')
    assert.equal(await page.locator('#first').inputValue(), '"><script>alert(1)</script>')

    await page.locator('#email').fill('eve@people.example')
    await page.locator('#accept').click()
    await page.locator('#problem').waitFor()
    assert.equal(await text(page, 'problem'), 'This invitation was sent to another address.')

    await page.locator('#email').fill('ANN@people.example')
    await page.locator('#first').fill('Ann')
    await page.locator('#last').fill('Lee')
    await page.locator('#accept').click()
    await page.locator('#done').waitFor()
    assert.equal(await text(page, 'in'), name)
    assert.equal(page.url(), `${url}/invitations/accept`, 'the token is gone from the address')
    assert.deepEqual(problems, [])
    const { data } = await acme.get('/members?email=ann@people.example')
    assert.deepEqual([data[0].display_name, data[0].level], ['Ann Lee', 'admin'])

    assert.ok(asked.length >= 4)
    assert.ok(!JSON.stringify(asked).includes(token), 'no address and no Referer had the token')
    assert.deepEqual(
      asked.filter(({ referer }) => referer !== undefined),
      [],
    )

    const again = await visit(link)
    await again.page.locator('#problem').waitFor()
    assert.equal(await text(again.page, 'problem'), 'This invitation was used or taken back already.')
    assert.equal(await again.page.locator('#offer').isVisible(), false)
  })

  it('a link that does not work says why', async () => {
    const invitation = await acme.post('/invitations', { email: 'bob@people.example' })
    const link = await linkOf(invitation)
    await expireInvitation(app.database, decodeId(idPrefixes.invitation, invitation.id)!)
    for (const [broken, problem] of [
      [link, 'This invitation is past its end. Ask for a new one.'],
      [`${link}x`, 'This link is not valid. It may have been replaced by a newer mail.'],
      [
        link.slice(0, link.indexOf('#')),
        'This link is not valid. It may have been replaced by a newer mail.',
      ],
    ] as const) {
      const { page, problems } = await visit(broken)
      await page.locator('#problem').waitFor()
      assert.equal(await text(page, 'problem'), problem)
      assert.deepEqual(problems, [])
    }
  })
})
