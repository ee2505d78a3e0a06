import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { assertRefused, type OpenaiClient, openaiClient } from '../../../test/openai-client.ts'
import { sql } from '../../platform/postgres/sql.ts'

let app: TestApp
let directory: DirectoryClient
let openai: OpenaiClient
let invites: OpenaiClient['organization']['invites']
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  const { key, path } = await app.organization('acme')
  directory = directoryClient(app, path)
  openai = await openaiClient(app, key)
  invites = openai.organization.invites
})

const UNKNOWN = 'invite-AZkAAAAAcACAAAAAAACrzQ'
let made = 0
const address = () => `invited-${++made}@acme.example`
const project = async () => (await openai.organization.projects.create({ name: 'P' })).id
/** What becomes of an invitation without a call: time passes, or the person accepts. */
const become = (email: string, status: 'accepted' | 'expired') =>
  app.database.run(
    status === 'expired'
      ? sql`update invitation set expires_at = now() - interval '1 second' where email = ${email}`
      : sql`update invitation set status = 'accepted', accepted_at = now() where email = ${email}`,
  )

describe('invites of the vendor’s client', () => {
  it('are created, retrieved and deleted, with exactly the documented fields', async () => {
    const [first, second, email] = [await project(), await project(), address()]
    const projects = [
      { id: first, role: 'owner' as const },
      { id: second, role: 'member' as const },
    ]
    const invite = await invites.create({ email, role: 'reader', projects })
    assert.match(invite.id, /^invite-[A-Za-z0-9_-]{22}$/)
    const { id, created_at, expires_at } = invite
    assert.ok(Math.abs(created_at - Date.now() / 1000) < 60 && expires_at! > created_at)
    const expected = {
      ...{ object: 'organization.invite', id, email, role: 'reader', status: 'pending' },
      ...{ created_at, expires_at, accepted_at: null, projects },
    }
    assert.deepEqual({ ...invite }, expected)
    assert.deepEqual({ ...(await invites.retrieve(id)) }, expected)
    const deleted = await invites.delete(id)
    assert.deepEqual({ ...deleted }, { object: 'organization.invite.deleted', id, deleted: true })
    await assertRefused(invites.retrieve(id), 404, 'not_found')
    await assertRefused(invites.delete(id), 404, 'not_found')
    const again = await invites.create({ email, role: 'owner', projects: [] })
    assert.deepEqual([again.role, again.projects], ['owner', []])
  })

  it('are of no project when none is named: there is no default project', async () => {
    assert.deepEqual((await invites.create({ email: address(), role: 'reader' })).projects, [])
  })

  it('show a project that is named twice once, with the higher role', async () => {
    const id = await project()
    const projects = (['member', 'owner', 'member'] as const).map((role) => ({ id, role }))
    const invite = await invites.create({ email: address(), role: 'reader', projects })
    assert.deepEqual(invite.projects, [{ id, role: 'owner' }])
  })

  it('are read through by the client, pending, accepted and expired ones, and not deleted ones', async () => {
    const { key } = await app.organization('lists')
    const client = (await openaiClient(app, key)).organization.invites
    const emails = Array.from({ length: 5 }, address)
    const ids: string[] = []
    for (const email of emails) ids.push((await client.create({ email, role: 'reader' })).id)
    await become(emails[0]!, 'expired')
    await become(emails[1]!, 'accepted')
    await client.delete(ids[2]!)
    const found = []
    for await (const invite of client.list({ limit: 2 })) found.push({ ...invite })
    assert.deepEqual(
      found.map(({ id, status }) => [id, status]),
      [
        [ids[0], 'expired'],
        [ids[1], 'accepted'],
        [ids[3], 'pending'],
        [ids[4], 'pending'],
      ],
    )
    assert.ok(found[1]!.accepted_at! >= found[1]!.created_at)
    assert.deepEqual(found[0], { ...(await client.retrieve(ids[0]!)) })
    // What is deleted between two pages keeps its place.
    const { body } = await app.call('GET', `/v1/organization/invites?limit=1&after=${ids[2]}`, { key })
    const page = { object: 'list', data: [found[2]], has_more: true, first_id: ids[3], last_id: ids[3] }
    assert.deepEqual(body, page)
  })
})

describe('an address', () => {
  it('is invited once at a time: 409, asked for once; and again when the invite is over', async () => {
    const email = address()
    await invites.create({ email, role: 'reader' })
    openai.sent.length = 0
    const again = invites.create({ email: email.toUpperCase(), role: 'reader' })
    await assertRefused(again, 409, 'already_exists', 'email')
    assert.equal(openai.sent.length, 1)
    await become(email, 'expired')
    assert.equal((await invites.create({ email, role: 'reader' })).status, 'pending')
  })

  it('of a user of the organization, enabled or not, is refused with 409', async () => {
    const { id, email } = await directory.member()
    await assertRefused(invites.create({ email, role: 'reader' }), 409, 'already_exists', 'email')
    await directory.post(`/members/${id}/suspend`)
    await assertRefused(invites.create({ email, role: 'reader' }), 409, 'already_exists', 'email')
    await directory.ok('DELETE', `/members/${id}`)
    assert.equal((await invites.create({ email, role: 'reader' })).email, email)
  })
})

describe('an invite that is accepted', () => {
  it('cannot be deleted: 400, and it stays; one that is expired can', async () => {
    const [accepted, expired] = [address(), address()]
    const { id } = await invites.create({ email: accepted, role: 'reader' })
    await become(accepted, 'accepted')
    await assertRefused(invites.delete(id), 400, 'invitation_wrong_status')
    assert.equal((await invites.retrieve(id)).status, 'accepted')
    const old = await invites.create({ email: expired, role: 'reader' })
    await become(expired, 'expired')
    assert.equal((await invites.delete(old.id)).deleted, true)
  })
})

describe('a request about invites that breaks a rule', () => {
  it('is refused by name, and invites nobody', async () => {
    const [id, archived, email] = [await project(), await project(), address()]
    await openai.organization.projects.archive(archived)
    const before = await databaseState(app.database)
    const cases: [object, number, string, string][] = [
      [{ role: 'reader' }, 400, 'invalid_value', 'email'],
      [{ email: 'nobody', role: 'reader' }, 400, 'invalid_value', 'email'],
      [{ email: `a@b@c.example`, role: 'reader' }, 400, 'invalid_value', 'email'],
      [{ email: 'a\u0000@b.example', role: 'reader' }, 400, 'invalid_value', 'email'],
      [{ email }, 400, 'invalid_value', 'role'],
      [{ email, role: 'member' }, 400, 'invalid_value', 'role'],
      [{ email, role: null }, 400, 'invalid_value', 'role'],
      [{ email, role: 'reader', projects: null }, 400, 'invalid_value', 'projects'],
      [{ email, role: 'reader', projects: id }, 400, 'invalid_value', 'projects'],
      [{ email, role: 'reader', projects: [id] }, 400, 'invalid_value', 'projects[0]'],
      [{ email, role: 'reader', projects: [{ id }] }, 400, 'invalid_value', 'projects[0].role'],
      [
        { email, role: 'reader', projects: [{ id, role: 'viewer' }] },
        ...([400, 'invalid_value', 'projects[0].role'] as const),
      ],
      [
        { email, role: 'reader', projects: Array.from({ length: 101 }, () => ({ id, role: 'member' })) },
        ...([400, 'invalid_value', 'projects'] as const),
      ],
      [
        { email, role: 'reader', projects: [{ id: 'proj_x', role: 'member' }] },
        ...([404, 'not_found', 'projects[0].id'] as const),
      ],
      [
        { email, role: 'reader', projects: [{ id: `proj_${UNKNOWN.slice(7)}`, role: 'member' }] },
        ...([404, 'not_found', 'projects'] as const),
      ],
      [
        { email, role: 'reader', projects: [{ id: archived, role: 'member' }] },
        ...([400, 'project_archived', 'projects'] as const),
      ],
    ]
    for (const [body, status, code, param] of cases) {
      await assertRefused(invites.create(body as never), status, code, param)
    }
    for (const unknown of [UNKNOWN, 'invite-x', 'x']) {
      await assertRefused(invites.retrieve(unknown), 404, 'not_found')
      await assertRefused(invites.delete(unknown), 404, 'not_found')
      await assertRefused(invites.list({ after: unknown }), 400, 'invalid_value', 'after')
    }
    for (const limit of [0, 101]) {
      await assertRefused(invites.list({ limit }), 400, 'invalid_value', 'limit')
    }
    assert.deepEqual(await databaseState(app.database), before)
  })

  it('gives nobody more than its key holds', async () => {
    const admin = await directory.member({ level: 'admin' })
    const key = await directory.key(['*'], { member_id: admin.id })
    const client = (await openaiClient(app, key)).organization.invites
    const owner = client.create({ email: address(), role: 'owner' })
    await assertRefused(owner, 403, 'insufficient_permissions', 'role')
    assert.equal((await client.create({ email: address(), role: 'reader' })).role, 'reader')
    const reader = await directory.key(['invitations:read'])
    const denied = (await openaiClient(app, reader)).organization.invites.create({
      ...{ email: address(), role: 'reader' },
    })
    await assertRefused(denied, 403, 'insufficient_permissions')
  })
})
