import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Target } from './target.ts'

interface TargetRow {
  workspace_id: string | null
  project_id: string | null
  page_id: string | null
}

/**
 * A workspace, project or page, with the workspace and project it is in.
 *
 * @param isPast a deleted page counts, too
 */
export async function findTarget(
  db: Queryable,
  organizationId: string,
  target: Exclude<Target, { kind: 'organization' }>,
  isPast: boolean,
): Promise<TargetRow | undefined> {
  if (target.kind === 'workspace') {
    return await db.row(sql<TargetRow>`
      select id as workspace_id, null::uuid as project_id, null::uuid as page_id
      from workspace
      where organization_id = ${organizationId} and id = ${target.id}`)
  }
  if (target.kind === 'page') {
    return await db.row(sql<TargetRow>`
      select workspace_id, project_id, id as page_id from page
      where organization_id = ${organizationId} and id = ${target.id}
        and (deleted_change is null or ${isPast}::boolean)`)
  }
  return await db.row(sql<TargetRow>`
    select workspace_id, id as project_id, null::uuid as page_id from project
    where organization_id = ${organizationId} and id = ${target.id}`)
}
