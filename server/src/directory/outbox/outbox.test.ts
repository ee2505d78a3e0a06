import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'
import { assertRefused, type Inviting, openInviting } from '../../../test/inviting.ts'
import { testMailing } from '../../../test/mailing.ts'
import { tokenOf } from '../../../test/smtp-sink.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Actor } from '../access/permission.ts'
import { createInvitation } from '../invitations/invitation.ts'
import { sweep } from '../sweep.tasks.ts'
import { listMails } from './outbox.ts'

let database: Database
let acme: Inviting
before(async () => {
  ;({ database } = await freshDatabase({ poolSize: 4 }))
  acme = await openInviting(database)
})

const page = { afterId: null, limit: 1000, status: null }
/** The outbox as somebody reads it on a server without a mail server. */
const outbox = (actor?: Actor, mailing = acme.world.directory.mailing) =>
  listMails(acme.reading(actor), mailing, page)
const mailAbout = async (id: string, actor?: Actor, mailing?: ReturnType<typeof testMailing>) =>
  (await outbox(actor, mailing)).find((mail) => mail.about_id === id)!

describe('a mail', () => {
  test('is written if the operation commits, and never otherwise', async () => {
    const before = (await outbox()).length
    const input = { email: 'undone@x.co', level: 'member', grants: [] } as const
    await assert.rejects(
      change(acme.world, async (context) => {
        await createInvitation(context, input)
        throw new Error('rolled back')
      }),
    )
    assert.equal((await outbox()).length, before)
    await change(acme.world, (context) => createInvitation(context, input))
    assert.equal((await outbox()).length, before + 1)
  })

  test('is one of the outbox task, however many an organization writes', async () => {
    await acme.invite()
    await acme.invite()
    const { organizationId } = acme.world
    const tasks = await database.rows(sql`
      select key from task where kind = 'outbox' and organization_id = ${organizationId}`)
    assert.deepEqual(tasks, [{ key: organizationId }])
  })

  test('is kept readable where there is no mail server, but not in the tables', async () => {
    const { id } = await acme.invite({ message: 'a personal word' })
    const mail = await mailAbout(id)
    assert.deepEqual([mail.status, mail.purpose, mail.attempts], ['pending', 'invitation', 0])
    assert.ok(mail.body!.text.includes('a personal word'))
    tokenOf(mail.body!)
    const [stored] = await database.rows<{ text: string }>(sql`
      select subject || body as text from mail where about_id = ${id}`)
    assert.ok(!/rcinv_|personal/.test(stored!.text))
  })

  test('shows its body to nobody where mails are delivered', async () => {
    const { id } = await acme.invite()
    const { mailing } = acme.world.directory
    assert.equal((await mailAbout(id, undefined, { ...mailing, isDelivering: true })).body, undefined)
    const otherKey = testMailing()
    assert.equal((await mailAbout(id, undefined, otherKey)).body, undefined, 'sealed with another key')
  })

  test('is listed with organization:write; its link shows to who holds everything', async () => {
    const { id } = await acme.invite({ level: 'owner' })
    await assertRefused(outbox(await acme.memberKey('member', ['invitations:write'])), 'permission.denied')
    for (const actor of [
      await acme.memberKey('admin'),
      await acme.memberKey('member', ['organization:write']),
      { ...acme.world.apiKey, scopes: ['organization:write'] } as Actor,
    ]) {
      assert.equal((await mailAbout(id, actor)).body, undefined, 'an owner’s invitation makes an owner')
    }
    for (const actor of [await acme.memberKey('owner'), acme.world.apiKey]) {
      assert.ok((await mailAbout(id, actor)).body !== undefined)
    }
  })

  test('of another organization is in no list', async () => {
    const other = await openInviting(database)
    const { id } = await other.invite()
    assert.ok((await outbox()).every((mail) => mail.about_id !== id))
  })

  test('is erased once its invitation is accepted, handed over by hand as it may have been', async () => {
    const { id } = await acme.invite()
    await acme.accept(id)
    const mail = await mailAbout(id)
    assert.deepEqual([mail.status, mail.body], ['cancelled', undefined])
  })

  test('past its end is cancelled by the sweep, and its body erased', async () => {
    const [late, live] = [await acme.invite(), await acme.invite()]
    await database.run(sql`update mail set expires_at = now() where about_id = ${late.id}`)
    await sweep(acme.world.directory)
    const mail = await mailAbout(late.id)
    assert.deepEqual([mail.status, mail.body], ['cancelled', undefined])
    assert.equal((await mailAbout(live.id)).status, 'pending')
  })
})

describe('a list of mails', () => {
  test('has every status or one, page by page', async () => {
    const listed = await openInviting(database)
    const ids: string[] = []
    for (let count = 0; count < 5; count++) ids.push((await listed.invite()).id)
    await listed.revoke(ids[1]!)
    const list = async (status: 'pending' | 'cancelled' | null) => {
      const found: string[] = []
      for (let afterId: string | null = null; ; ) {
        const next = { afterId, limit: 2, status }
        const rows = await listMails(listed.reading(), listed.world.directory.mailing, next)
        found.push(...rows.map((row) => row.about_id))
        if (rows.length < 2) return found
        afterId = rows.at(-1)!.id
      }
    }
    assert.deepEqual(await list(null), ids)
    assert.deepEqual(await list('cancelled'), [ids[1]])
    assert.deepEqual(await list('pending'), ids.toSpliced(1, 1))
  })
})
