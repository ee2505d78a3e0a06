import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** Where the groups of a member were learnt. */
export type ClaimOrigin = 'login' | 'offline' | 'scim' | 'api'

/** Which of these are members, removed ones too. */
export async function listKnownMembers(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await db.rows(sql<{ id: string }>`
    select id from member where organization_id = ${organizationId} and id = any(${ids}::uuid[])`)
  return rows.map(({ id }) => id)
}

/**
 * Keeps what members were said to be in, in place of what was said before. Locks their claims until COMMIT: two syncs
 * of one member come one after the other. In the order of ids, so that they do not wait for each other in a circle.
 */
export async function putClaims(
  tx: Transaction,
  organizationId: string,
  claims: {
    workspaceId: string
    origin: ClaimOrigin
    now: Date
    of: readonly { memberId: string; groups: readonly string[] }[]
  },
): Promise<void> {
  const said = claims.of.map(({ memberId, groups }) => {
    return { member_id: memberId, groups: [...new Set(groups.filter(isStorable))] }
  })
  await tx.run(sql`
    insert into group_claim (organization_id, workspace_id, member_id, groups, origin, claimed_at)
    select ${organizationId}, ${claims.workspaceId}, c.member_id, c.groups, ${claims.origin}, ${claims.now}
    from jsonb_to_recordset(${JSON.stringify(said)}::jsonb) c (member_id uuid, groups text[])
    order by c.member_id
    on conflict (organization_id, workspace_id, member_id) do update
      set groups = excluded.groups, origin = excluded.origin, claimed_at = excluded.claimed_at`)
}

/** What no text column can hold is no name that a mapping has. */
const isStorable = (name: string) => !name.includes('\u0000') && name.isWellFormed()

/** Locks the claims of a workspace until COMMIT, and answers whose they are. */
export async function lockClaims(
  tx: Transaction,
  organizationId: string,
  workspaceId: string,
): Promise<string[]> {
  const rows = await tx.rows(sql<{ member_id: string }>`
    select member_id from group_claim
    where organization_id = ${organizationId} and workspace_id = ${workspaceId}
    order by member_id for no key update`)
  return rows.map((row) => row.member_id)
}

/** Whose groups stand for a role on every project of the workspace. */
export async function listClaimantsOfAllProjects(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
): Promise<string[]> {
  const rows = await db.rows(sql<{ member_id: string }>`
    select c.member_id from group_claim c
    where c.organization_id = ${organizationId} and c.workspace_id = ${workspaceId} and c.groups && array(
      select m.idp_group_name from group_sync_mapping m
      where m.organization_id = ${organizationId} and m.workspace_id = ${workspaceId} and m.kind = 'all_projects')`)
  return rows.map((row) => row.member_id)
}

/** Whether a change gave roles on a project that was archived at the same moment. */
export async function givesOnArchived(
  tx: Transaction,
  organizationId: string,
  changeId: string,
): Promise<boolean> {
  const row = await tx.row(sql<{ found: number }>`
    select 1 as found from role_grant g
    join project p on p.organization_id = g.organization_id and p.id = g.project_id and p.archived_at is not null
    where g.organization_id = ${organizationId} and g.opened_change = ${changeId} limit 1`)
  return row !== undefined
}

/** What syncs of a source took away within the last seconds: roles ended or lowered. */
export async function sumRecentLosses(
  db: Queryable,
  organizationId: string,
  sourceId: string,
  windowSeconds: number,
): Promise<number> {
  const row = await db.row(sql<{ lost: number }>`
    select coalesce(sum((detail ->> 'removals')::integer), 0)::integer as lost from change
    where organization_id = ${organizationId} and source_id = ${sourceId} and kind = 'group_sync.applied'
      and ended_count > 0 and at > clock_timestamp() - make_interval(secs => ${windowSeconds})`)
  return row?.lost ?? 0
}

/** What a source gives by now, for the brake's share. */
export async function countGiven(db: Queryable, organizationId: string, sourceId: string): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from role_grant
    where organization_id = ${organizationId} and source_id = ${sourceId} and ended_change is null`)
  return row?.count ?? 0
}
