import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { freshDatabase } from '../../../test/harness.ts'
import {
  assertRefused,
  expireInvitation,
  type Inviting,
  mailedLongAgo,
  openInviting,
} from '../../../test/inviting.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Actor } from '../access/permission.ts'
import { updateOrganization } from '../organizations/organization.ts'
import { listMails } from '../outbox/outbox.ts'
import { archiveProject } from '../projects/project.ts'
import { acceptInvitation } from './acceptance.ts'
import { createInvitations, getInvitation, INVITATIONS_MAX, type NewInvitation } from './invitation.ts'
import { resendInvitation } from './resend.ts'

let database: Database
let acme: Inviting
before(async () => {
  ;({ database } = await freshDatabase({ poolSize: 24 }))
  acme = await openInviting(database)
})

const get = (id: string) => getInvitation(acme.reading(), id)
const resend = (id: string, actor?: Actor) =>
  change(acme.world, (context) => resendInvitation(context, id), actor)
const bulk = (inputs: NewInvitation[], actor?: Actor) =>
  change(acme.world, (context) => createInvitations(context, inputs), actor)
const accept = (token: string) => acceptInvitation(acme.world.directory, token, {})
const mailsAbout = async (id: string) => {
  const page = { afterId: null, limit: 1000, status: null }
  const mails = await listMails(acme.reading(), acme.world.directory.mailing, page)
  return mails.filter((mail) => mail.about_id === id).map(({ status }) => status)
}
let made = 0
const person = (more: Partial<NewInvitation> = {}): NewInvitation => ({
  ...{ email: `q${++made}@x.co`, level: 'member', grants: [] },
  ...more,
})
const count = async () => (await database.row(sql<{ n: number }>`select count(*) as n from invitation`))!.n

describe('a resend', () => {
  test('has a new token, and the old one dies; the end comes as long after it as at first', async () => {
    const { id } = await acme.invite({ expiresInSeconds: 3600 })
    const old = await acme.token(id)
    await mailedLongAgo(database, id)
    const row = await resend(id)
    const fresh = await acme.token(id)
    assert.notEqual(fresh, old)
    assert.deepEqual(await mailsAbout(id), ['cancelled', 'pending'])
    const lasts = (Date.parse(row.expires_at) - Date.parse(row.mailed_at!)) / 1000
    assert.equal(lasts, 3600)
    await assertRefused(accept(old), 'invitation.not_found')
    await accept(fresh)
  })

  test('comes once a minute at most, however many ask at once', async () => {
    const { id } = await acme.invite()
    const refused = await resend(id).catch((error) => error)
    assert.equal(refused.code, 'invitation.resent_too_soon')
    const { retry_after_seconds: wait } = refused.details.context
    assert.ok(wait > 50 && wait <= 60)
    await mailedLongAgo(database, id)
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => resend(id)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.deepEqual(await mailsAbout(id), ['cancelled', 'pending'])
  })

  test('brings one past its end back, unless another took its place', async () => {
    const { id, email } = await acme.invite()
    await mailedLongAgo(database, id)
    await expireInvitation(database, id)
    assert.equal((await resend(id)).status, 'pending')
    await expireInvitation(database, id)
    await mailedLongAgo(database, id)
    await acme.invite({ email })
    await assertRefused(resend(id), 'invitation.already_pending', 'email')
  })

  test('of what is accepted or revoked is refused', async () => {
    const [accepted, revoked] = [await acme.invite(), await acme.invite()]
    await acme.accept(accepted.id)
    await acme.revoke(revoked.id)
    for (const { id } of [accepted, revoked]) await assertRefused(resend(id), 'invitation.wrong_status')
    await assertRefused(resend(crypto.randomUUID()), 'invitation.not_found')
  })

  test('takes holding what is offered, as the invitation did; what has gone does not hinder it', async () => {
    const manager = await acme.memberKey('member', ['invitations:write'])
    const { id } = await acme.invite({ level: 'admin' })
    await mailedLongAgo(database, id)
    await assertRefused(resend(id, manager), 'role.permission_exceeded')
    await assertRefused(resend(id, await acme.memberKey('member')), 'permission.denied')
    const project = await acme.project()
    const grants = [{ roleId: await acme.roleId('project', 'admin'), projectId: project.id }]
    const onProject = await acme.invite({ grants })
    await mailedLongAgo(database, onProject.id)
    await assertRefused(resend(onProject.id, manager), 'role.permission_exceeded')
    await change(acme.world, (context) => archiveProject(context, project.id))
    await resend(onProject.id, manager)
  })

  test('of another organization is of nobody', async () => {
    const other = await openInviting(database)
    const { id } = await other.invite()
    await assertRefused(resend(id), 'invitation.not_found')
  })
})

describe('an invitation that is not mailed', () => {
  test('has no token before it is resent', async () => {
    const row = await acme.invite({ sendEmail: false })
    assert.equal(row.mailed_at, null)
    assert.deepEqual(await mailsAbout(row.id), [])
    const tokens = await database.rows(sql`select 1 from invitation_token where invitation_id = ${row.id}`)
    assert.deepEqual(tokens, [])
    assert.ok((await resend(row.id)).mailed_at !== null)
    await acme.accept(row.id)
  })
})

describe('the end of invitations', () => {
  test('is what the organization has set, where nothing else is asked for', async () => {
    const short = await openInviting(database)
    await change(short.world, (context) =>
      updateOrganization(context, { settings: { invitation_expiry_seconds: 120 } }),
    )
    const lasts = async (more = {}) => {
      const row = await short.invite(more)
      return (Date.parse(row.expires_at) - Date.parse(row.created_at)) / 1000
    }
    assert.deepEqual([await lasts(), await lasts({ expiresInSeconds: 600 })], [120, 600])
  })
})

describe('several invitations at once', () => {
  test('are one change, each with its own mail and token, in their order', async () => {
    const inputs = [person({ level: 'admin' }), person({ message: 'Hi' }), person({ sendEmail: false })]
    const rows = await bulk(inputs)
    assert.deepEqual(
      rows.map(({ email, level, message }) => [email, level, message]),
      inputs.map(({ email, level, message }) => [email, level, message ?? null]),
    )
    const changes = await database.rows(sql`
      select kind, detail from change where detail -> 'invitations' ->> 0 = ${rows[0]!.id}`)
    assert.deepEqual(changes, [
      { kind: 'invitations.created', detail: { invitations: rows.map(({ id }) => id) } },
    ])
    assert.deepEqual(await mailsAbout(rows[2]!.id), [])
    await acme.accept(rows[1]!.id)
    await acme.accept(rows[0]!.id)
  })

  test('are all made or none, and the refusal names the place', async () => {
    const { email: pending } = await acme.invite()
    const { email: member } = (await acme.accept((await acme.invite()).id)).member
    const admin = await acme.memberKey('admin')
    const viewer = await acme.roleId('project', 'viewer')
    const before = await count()
    const twice = person()
    const cases: [string, string, Partial<NewInvitation>][] = [
      ['request.invalid', 'invitations[2].email', { email: 'nobody' }],
      ['request.invalid', 'invitations[2].message', { message: 'x'.repeat(1001) }],
      ['request.invalid', 'invitations[2].first_name', { firstName: 'x'.repeat(256) }],
      ['request.invalid', 'invitations[2].expires_in_seconds', { expiresInSeconds: 59 }],
      ['invitation.already_pending', 'invitations[2].email', { email: pending }],
      ['invitation.already_pending', 'invitations[2].email', { email: twice.email.toUpperCase() }],
      ['invitation.already_member', 'invitations[2].email', { email: member! }],
      ['permission.denied', 'invitations[2].level', { level: 'owner' }],
      [
        'project.not_found',
        'invitations[2]',
        { grants: [{ roleId: viewer, projectId: crypto.randomUUID() }] },
      ],
      ['role.not_found', 'invitations[2]', { grants: [{ roleId: crypto.randomUUID() }] }],
    ]
    for (const [code, field, more] of cases) {
      await assertRefused(bulk([twice, person(), person(more)], admin), code, field)
    }
    await assertRefused(bulk([]), 'request.invalid', 'invitations')
    const many = Array.from({ length: INVITATIONS_MAX + 1 }, () => person())
    await assertRefused(bulk(many), 'request.invalid', 'invitations')
    assert.equal(await count(), before)
    assert.equal((await bulk(many.slice(1))).length, INVITATIONS_MAX)
  })

  test('take as many statements as one', async () => {
    const manager = await acme.memberKey('admin')
    const projects = [await acme.project(), await acme.project(), await acme.project()]
    const viewer = await acme.roleId('project', 'viewer')
    const grants = projects.map(({ id: projectId }) => ({ roleId: viewer, projectId }))
    const pending = Array.from({ length: 50 }, () => person())
    await bulk(pending)
    const counts: number[] = []
    for (const size of [1, 50]) {
      const again = pending.splice(0, size).map(({ email }) => person({ email, pending: 'combine', grants }))
      counts.push(await countStatements(database, () => bulk(again, manager)))
    }
    assert.equal(counts[0], counts[1])
    assert.ok(counts[0]! < 30, `${counts[0]} statements`)
  })
})

describe('a pending invitation of the same address and target', () => {
  test('gives way to one that replaces it, and what it offered is gone', async () => {
    const first = await acme.invite({ level: 'admin' })
    const token = await acme.token(first.id)
    const second = await acme.invite({ email: first.email, pending: 'replace' })
    assert.deepEqual([(await get(first.id)).status, second.level], ['revoked', 'member'])
    await assertRefused(accept(token), 'invitation.wrong_status')
    assert.deepEqual(await mailsAbout(first.id), ['cancelled'])
    await acme.accept(second.id)
  })

  test('is combined: the highest level by rank, and every role of either once', async () => {
    const viewer = await acme.roleId('project', 'viewer')
    const [one, two, three] = [await acme.project(), await acme.project(), await acme.project()]
    const on = (...ids: string[]) => ids.map((projectId) => ({ roleId: viewer, projectId }))
    const first = await acme.invite({ level: 'admin', grants: on(one.id, two.id) })
    const again = { email: first.email, pending: 'combine' } as const
    // By the alphabet, member would come after admin and owner after both.
    const second = await acme.invite({ ...again, level: 'member', grants: on(two.id, three.id) })
    assert.equal(second.level, 'admin')
    assert.deepEqual(
      second.grants.map((grant) => grant.project_id),
      [two.id, three.id, one.id],
    )
    assert.equal((await acme.invite({ ...again, level: 'owner' })).level, 'owner')
    assert.equal((await get(first.id)).status, 'revoked')
    const { detail } = (await database.row(sql<{ detail: object }>`
      select detail from change where detail ->> 'invitation' = ${second.id}`))!
    assert.deepEqual(detail, { invitation: second.id, level: 'admin', retired: [first.id] })
  })

  test('is combined only by who might make its offer as well, and stays pending otherwise', async () => {
    const { id, email } = await acme.invite({ level: 'admin' })
    const manager = await acme.memberKey('member', ['invitations:write'])
    await assertRefused(acme.invite({ email, pending: 'combine' }, manager), 'role.permission_exceeded')
    assert.equal((await get(id)).status, 'pending')
    const owner = await acme.invite({ level: 'owner' })
    const admin = await acme.memberKey('admin')
    const combined = acme.invite({ email: owner.email, pending: 'combine' }, admin)
    await assertRefused(combined, 'permission.denied', 'level')
    await acme.invite({ email: owner.email, pending: 'replace' }, admin)
  })

  test('is one, however many replace or combine it at once', async () => {
    for (const pending of ['replace', 'combine'] as const) {
      const { email } = await acme.invite()
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, () => acme.invite({ email, pending })),
      )
      const failed = results.filter((result) => result.status === 'rejected')
      assert.deepEqual(failed, [], 'they come one after another')
      const live = await database.rows(sql`
        select 1 from invitation where email_key = ${email} and status = 'pending'`)
      assert.equal(live.length, 1, pending)
    }
  })
})

describe('an invitation to a workspace', () => {
  const guest = async (workspaceId: string) => [
    { roleId: await acme.roleId('workspace', 'guest'), workspaceId },
  ]

  test('stands beside one to the organization and to another workspace, and needs a role there', async () => {
    const [one, two] = [await acme.workspace(), await acme.workspace()]
    const { email } = await acme.invite()
    for (const { id: workspaceId } of [one, two]) {
      const to = { email, workspaceId, grants: await guest(workspaceId) }
      const row = await acme.invite(to)
      assert.deepEqual([row.workspace_id, row.status], [workspaceId, 'pending'])
      await assertRefused(acme.invite(to), 'invitation.already_pending', 'email')
    }
    const missing = { email: 'r@x.co', workspaceId: one.id }
    await assertRefused(acme.invite(missing), 'request.invalid', 'role')
    await assertRefused(acme.invite({ ...missing, grants: await guest(two.id) }), 'request.invalid', 'role')
  })

  test('is for members of the organization as well, but not for those who are in it', async () => {
    const { id: workspaceId } = await acme.workspace()
    const { member } = await acme.accept((await acme.invite()).id)
    const to = { email: member.email!, workspaceId, grants: await guest(workspaceId) }
    const { id } = await acme.invite(to)
    const accepted = await acme.accept(id)
    assert.deepEqual([accepted.member.id, accepted.isNewMember], [member.id, false])
    assert.deepEqual(await acme.held(member.id), ['workspace guest by invitation'])
    await assertRefused(acme.invite(to), 'invitation.already_member', 'email')
  })

  test('is there once for 20 who want it at once', async () => {
    const { id: workspaceId } = await acme.workspace()
    const to = { email: 'crowd@x.co', workspaceId, grants: await guest(workspaceId) }
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => acme.invite(to)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) {
      if (result.status === 'rejected') assert.equal(result.reason.code, 'invitation.already_pending')
    }
  })
})
