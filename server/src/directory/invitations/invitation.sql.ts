import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { Level, RecordedActor } from '../access/permission.ts'

export const invitationStatuses = ['pending', 'accepted', 'revoked', 'expired'] as const
type InvitationStatus = (typeof invitationStatuses)[number]

/** A role that the acceptance of an invitation gives, with what names it and its place. */
export interface InvitationGrantRow {
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
  /** What it is to; null: the organization. */
  workspace_id: string | null
  workspace_slug: string | null
  workspace_name: string | null
  first_name: string | null
  message: string | null
  /** As of now: one past its end is expired. */
  status: InvitationStatus
  invited_by_kind: RecordedActor['kind']
  invited_by_id: string | null
  created_at: string
  expires_at: string
  lifetime_seconds: number
  /** When its latest mail was written; null: none was. */
  mailed_at: string | null
  accepted_at: string | null
  revoked_at: string | null
  /** Who accepted it. */
  member_id: string | null
  grants: InvitationGrantRow[]
}

/** A role and where an invitation gives it, as stored. */
export interface InvitationGrant {
  readonly roleId: string
  readonly workspaceId: string | null
  readonly projectId: string | null
}

/** An address, and what it is invited to: pending invitations are unique by the two. */
export interface Invitee {
  readonly emailKey: string
  readonly workspaceId: string | null
}

const STATUS = new SqlFragment(
  `case when i.status = 'pending' and i.expires_at <= now() then 'expired' else i.status end`,
)
const INVITATION = new SqlFragment(`i.id, i.email, i.email_key, i.level, i.workspace_id,
      (select w.slug from workspace w where w.organization_id = i.organization_id and w.id = i.workspace_id)
        as workspace_slug,
      (select w.name from workspace w where w.organization_id = i.organization_id and w.id = i.workspace_id)
        as workspace_name,
      i.first_name, i.message, ${STATUS.text} as status, i.invited_by_kind, i.invited_by_id, i.created_at,
      i.expires_at, i.lifetime_seconds, i.mailed_at, i.accepted_at, i.revoked_at, i.member_id,
      (select coalesce(json_agg(json_build_object('role_id', g.role_id, 'role_key', r.key, 'role_name', r.name,
          'workspace_id', g.workspace_id, 'workspace_slug', w.slug, 'project_id', g.project_id,
          'project_name', p.name) order by g.ordinal), '[]')
        from invitation_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        left join workspace w on w.organization_id = g.organization_id and w.id = g.workspace_id
        left join project p on p.organization_id = g.organization_id and p.id = g.project_id
        where g.organization_id = i.organization_id and g.invitation_id = i.id) as grants`)

export interface InvitationFields extends Invitee {
  readonly id: string
  readonly email: string
  readonly level: Level
  readonly firstName: string | null
  readonly message: string | null
  readonly lifetimeSeconds: number
  readonly expiresAt: Date
  readonly mailedAt: Date | null
  readonly grants: readonly InvitationGrant[]
}

/** Stores invitations with what they give. Answers the ids of those whose invitee had none that was pending. */
export async function insertInvitations(
  tx: Transaction,
  organizationId: string,
  invitations: readonly InvitationFields[],
  invitedBy: RecordedActor,
  now: Date,
): Promise<Set<string>> {
  const rows = await tx.rows(sql<{ id: string }>`
    insert into invitation (organization_id, id, email, email_key, workspace_id, level, first_name, message,
      invited_by_kind, invited_by_id, created_at, lifetime_seconds, expires_at, mailed_at)
    select ${organizationId}, i.id, i.email, i.email_key, i.workspace_id, i.level, i.first_name, i.message,
      ${invitedBy.kind}, ${invitedBy.id}::uuid, ${now}, i.lifetime_seconds, i.expires_at, i.mailed_at
    from unnest(${invitations.map(({ id }) => id)}::uuid[], ${invitations.map(({ email }) => email)}::text[],
      ${invitations.map(({ emailKey }) => emailKey)}::text[],
      ${invitations.map(({ workspaceId }) => workspaceId)}::uuid[],
      ${invitations.map(({ level }) => level)}::text[], ${invitations.map(({ firstName }) => firstName)}::text[],
      ${invitations.map(({ message }) => message)}::text[],
      ${invitations.map(({ lifetimeSeconds }) => lifetimeSeconds)}::integer[],
      ${invitations.map(({ expiresAt }) => expiresAt)}::timestamptz[],
      ${invitations.map(({ mailedAt }) => mailedAt)}::timestamptz[])
      i (id, email, email_key, workspace_id, level, first_name, message, lifetime_seconds, expires_at, mailed_at)
    -- Always in the same order, so that who waits for whom is no circle.
    order by i.email_key, i.workspace_id
    on conflict do nothing
    returning id`)
  const made = new Set(rows.map(({ id }) => id))
  const grants = invitations
    .filter(({ id }) => made.has(id))
    .flatMap(({ id, grants: own }) => own.map((grant, index) => ({ ...grant, id, ordinal: index + 1 })))
  if (grants.length === 0) return made
  await tx.run(sql`
    insert into invitation_grant (organization_id, invitation_id, ordinal, role_id, workspace_id, project_id)
    select ${organizationId}, g.*
    from unnest(${grants.map(({ id }) => id)}::uuid[], ${grants.map(({ ordinal }) => ordinal)}::integer[],
      ${grants.map(({ roleId }) => roleId)}::uuid[], ${grants.map(({ workspaceId }) => workspaceId)}::uuid[],
      ${grants.map(({ projectId }) => projectId)}::uuid[]) g`)
  return made
}

/** Stores as expired what is past its end, so that other invitations of the addresses can take its place. */
export async function retireExpiredInvitations(
  tx: Transaction,
  organizationId: string,
  emailKeys: readonly string[],
): Promise<void> {
  await tx.run(sql`
    update invitation set status = 'expired'
    where organization_id = ${organizationId} and email_key = any (${emailKeys}) and status = 'pending'
      and expires_at <= now()`)
}

/** The pending invitations of these invitees, locked until COMMIT. */
export async function lockPendingInvitations(
  tx: Transaction,
  organizationId: string,
  invitees: readonly Invitee[],
): Promise<InvitationRow[]> {
  return await tx.rows(sql<InvitationRow>`
    select ${INVITATION} from invitation i
    join unnest(${invitees.map(({ emailKey }) => emailKey)}::text[],
      ${invitees.map(({ workspaceId }) => workspaceId)}::uuid[]) w (email_key, workspace_id)
      on w.email_key = i.email_key and w.workspace_id is not distinct from i.workspace_id
    where i.organization_id = ${organizationId} and i.status = 'pending'
    order by i.id for update of i`)
}

/** Locks the pending invitations of an address, and one whatever its status, until COMMIT, always in the same order. */
export async function lockInvitationsOfEmail(
  tx: Transaction,
  organizationId: string,
  invitation: { id: string | null; emailKey: string },
): Promise<string[]> {
  const rows = await tx.rows(sql<{ id: string }>`
    select id from invitation
    where organization_id = ${organizationId} and email_key = ${invitation.emailKey}
      and (status = 'pending' or id = ${invitation.id}::uuid)
    order by id for update`)
  return rows.map(({ id }) => id)
}

/** The places, from 0, of the invitees who belong already to what they are invited to. */
export async function findInviteesWithin(
  db: Queryable,
  organizationId: string,
  invitees: readonly Invitee[],
): Promise<number[]> {
  const rows = await db.rows(sql<{ place: number }>`
    select i.ordinal - 1 as place
    from unnest(${invitees.map(({ emailKey }) => emailKey)}::text[],
      ${invitees.map(({ workspaceId }) => workspaceId)}::uuid[])
      with ordinality i (email_key, workspace_id, ordinal)
    join member m on m.organization_id = ${organizationId} and m.email_key = i.email_key and m.can_hold_grants
    where i.workspace_id is null or exists (
      select from role_grant g
      where g.organization_id = ${organizationId} and g.member_id = m.id and g.workspace_id = i.workspace_id
        and g.ended_change is null and (g.expires_at is null or g.expires_at > now()))
    order by i.ordinal`)
  return rows.map(({ place }) => place)
}

/** Invitations by their ids, in their order. */
export async function findInvitations(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<InvitationRow[]> {
  return await db.rows(sql<InvitationRow>`
    select ${INVITATION} from invitation i
    where i.organization_id = ${organizationId} and i.id = any (${ids})
    order by array_position(${ids}::uuid[], i.id)`)
}

/** When the last mail about other invitations than these left for an address, or is to leave; none that left long ago. */
export async function listLastMailed(
  db: Queryable,
  organizationId: string,
  asked: { emailKeys: readonly string[]; exceptIds: readonly string[]; since: Date },
): Promise<{ email_key: string; at: string }[]> {
  return await db.rows(sql<{ email_key: string; at: string }>`
    select i.email_key, max(greatest(i.mailed_at, m.next_attempt_at)) as at
    from invitation i
    left join mail m on m.organization_id = i.organization_id and m.about_id = i.id and m.status = 'pending'
    where i.organization_id = ${organizationId} and i.email_key = any (${asked.emailKeys})
      and i.id <> all (${asked.exceptIds}::uuid[]) and (i.mailed_at > ${asked.since} or m.id is not null)
    group by i.email_key`)
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
  /** Null or absent: of whoever. */
  emailKey?: string | null
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
      and (${page.emailKey ?? null}::text is null or i.email_key = ${page.emailKey ?? null})
    order by i.id limit ${page.limit}`)
}

/** Ends invitations that are not accepted; those past their end as well. */
export async function markInvitationsRevoked(
  tx: Transaction,
  organizationId: string,
  ids: readonly string[],
  now: Date,
): Promise<void> {
  await tx.run(sql`
    update invitation set status = 'revoked', revoked_at = ${now}
    where organization_id = ${organizationId} and id = any (${ids}) and status in ('pending', 'expired')`)
}

export async function markInvitationAccepted(
  tx: Transaction,
  organizationId: string,
  accepted: { id: string; memberId: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    update invitation set status = 'accepted', accepted_at = ${accepted.now}, member_id = ${accepted.memberId}
    where organization_id = ${organizationId} and id = ${accepted.id}`)
}

/** Makes an invitation pending again from now on, as an offer of who sends it again. */
export async function renewInvitation(
  tx: Transaction,
  organizationId: string,
  renewed: { id: string; expiresAt: Date; invitedBy: RecordedActor; now: Date },
): Promise<void> {
  await tx.run(sql`
    update invitation set status = 'pending', expires_at = ${renewed.expiresAt}, mailed_at = ${renewed.now},
      invited_by_kind = ${renewed.invitedBy.kind}, invited_by_id = ${renewed.invitedBy.id}
    where organization_id = ${organizationId} and id = ${renewed.id}`)
}
