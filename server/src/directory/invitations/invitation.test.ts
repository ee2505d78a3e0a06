import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { change } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'
import { assertRefused, expireInvitation, type Inviting, openInviting } from '../../../test/inviting.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { removeMember, suspendMember } from '../members/lifecycle.ts'
import { createMember } from '../members/member.ts'
import { INVITATION_SECONDS_MAX, INVITATION_SECONDS_MIN } from '../organizations/settings.ts'
import { createRole } from '../roles/role.ts'
import { ORGANIZATION } from '../roles/target.ts'
import { createWorkspace } from '../workspaces/workspace.ts'
import { getInvitation, INVITATION_GRANTS_MAX } from './invitation.ts'

let database: Database
let acme: Inviting
before(async () => {
  ;({ database } = await freshDatabase({ poolSize: 24 }))
  acme = await openInviting(database)
})

const get = (id: string) => getInvitation(acme.reading(), id)
const workspace = () =>
  change(acme.world, (context) =>
    createWorkspace(context, {
      ...{ slug: `w${process.hrtime.bigint()}`, name: 'W', metadata: {}, purchasedSeats: null },
    }),
  )

async function changesOf(id: string): Promise<object[]> {
  return await database.rows(sql`
    select kind, detail from change where detail ->> 'invitation' = ${id} order by seq`)
}

describe('an invitation', () => {
  test('keeps what it is to give, in order, each once, with names', async () => {
    const [own, space] = [await acme.project(), await workspace()]
    const [onProject, onSpace] = [
      await acme.roleId('project', 'member'),
      await acme.roleId('workspace', 'guest'),
    ]
    const custom = await change(acme.world, (context) =>
      createRole(context, {
        ...{ of: ORGANIZATION, resource: 'organization', name: 'Bills', description: null, metadata: {} },
        permissions: ['invoices.approve'],
      }),
    )
    const row = await acme.invite({
      email: 'Ann@Acme.Example',
      level: 'admin',
      grants: [
        { roleId: onProject, projectId: own.id },
        { roleId: onSpace, workspaceId: space.id },
        { roleId: custom.id },
        { roleId: onProject, projectId: own.id, workspaceId: null },
      ],
    })
    assert.deepEqual([row.email, row.email_key], ['Ann@acme.example', 'ann@acme.example'])
    assert.deepEqual(
      [row.level, row.status, row.accepted_at, row.revoked_at],
      ['admin', 'pending', null, null],
    )
    assert.deepEqual([row.invited_by_kind, row.invited_by_id], ['root', null])
    const nowhere = { workspace_id: null, workspace_slug: null, project_id: null, project_name: null }
    assert.deepEqual(row.grants, [
      {
        ...{ ...nowhere, role_id: onProject, role_key: 'member', role_name: 'Member' },
        ...{ project_id: own.id, project_name: 'P' },
      },
      {
        ...{ ...nowhere, role_id: onSpace, role_key: 'guest', role_name: 'Guest' },
        ...{ workspace_id: space.id, workspace_slug: space.slug },
      },
      { ...nowhere, role_id: custom.id, role_key: null, role_name: 'Bills' },
    ])
    assert.deepEqual(await get(row.id), row)
  })

  test('is one change without the address, and opens nothing', async () => {
    const { id } = await acme.invite({ email: 'quiet@x.co' })
    const detail = { invitation: id, level: 'member' }
    assert.deepEqual(await changesOf(id), [{ kind: 'invitation.created', detail }])
    const [row] = await database.rows<{ text: string; opened_count: number }>(sql`
      select change::text as text, opened_count from change where detail ->> 'invitation' = ${id}`)
    assert.ok(!row!.text.includes('quiet'))
    assert.equal(row!.opened_count, 0)
  })

  test('names who invited: a member for a key that acts as one', async () => {
    const actor = await acme.memberKey('admin')
    const row = await acme.invite({}, actor)
    assert.deepEqual(
      [row.invited_by_kind, row.invited_by_id],
      ['member', 'memberId' in actor && actor.memberId],
    )
    const own = await acme.invite({}, acme.world.apiKey)
    assert.deepEqual(own.invited_by_kind, 'api_key')
  })

  test('ends after three days, or after as long as asked for within the limits', async () => {
    const lasts = async (expiresInSeconds?: number) => {
      const row = await acme.invite({ expiresInSeconds })
      return (Date.parse(row.expires_at) - Date.parse(row.created_at)) / 1000
    }
    assert.equal(await lasts(), 3 * 24 * 60 * 60)
    for (const seconds of [INVITATION_SECONDS_MIN, INVITATION_SECONDS_MAX]) {
      assert.equal(await lasts(seconds), seconds)
    }
    for (const seconds of [INVITATION_SECONDS_MIN - 1, INVITATION_SECONDS_MAX + 1, 60.5, Number.NaN]) {
      await assertRefused(acme.invite({ expiresInSeconds: seconds }), 'request.invalid', 'expires_in_seconds')
    }
    await assertRefused(acme.invite({ email: 'nobody' }), 'request.invalid', 'email')
  })

  test('gives as many roles as the limit allows', async () => {
    const role = await acme.roleId('project', 'viewer')
    const ids: string[] = []
    for (let count = 0; count <= INVITATION_GRANTS_MAX; count++) ids.push((await acme.project()).id)
    const grants = ids.map((projectId) => ({ roleId: role, projectId }))
    const row = await acme.invite({ grants: grants.slice(1) })
    assert.deepEqual(
      row.grants.map((grant) => grant.project_id),
      ids.slice(1),
    )
    await assertRefused(acme.invite({ grants }), 'request.invalid', 'grants')
    const both = { roleId: role, projectId: ids[0]!, workspaceId: (await workspace()).id }
    await assertRefused(acme.invite({ grants: [both] }), 'request.invalid', 'grants')
  })
})

describe('an address', () => {
  test('of an active or suspended member is not invited, of a removed one it is', async () => {
    const { id } = await change(acme.world, (context) => createMember(context, { email: 'bob@x.co' }))
    const again = () => acme.invite({ email: 'BOB@x.co' })
    await assertRefused(again(), 'invitation.already_member', 'email')
    await change(acme.world, (context) => suspendMember(context, id))
    await assertRefused(again(), 'invitation.already_member', 'email')
    await change(acme.world, (context) => removeMember(context, id))
    await again()
  })

  test('has one pending invitation, another one when that is revoked or past its end, and none as a member', async () => {
    const email = 'carl@x.co'
    const first = await acme.invite({ email })
    await assertRefused(acme.invite({ email: 'Carl@X.co' }), 'invitation.already_pending', 'email')
    await expireInvitation(database, first.id)
    assert.equal((await get(first.id)).status, 'expired')
    const second = await acme.invite({ email })
    // The one that gave way keeps its status when its own end is moved.
    await database.run(
      sql`update invitation set expires_at = now() + interval '1 day' where id = ${first.id}`,
    )
    assert.equal((await get(first.id)).status, 'expired')
    await acme.revoke(second.id)
    const third = await acme.invite({ email })
    await acme.accept(third.id)
    await assertRefused(acme.invite({ email }), 'invitation.already_member', 'email')
  })

  test('that 20 want to invite at once is invited once, new or after one that is past its end', async () => {
    const email = 'dora@x.co'
    for (const round of ['new', 'expired']) {
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => acme.invite({ email })))
      const won = results.filter((result) => result.status === 'fulfilled')
      const lost = results.filter((result) => result.status === 'rejected')
      assert.equal(won.length, 1, round)
      for (const { reason } of lost) assert.equal(reason.code, 'invitation.already_pending', String(reason))
      assert.equal((await changesOf(won[0]!.value.id)).length, 1)
      await expireInvitation(database, won[0]!.value.id)
    }
    const stored = await database.rows<{ status: string }>(sql`
      select status from invitation where email_key = ${email} order by id`)
    assert.deepEqual(
      stored.map(({ status }) => status),
      ['expired', 'pending'],
    )
  })

  test('may be invited by two organizations', async () => {
    const email = 'twice@x.co'
    await acme.invite({ email })
    await (await openInviting(database)).invite({ email })
  })
})

describe('revoking', () => {
  test('is one change, however many do it at once', async () => {
    const { id } = await acme.invite()
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => acme.revoke(id)))
    const won = results.filter((result) => result.status === 'fulfilled')
    const lost = results.filter((result) => result.status === 'rejected')
    assert.equal(won.length, 1)
    for (const { reason } of lost) assert.equal(reason.code, 'invitation.not_found', String(reason))
    const row = won[0]!.value
    assert.equal(row.status, 'revoked')
    assert.ok(row.revoked_at !== null)
    assert.deepEqual(await get(id), row)
    assert.deepEqual((await changesOf(id)).slice(1), [
      { kind: 'invitation.revoked', detail: { invitation: id } },
    ])
  })

  test('clears an expired invitation away, and leaves an accepted one', async () => {
    const [expired, accepted] = [await acme.invite(), await acme.invite()]
    await expireInvitation(database, expired.id)
    assert.equal((await acme.revoke(expired.id)).status, 'revoked')
    await acme.accept(accepted.id)
    await assertRefused(acme.revoke(accepted.id), 'invitation.wrong_status')
    assert.equal((await get(accepted.id)).status, 'accepted')
  })
})
