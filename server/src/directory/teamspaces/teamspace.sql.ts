import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'

export interface TeamspaceRow {
  /** Of the group that it is, too. */
  id: string
  workspace_id: string
  name: string
  /** Null also while the lead is not in the workspace. */
  lead_id: string | null
  description: Record<string, unknown>
  logo: Record<string, unknown>
  version: number
  created_at: string
  updated_at: string
}

/** What a teamspace has beside what every group has. */
export interface TeamspaceFields {
  leadId: string | null
  description: Record<string, unknown>
  logo: Record<string, unknown>
}

/** Whoever left the workspace leads nothing there, and does again when back. */
const LEAD_IS_IN_WORKSPACE = `(exists (
        select 1 from role_grant rg
        where rg.organization_id = t.organization_id and rg.member_id = t.lead_id and rg.workspace_id = t.workspace_id
          and rg.ended_change is null and (rg.expires_at is null or rg.expires_at > now())
      ) or exists (
        select 1 from group_membership gm
        join role_grant rg on rg.organization_id = gm.organization_id and rg.group_id = gm.group_id
          and rg.workspace_id = t.workspace_id and rg.ended_change is null
          and (rg.expires_at is null or rg.expires_at > now())
        where gm.organization_id = t.organization_id and gm.member_id = t.lead_id
          and (gm.expires_at is null or gm.expires_at > now())))`
const COLUMNS = new SqlFragment(`g.id, t.workspace_id, g.name,
      case when ${LEAD_IS_IN_WORKSPACE} then t.lead_id end as lead_id,
      t.description, t.logo, g.version, g.created_at, g.updated_at`)
const TEAMSPACES = new SqlFragment(`teamspace t
    join org_group g on g.organization_id = t.organization_id and g.id = t.id and g.deleted_change is null`)

/** Makes a group a teamspace. */
export async function insertTeamspace(
  tx: Transaction,
  organizationId: string,
  teamspace: TeamspaceFields & { id: string; workspaceId: string },
): Promise<void> {
  await tx.run(sql`
    insert into teamspace (organization_id, id, workspace_id, lead_id, description, logo)
    values (${organizationId}, ${teamspace.id}, ${teamspace.workspaceId}, ${teamspace.leadId},
      ${JSON.stringify(teamspace.description)}, ${JSON.stringify(teamspace.logo)})`)
}

/** A teamspace of a workspace that is not deleted. */
export async function findTeamspace(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  id: string,
): Promise<TeamspaceRow | undefined> {
  return await db.row(sql<TeamspaceRow>`
    select ${COLUMNS} from ${TEAMSPACES}
    where t.organization_id = ${organizationId} and t.workspace_id = ${workspaceId} and t.id = ${id}`)
}

/** Locks a teamspace until COMMIT against other changes of its fields, its members and its projects as a whole. */
export async function lockTeamspace(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(sql`
    select 1 from org_group
    where organization_id = ${organizationId} and id = ${id} and kind = 'teamspace' for no key update`)
}

/** A page of a list in the order of creation, after one of its rows or after so many. */
export interface ListPage {
  readonly afterId: string | null
  readonly offset?: number
  readonly limit: number
}

export async function listTeamspaces(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
  page: ListPage,
): Promise<TeamspaceRow[]> {
  return await db.rows(sql<TeamspaceRow>`
    select ${COLUMNS} from ${TEAMSPACES}
    where t.organization_id = ${organizationId} and t.workspace_id = ${workspaceId}
      and t.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by t.id offset ${page.offset ?? 0} limit ${page.limit}`)
}

export async function countTeamspaces(
  db: Queryable,
  organizationId: string,
  workspaceId: string,
): Promise<number> {
  const row = await db.row(sql<{ count: number }>`
    select count(*) as count from ${TEAMSPACES}
    where t.organization_id = ${organizationId} and t.workspace_id = ${workspaceId}`)
  return row?.count ?? 0
}

export async function updateTeamspaceFields(
  tx: Transaction,
  organizationId: string,
  teamspace: TeamspaceFields & { id: string },
): Promise<void> {
  await tx.run(sql`
    update teamspace set lead_id = ${teamspace.leadId}, description = ${JSON.stringify(teamspace.description)},
      logo = ${JSON.stringify(teamspace.logo)}
    where organization_id = ${organizationId} and id = ${teamspace.id}`)
}
