import assert from 'node:assert/strict'
import { type Actor, type Level, recordedActor } from '#src/directory/access/permission.ts'
import type { ReadContext } from '#src/directory/context.ts'
import { DirectoryError } from '#src/directory/errors.ts'
import { type Acceptance, type Accepted, acceptInvitation } from '#src/directory/invitations/acceptance.ts'
import {
  createInvitation,
  type InvitationRow,
  type NewInvitation,
  revokeInvitation,
} from '#src/directory/invitations/invitation.ts'
import { createMember } from '#src/directory/members/member.ts'
import { listMails } from '#src/directory/outbox/outbox.ts'
import { createProject, type ProjectRow } from '#src/directory/projects/project.ts'
import { requirePredefinedRole } from '#src/directory/roles/role.ts'
import type { TargetKind } from '#src/directory/roles/target.ts'
import { createWorkspace, type WorkspaceRow } from '#src/directory/workspaces/workspace.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { change, openWorld, type World } from './campaigns/world.ts'
import { tokenOf } from './smtp-sink.ts'

let made = 0
/** An address that nobody has. */
const address = () => `p${++made}@x.co`

export type Inviting = Awaited<ReturnType<typeof openInviting>>

/** An organization that invites people; whatever is done without an actor is done by the root key. */
export async function openInviting(database: Database) {
  const world: World = await openWorld(database)
  const reading = (actor: Actor = world.root): ReadContext => ({
    ...{ db: database, actor, organizationId: world.organizationId },
  })
  return {
    world,
    reading,
    async invite(more: Partial<NewInvitation> = {}, actor: Actor = world.root): Promise<InvitationRow> {
      const input = { email: address(), level: 'member', grants: [], ...more } as const
      return await change(world, (context) => createInvitation(context, input), actor)
    },
    async revoke(id: string, actor: Actor = world.root): Promise<InvitationRow> {
      return await change(world, (context) => revokeInvitation(context, id), actor)
    },
    /** The token in the mail that waits for an invitee. */
    async token(id: string): Promise<string> {
      const { mailing } = world.directory
      const mails = await listMails(reading(), mailing, { afterId: null, limit: 1000, status: 'pending' })
      return tokenOf(mails.find((mail) => mail.about_id === id)!.body!)
    },
    /** Accepts an invitation with the token of its mail. */
    async accept(id: string, person: Acceptance = {}): Promise<Accepted> {
      return await acceptInvitation(world.directory, await this.token(id), person)
    },
    /** What a member holds now: `role on target`, with the kind of its source. */
    async held(memberId: string): Promise<string[]> {
      const rows = await database.rows(sql<{ held: string }>`
        select r.resource || ' ' || coalesce(r.key, r.name) || ' by ' || s.kind as held
        from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id
        where g.member_id = ${memberId} and g.ended_change is null`)
      return rows.map(({ held }) => held).toSorted()
    },
    async roleId(resource: TargetKind, key: string): Promise<string> {
      return (await requirePredefinedRole(reading(), resource, key)).id
    },
    async workspace(): Promise<WorkspaceRow> {
      const input = { slug: `w${++made}-${process.hrtime.bigint()}`, name: 'Space', metadata: {} }
      return await change(world, (context) => createWorkspace(context, { ...input, purchasedSeats: null }))
    },
    async project(): Promise<ProjectRow> {
      const input = { workspaceSlug: null, identifier: null, name: 'P', metadata: {} }
      return await change(world, (context) => createProject(context, input))
    },
    /** A key of a new member at some level, who holds some permissions on the organization beside it. */
    async memberKey(level: Level, permissions: string[] = []): Promise<Actor> {
      const { id } = await change(world, (context) => createMember(context, { email: address() }))
      const key = { kind: 'api_key', id, organizationId: world.organizationId, memberId: id } as const
      const actor: Actor = { ...key, scopes: ['*'], level, permissions }
      assert.deepEqual(recordedActor(actor), { kind: 'member', id })
      return actor
    },
  }
}

/** Moves the end of a pending invitation into the past. */
export async function expireInvitation(database: Database, id: string): Promise<void> {
  await database.run(sql`update invitation set expires_at = now() where id = ${id} and status = 'pending'`)
}

/** As if its latest mail had been written a while ago. */
export async function mailedLongAgo(database: Database, id: string): Promise<void> {
  await database.run(sql`update invitation set mailed_at = now() - interval '1 hour' where id = ${id}`)
}

export async function assertRefused(work: Promise<unknown>, code: string, field?: string): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof DirectoryError, String(error))
    assert.deepEqual([error.code, error.details.field], [code, field], error.message)
    return true
  })
}
