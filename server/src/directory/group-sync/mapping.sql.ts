import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'

/** What a mapping gives its role on. */
type MappingKind = 'workspace' | 'project' | 'all_projects'

export interface MappingRow {
  id: string
  workspace_id: string
  idp_group_name: string
  role_id: string
  role_key: string | null
  role_name: string
  kind: MappingKind
  /** Of kind `project` only. */
  project_id: string | null
  project_identifier: string | null
  version: number
  created_at: string
  updated_at: string
}

export interface MappingFields {
  idpGroupName: string
  roleId: string
  kind: MappingKind
  projectId: string | null
}

/** A mapping of a deleted role is not shown, and counts for nothing. */
const MAPPINGS =
  new SqlFragment(`select m.*, r.key as role_key, r.name as role_name, p.identifier as project_identifier
    from group_sync_mapping m
    join role r on r.organization_id = m.organization_id and r.id = m.role_id and r.deleted_change is null
    left join project p on p.organization_id = m.organization_id and p.id = m.project_id`)

/** Frees the place of a mapping from one that counts for nothing any more. */
export async function deleteDeadMappings(
  tx: Transaction,
  organizationId: string,
  place: Omit<MappingFields, 'roleId'> & { workspaceId: string },
): Promise<void> {
  await tx.run(sql`
    delete from group_sync_mapping m
    where m.organization_id = ${organizationId} and m.workspace_id = ${place.workspaceId}
      and m.idp_group_name = ${place.idpGroupName} and m.kind = ${place.kind}
      and m.project_id is not distinct from ${place.projectId}
      and exists (
        select 1 from role r
        where r.organization_id = m.organization_id and r.id = m.role_id and r.deleted_change is not null)`)
}

export async function insertMapping(
  tx: Transaction,
  organizationId: string,
  mapping: MappingFields & { id: string; workspaceId: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    insert into group_sync_mapping (organization_id, id, workspace_id, idp_group_name, role_id, kind, project_id,
      created_at, updated_at)
    values (${organizationId}, ${mapping.id}, ${mapping.workspaceId}, ${mapping.idpGroupName}, ${mapping.roleId},
      ${mapping.kind}, ${mapping.projectId}, ${mapping.now}, ${mapping.now})`)
}

export async function updateMapping(
  tx: Transaction,
  organizationId: string,
  mapping: MappingFields & { id: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    update group_sync_mapping set idp_group_name = ${mapping.idpGroupName}, role_id = ${mapping.roleId},
      kind = ${mapping.kind}, project_id = ${mapping.projectId}, version = version + 1, updated_at = ${mapping.now}
    where organization_id = ${organizationId} and id = ${mapping.id}`)
}

export async function deleteMapping(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(sql`delete from group_sync_mapping where organization_id = ${organizationId} and id = ${id}`)
}

/** A mapping of a workspace, for it or for its projects. */
export async function findMapping(
  db: Queryable,
  organizationId: string,
  mapping: { workspaceId: string; id: string; ofProjects: boolean },
): Promise<MappingRow | undefined> {
  return await db.row(sql<MappingRow>`
    ${MAPPINGS}
    where m.organization_id = ${organizationId} and m.workspace_id = ${mapping.workspaceId} and m.id = ${mapping.id}
      and (m.kind <> 'workspace') = ${mapping.ofProjects}::boolean`)
}

/** The mapping of a group on the project with this identifier, whatever its case. */
export async function findMappingOfProject(
  db: Queryable,
  organizationId: string,
  mapping: { workspaceId: string; projectIdentifier: string; idpGroupName: string },
): Promise<MappingRow | undefined> {
  return await db.row(sql<MappingRow>`
    ${MAPPINGS}
    where m.organization_id = ${organizationId} and m.workspace_id = ${mapping.workspaceId} and m.kind = 'project'
      and m.idp_group_name = ${mapping.idpGroupName} and upper(p.identifier) = upper(${mapping.projectIdentifier})`)
}

export interface MappingPage {
  afterId: string | null
  limit: number
}

/** One page of mappings in the order of their creation. */
export async function listMappings(
  db: Queryable,
  organizationId: string,
  filter: MappingPage & {
    workspaceId: string
    ofProjects: boolean
    projectId: string | null
    projectIdentifier: string | null
  },
): Promise<MappingRow[]> {
  return await db.rows(sql<MappingRow>`
    ${MAPPINGS}
    where m.organization_id = ${organizationId} and m.workspace_id = ${filter.workspaceId}
      and (m.kind <> 'workspace') = ${filter.ofProjects}::boolean
      and (${filter.projectId}::uuid is null or m.project_id = ${filter.projectId})
      and (${filter.projectIdentifier}::text is null or upper(p.identifier) = upper(${filter.projectIdentifier}))
      and m.id > coalesce(${filter.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
    order by m.id limit ${filter.limit}`)
}
