import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { Level, RecordedActor } from '../access/permission.ts'

type InvitationStatus = 'pending' | 'accepted' | 'revoked' | 'expired'

/** A role that the acceptance of an invitation gives, with what names it and its place. */
interface InvitationGrantRow {
  role_id: string
  role_key: string | null
  role_name: string
  workspace_id: string | null
  workspace_slug: string | null
  project_id: string | null
  project_name: string | null
}

export interface InvitationRow {
  id: string
  email: string
  email_key: string
  level: Level
  /** As of now: one past its end is expired. */
  status: InvitationStatus
  invited_by_kind: RecordedActor['kind']
  invited_by_id: string | null
  created_at: string
  expires_at: string
  accepted_at: string | null
  revoked_at: string | null
  grants: InvitationGrantRow[]
}

/** A role and where an invitation gives it, as stored. */
export interface InvitationGrant {
  readonly roleId: string
  readonly workspaceId: string | null
  readonly projectId: string | null
}

const STATUS = new SqlFragment(
  `case when i.status = 'pending' and i.expires_at <= now() then 'expired' else i.status end`,
)
const INVITATION = new SqlFragment(`i.id, i.email, i.email_key, i.level, ${STATUS.text} as status,
      i.invited_by_kind, i.invited_by_id, i.created_at, i.expires_at, i.accepted_at, i.revoked_at,
      (select coalesce(json_agg(json_build_object('role_id', g.role_id, 'role_key', r.key, 'role_name', r.name,
          'workspace_id', g.workspace_id, 'workspace_slug', w.slug, 'project_id', g.project_id,
          'project_name', p.name) order by g.ordinal), '[]')
        from invitation_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        left join workspace w on w.organization_id = g.organization_id and w.id = g.workspace_id
        left join project p on p.organization_id = g.organization_id and p.id = g.project_id
        where g.organization_id = i.organization_id and g.invitation_id = i.id) as grants`)

export async function insertInvitation(
  tx: Transaction,
  organizationId: string,
  invitation: {
    id: string
    email: string
    emailKey: string
    level: Level
    invitedBy: RecordedActor
    now: Date
    expiresAt: Date
    grants: readonly InvitationGrant[]
  },
): Promise<void> {
  const { id, invitedBy, grants } = invitation
  await tx.run(sql`
    insert into invitation (organization_id, id, email, email_key, level, invited_by_kind, invited_by_id,
      created_at, expires_at)
    values (${organizationId}, ${id}, ${invitation.email}, ${invitation.emailKey}, ${invitation.level},
      ${invitedBy.kind}, ${invitedBy.id}, ${invitation.now}, ${invitation.expiresAt})`)
  if (grants.length === 0) return
  await tx.run(sql`
    insert into invitation_grant (organization_id, invitation_id, ordinal, role_id, workspace_id, project_id)
    select ${organizationId}, ${id}, g.ordinal, g.role_id, g.workspace_id, g.project_id
    from unnest(${grants.map(({ roleId }) => roleId)}::uuid[],
      ${grants.map(({ workspaceId }) => workspaceId)}::uuid[],
      ${grants.map(({ projectId }) => projectId)}::uuid[])
      with ordinality g (role_id, workspace_id, project_id, ordinal)`)
}

/** Stores as expired what is past its end, so that another invitation of the address can take its place. */
export async function retireExpiredInvitation(
  tx: Transaction,
  organizationId: string,
  emailKey: string,
): Promise<void> {
  await tx.run(sql`
    update invitation set status = 'expired'
    where organization_id = ${organizationId} and email_key = ${emailKey} and status = 'pending'
      and expires_at <= now()`)
}

export async function findInvitation(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<InvitationRow | undefined> {
  return await db.row(sql<InvitationRow>`
    select ${INVITATION} from invitation i where i.organization_id = ${organizationId} and i.id = ${id}`)
}

/** Locks an invitation until COMMIT. */
export async function lockInvitation(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(
    sql`select 1 from invitation where organization_id = ${organizationId} and id = ${id} for update`,
  )
}

export interface InvitationPage {
  afterId: string | null
  limit: number
  /** Null: every one. */
  statuses: readonly InvitationStatus[] | null
}

/** One page of invitations in the order of their creation, each with what it gives. */
export async function listInvitations(
  db: Queryable,
  organizationId: string,
  page: InvitationPage,
): Promise<InvitationRow[]> {
  return await db.rows(sql<InvitationRow>`
    select ${INVITATION} from invitation i
    where i.organization_id = ${organizationId}
      and i.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and (${page.statuses}::text[] is null or ${STATUS} = any (${page.statuses}))
    order by i.id limit ${page.limit}`)
}

export async function markInvitationRevoked(
  tx: Transaction,
  organizationId: string,
  id: string,
  now: Date,
): Promise<void> {
  await tx.run(sql`
    update invitation set status = 'revoked', revoked_at = ${now}
    where organization_id = ${organizationId} and id = ${id}`)
}
