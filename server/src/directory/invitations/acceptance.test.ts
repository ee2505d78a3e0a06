import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { untilWaiting } from '../../../test/campaigns/pauses.ts'
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
import type { Context } from '../context.ts'
import { reactivateMember, removeMember, suspendMember } from '../members/lifecycle.ts'
import { createMember } from '../members/member.ts'
import { deleteOrganization } from '../organizations/organization.ts'
import { archiveProject } from '../projects/project.ts'
import { createRole, deleteRole } from '../roles/role.ts'
import { ORGANIZATION } from '../roles/target.ts'
import { acceptInvitation, lookUpInvitation } from './acceptance.ts'
import { getInvitation, revokeInvitation } from './invitation.ts'
import { resendInvitation } from './resend.ts'

let database: Database
let acme: Inviting
before(async () => {
  ;({ database } = await freshDatabase({ poolSize: 24 }))
  acme = await openInviting(database)
})

const get = (id: string) => getInvitation(acme.reading(), id)
const resend = (id: string) => change(acme.world, (context) => resendInvitation(context, id))
const accept = (token: string, person = {}) => acceptInvitation(acme.world.directory, token, person)
const lookUp = (token: string) => lookUpInvitation(acme.world.directory, token)

async function lastChange() {
  const row = await database.row(sql<Record<string, unknown>>`
    select kind, actor_kind, actor_id, cause_kind, cause_id, member_id, opened_count, ended_count, detail
    from change where organization_id = ${acme.world.organizationId} order by seq desc limit 1`)
  return row!
}

async function outcomes<T>(works: Promise<T>[]) {
  const results = await Promise.allSettled(works)
  const codes = results.map((one) => (one.status === 'fulfilled' ? 'done' : String(one.reason.code)))
  return codes.toSorted()
}

const custom = () =>
  change(acme.world, (context) =>
    createRole(context, {
      ...{ of: ORGANIZATION, resource: 'organization', description: null, metadata: {} },
      ...{ name: `Custom ${process.hrtime.bigint()}`, permissions: ['invoices.approve'] },
    }),
  )

describe('who accepts an invitation', () => {
  test('becomes a member with all that was offered, from a source of its own', async () => {
    const [project, space] = [await acme.project(), await acme.workspace()]
    const role = await custom()
    const grants = [
      { roleId: await acme.roleId('project', 'member'), projectId: project.id },
      { roleId: await acme.roleId('workspace', 'guest'), workspaceId: space.id },
      { roleId: role.id },
    ]
    const { id } = await acme.invite({ email: 'Ann@x.co', level: 'admin', grants, firstName: 'Ann' })
    const accepted = await acme.accept(id, { email: 'ANN@X.co', lastName: 'Lee' })
    const { member } = accepted
    assert.deepEqual(
      [member.email, member.first_name, member.last_name, member.status, member.level],
      ['Ann@x.co', 'Ann', 'Lee', 'active', 'admin'],
    )
    assert.deepEqual([accepted.isNewMember, accepted.skipped], [true, []])
    assert.deepEqual(await acme.held(member.id), [
      ...[`organization ${role.name} by invitation`, 'organization admin by invitation'],
      ...['project member by invitation', 'workspace guest by invitation'],
    ])
    const sources = await database.rows<{ ref: string }>(sql`
      select distinct s.ref from role_grant g join grant_source s on s.id = g.source_id
      where g.member_id = ${member.id}`)
    assert.deepEqual(sources, [{ ref: id }])
    const row = await get(id)
    assert.deepEqual([row.status, row.member_id], ['accepted', member.id])
    assert.ok(row.accepted_at !== null)
    assert.deepEqual(await lastChange(), {
      ...{ kind: 'invitation.accepted', actor_kind: 'member', actor_id: member.id, member_id: member.id },
      ...{ cause_kind: 'invitation', cause_id: id, opened_count: 4, ended_count: 0 },
      detail: { invitation: id, level: 'admin', new_member: true },
    })
  })

  test('does so once: the token is dead, and of 20 at once one wins', async () => {
    const { id } = await acme.invite()
    const token = await acme.token(id)
    const codes = await outcomes(Array.from({ length: 20 }, () => accept(token)))
    assert.deepEqual(codes, ['done', ...Array.from({ length: 19 }, () => 'invitation.wrong_status')])
    const changes = await database.rows(sql`
      select 1 from change where kind = 'invitation.accepted' and cause_id = ${id}`)
    assert.equal(changes.length, 1)
    await assertRefused(accept(token), 'invitation.wrong_status')
    await assertRefused(lookUp(token), 'invitation.wrong_status')
  })

  test('has to have the address that was invited', async () => {
    const { id } = await acme.invite({ email: 'carl@x.co' })
    for (const email of ['dora@x.co', 'carl@x.co.evil.example', 'carl@x.co,dora@x.co', ' carl@x.co', '']) {
      await assertRefused(acme.accept(id, { email }), 'invitation.wrong_recipient', 'email')
    }
    assert.equal((await get(id)).status, 'pending')
    await acme.accept(id, { email: 'CARL@X.CO' })
  })

  test('needs the token itself, not another, an id or a part of it', async () => {
    const { id } = await acme.invite()
    const token = await acme.token(id)
    const other = `rcinv_${Buffer.alloc(32).toString('base64url')}`
    for (const wrong of ['', id, other, token.slice(0, -1), `${token}A`, token.toLowerCase(), ` ${token}`]) {
      await assertRefused(accept(wrong), 'invitation.not_found')
      await assertRefused(lookUp(wrong), 'invitation.not_found')
    }
    await accept(token)
  })

  test('is too late after its end, and in a deleted organization', async () => {
    const { id } = await acme.invite()
    const token = await acme.token(id)
    await expireInvitation(database, id)
    await assertRefused(accept(token), 'invitation.expired')
    await assertRefused(lookUp(token), 'invitation.expired')

    const gone = await openInviting(database)
    const theirs = await gone.invite()
    const theirToken = await gone.token(theirs.id)
    await change(gone.world, (context) => deleteOrganization(context))
    await assertRefused(accept(theirToken), 'invitation.not_found')
    await assertRefused(lookUp(theirToken), 'invitation.not_found')
  })

  test('and was a member already keeps what they had, and never falls in level', async () => {
    const invitation = await acme.invite({ email: 'eve@x.co', grants: [{ roleId: (await custom()).id }] })
    const owner = await change(acme.world, (context) =>
      createMember(context, { email: 'eve@x.co', level: 'owner', displayName: 'Eve' }),
    )
    const accepted = await acme.accept(invitation.id, { displayName: 'Somebody' })
    assert.deepEqual([accepted.isNewMember, accepted.member.id], [false, owner.id])
    assert.deepEqual([accepted.member.level, accepted.member.display_name], ['owner', 'Eve'])
    assert.equal((await acme.held(owner.id)).length, 2)

    const raised = await acme.invite({ email: 'fay@x.co', level: 'admin' })
    const fay = await change(acme.world, (context) => createMember(context, { email: 'fay@x.co' }))
    assert.equal((await acme.accept(raised.id)).member.level, 'admin')
    assert.deepEqual(await acme.held(fay.id), ['organization admin by invitation'])
  })

  test('and is suspended gets nothing before somebody makes them active', async () => {
    const { id } = await acme.invite({ email: 'gil@x.co', level: 'admin' })
    const gil = await change(acme.world, (context) => createMember(context, { email: 'gil@x.co' }))
    await change(acme.world, (context) => suspendMember(context, gil.id))
    await assertRefused(acme.accept(id), 'member.wrong_status')
    assert.deepEqual([await acme.held(gil.id), (await get(id)).status], [[], 'pending'])
    await change(acme.world, (context) => reactivateMember(context, gil.id))
    assert.equal((await acme.accept(id)).member.id, gil.id)
  })

  test('and was removed once is a new member with an id of their own', async () => {
    const old = await change(acme.world, (context) =>
      createMember(context, { email: 'hal@x.co', level: 'admin' }),
    )
    await change(acme.world, (context) => removeMember(context, old.id))
    const { id } = await acme.invite({ email: 'hal@x.co' })
    const { member, isNewMember } = await acme.accept(id)
    assert.ok(isNewMember && member.id !== old.id)
    assert.deepEqual([member.level, await acme.held(member.id)], ['member', []])
  })

  test('is told by name what cannot be given any more, and gets the rest', async () => {
    const [live, archived] = [await acme.project(), await acme.project()]
    const [viewer, role] = [await acme.roleId('project', 'viewer'), await custom()]
    const grants = [
      { roleId: viewer, projectId: archived.id },
      { roleId: role.id },
      { roleId: viewer, projectId: live.id },
    ]
    const { id } = await acme.invite({ grants })
    await change(acme.world, (context) => archiveProject(context, archived.id))
    await change(acme.world, (context) => deleteRole(context, role.id))
    const { member, skipped } = await acme.accept(id)
    assert.deepEqual(
      skipped.map(({ grant, reason }) => [grant.role_name, grant.project_id, reason]),
      [
        ['Viewer', archived.id, 'project_archived'],
        [role.name, null, 'role_deleted'],
      ],
    )
    assert.deepEqual(await acme.held(member.id), ['project viewer by invitation'])
  })

  test('ends the other pending invitations of the address here, not elsewhere', async () => {
    const email = 'ida@x.co'
    const space = await acme.workspace()
    const grants = [{ roleId: await acme.roleId('workspace', 'guest'), workspaceId: space.id }]
    const first = await acme.invite({ email })
    const second = await acme.invite({ email, workspaceId: space.id, grants })
    const secondToken = await acme.token(second.id)
    const other = await openInviting(database)
    const elsewhere = await other.invite({ email })
    await acme.accept(first.id)
    assert.equal((await get(second.id)).status, 'revoked')
    await assertRefused(accept(secondToken), 'invitation.wrong_status')
    await other.accept(elsewhere.id)
  })

  test('takes as many statements for a hundred roles as for one', async () => {
    const viewer = await acme.roleId('project', 'viewer')
    const counts: number[] = []
    for (const size of [1, 100]) {
      const grants: { roleId: string; projectId: string }[] = []
      while (grants.length < size) grants.push({ roleId: viewer, projectId: (await acme.project()).id })
      const token = await acme.token((await acme.invite({ grants })).id)
      counts.push(await countStatements(database, () => accept(token)))
    }
    assert.equal(counts[0], counts[1])
  })
})

describe('who is removed', () => {
  test('does not come back by an invitation that was pending, and can be invited again', async () => {
    const email = 'jon@x.co'
    const space = await acme.workspace()
    const { member } = await acme.accept((await acme.invite({ email })).id)
    const grants = [{ roleId: await acme.roleId('workspace', 'guest'), workspaceId: space.id }]
    const { id } = await acme.invite({ email, workspaceId: space.id, grants })
    const token = await acme.token(id)
    await change(acme.world, (context) => removeMember(context, member.id))
    assert.equal((await get(id)).status, 'revoked')
    await assertRefused(accept(token), 'invitation.wrong_status')
    await acme.accept((await acme.invite({ email })).id)
  })
})

describe('an acceptance that meets another operation', () => {
  /** Does something and leaves its transaction open while the token is accepted. */
  async function acceptDuring(token: string, work: (context: Context) => Promise<unknown>): Promise<string> {
    const done = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const committed = change(acme.world, async (context) => {
      await work(context)
      done.resolve()
      await release.promise
    })
    await done.promise
    const accepted = outcomes([accept(token)])
    await untilWaiting(database, 1)
    release.resolve()
    await committed
    return (await accepted)[0]!
  }

  test('half-way sees what that has done', async () => {
    const [revoked, resent] = [await acme.invite(), await acme.invite()]
    const revocation = (context: Context) => revokeInvitation(context, revoked.id)
    assert.equal(await acceptDuring(await acme.token(revoked.id), revocation), 'invitation.wrong_status')
    await mailedLongAgo(database, resent.id)
    const resending = (context: Context) => resendInvitation(context, resent.id)
    assert.equal(await acceptDuring(await acme.token(resent.id), resending), 'invitation.not_found')

    const email = 'kim@x.co'
    const invited = await acme.invite({ email })
    const kim = await change(acme.world, (context) => createMember(context, { email }))
    const removal = (context: Context) => removeMember(context, kim.id)
    assert.equal(await acceptDuring(await acme.token(invited.id), removal), 'invitation.wrong_status')

    const project = await acme.project()
    const grants = [{ roleId: await acme.roleId('project', 'viewer'), projectId: project.id }]
    const offered = await acme.invite({ grants })
    const archiving = (context: Context) => archiveProject(context, project.id)
    assert.equal(await acceptDuring(await acme.token(offered.id), archiving), 'done')
    assert.deepEqual(await acme.held((await get(offered.id)).member_id!), [])

    const role = await custom()
    const withRole = await acme.invite({ grants: [{ roleId: role.id }] })
    const deletion = (context: Context) => deleteRole(context, role.id)
    assert.equal(await acceptDuring(await acme.token(withRole.id), deletion), 'done')
    assert.deepEqual(await acme.held((await get(withRole.id)).member_id!), [])
  })

  test('is refused after a revocation, and stands before one', async () => {
    for (let round = 0; round < 20; round++) {
      const { id } = await acme.invite()
      const token = await acme.token(id)
      const codes = await outcomes<unknown>([accept(token), acme.revoke(id)])
      assert.deepEqual(codes, ['done', 'invitation.wrong_status'])
      const { status, member_id: memberId } = await get(id)
      assert.equal(status === 'accepted', memberId !== null)
    }
  })

  test('is refused after a resend, whose new token works', async () => {
    for (let round = 0; round < 20; round++) {
      const { id } = await acme.invite()
      const token = await acme.token(id)
      await mailedLongAgo(database, id)
      const [accepted, resent] = await Promise.allSettled([accept(token), resend(id)])
      if (accepted.status === 'fulfilled') {
        assert.equal(resent.status === 'rejected' && resent.reason.code, 'invitation.wrong_status')
      } else {
        assert.equal(accepted.reason.code, 'invitation.not_found')
        assert.equal(resent.status, 'fulfilled')
        await acme.accept(id)
      }
    }
  })

  test('of another invitation of the address makes one member, and one of the two is over', async () => {
    const roleId = await acme.roleId('workspace', 'guest')
    for (let round = 0; round < 10; round++) {
      const email = `both${round}@x.co`
      const { id: workspaceId } = await acme.workspace()
      const first = await acme.invite({ email })
      const second = await acme.invite({ email, workspaceId, grants: [{ roleId, workspaceId }] })
      const tokens = [await acme.token(first.id), await acme.token(second.id)]
      assert.deepEqual(await outcomes(tokens.map((token) => accept(token))), [
        'done',
        'invitation.wrong_status',
      ])
      const members = await database.rows(sql`select 1 from member where email_key = ${email}`)
      assert.equal(members.length, 1)
    }
  })

  test('gives to who becomes a member at the same moment', async () => {
    for (let round = 0; round < 10; round++) {
      const email = `same${round}@x.co`
      const { id } = await acme.invite({ email, level: 'admin' })
      const token = await acme.token(id)
      const made = change(acme.world, (context) => createMember(context, { email }))
      const [created, accepted] = await Promise.allSettled([made, accept(token)])
      assert.equal(accepted.status, 'fulfilled')
      if (created.status === 'rejected') assert.equal(created.reason.code, 'member.email_taken')
      const members = await database.rows<{ id: string }>(
        sql`select id from member where email_key = ${email}`,
      )
      assert.equal(members.length, 1)
      assert.deepEqual(await acme.held(members[0]!.id), ['organization admin by invitation'])
    }
  })
})
