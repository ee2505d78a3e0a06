import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { RecordedActor } from '../access/permission.ts'

/** An invitation as one to a workspace: with the role it gives there. */
export interface WorkspaceInvitationRow {
  id: string
  email: string
  /** As of now: one past its end is expired. */
  status: 'pending' | 'accepted' | 'expired'
  created_at: string
  accepted_at: string | null
  role_id: string
  role_key: string | null
  role_name: string
}

/** The invitations that give a role on a workspace, in the order of their creation; revoked ones are gone. */
export async function listWorkspaceInvitations(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  id: string | null,
): Promise<WorkspaceInvitationRow[]> {
  return await db.rows(sql<WorkspaceInvitationRow>`
    select i.id, i.email,
      case when i.status = 'pending' and i.expires_at <= now() then 'expired' else i.status end as status,
      i.created_at, i.accepted_at, given.role_id, given.role_key, given.role_name
    from invitation i
    join lateral (
      select r.id as role_id, r.key as role_key, r.name as role_name from invitation_grant g
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      where g.organization_id = i.organization_id and g.invitation_id = i.id and g.workspace_id = ${workspaceId}
      order by g.ordinal limit 1
    ) given on true
    where i.organization_id = ${organizationId} and i.status <> 'revoked'
      and (${id}::uuid is null or i.id = ${id})
    order by i.id`)
}

/** Makes an invitation give another role on a workspace in place of those it gave there, as an offer of who changes it. */
export async function updateInvitedRole(
  tx: Transaction,
  organizationId: string,
  invitation: { id: string; workspaceId: string; roleId: string; invitedBy: RecordedActor },
): Promise<void> {
  const { id, workspaceId, roleId, invitedBy } = invitation
  await tx.run(sql`
    with gone as (
      delete from invitation_grant g
      where g.organization_id = ${organizationId} and g.invitation_id = ${id} and g.workspace_id = ${workspaceId}
        and exists (
          select 1 from invitation_grant lower
          where lower.organization_id = g.organization_id and lower.invitation_id = g.invitation_id
            and lower.workspace_id = g.workspace_id and lower.ordinal < g.ordinal)
      returning g.ordinal
    ), offered as (
      update invitation set invited_by_kind = ${invitedBy.kind}, invited_by_id = ${invitedBy.id}::uuid
      where organization_id = ${organizationId} and id = ${id}
    )
    update invitation_grant g set role_id = ${roleId}
    where g.organization_id = ${organizationId} and g.invitation_id = ${id} and g.workspace_id = ${workspaceId}
      and g.ordinal not in (select ordinal from gone)`)
}
