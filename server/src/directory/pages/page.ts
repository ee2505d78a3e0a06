import { uuidV7 } from '../../platform/uuid.ts'
import { requirePermissionOn } from '../access/authority.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { endRoleGrantsOnPage } from '../grants/role-grant.sql.ts'
import { requireActiveProjects } from '../projects/project.ts'
import type { Target } from '../roles/target.ts'
import { requireVersion } from '../version.ts'
import {
  findPage,
  insertPage,
  listPages as listPageRows,
  lockPage,
  lockPageAgainstGrants,
  lockPageDeletedBy,
  markPageDeleted,
  type PageFields,
  type PageFilter,
  type PageRow,
  updatePage as updatePageRow,
} from './page.sql.ts'

export type { PageRow } from './page.sql.ts'

export const PAGE_NAME_LENGTH_MAX = 255

const onWorkspace = (id: string): Target => ({ kind: 'workspace', id })
const onPage = (id: string): Target => ({ kind: 'page', id })

/** Pages are an application's: here is that there is one, where, and who it is shared with (roles on it). */
function detailOf(row: PageRow): Record<string, unknown> {
  const project = row.project_id === null ? {} : { project: row.project_id }
  return { page: row.id, workspace: row.workspace_id, ...project }
}

async function requireProjectOf(context: Context, workspaceId: string, projectId: string): Promise<void> {
  const [project] = await requireActiveProjects(context, [projectId])
  if (project?.workspace_id === workspaceId) return
  throw new DirectoryError('project.not_found', 'There is no project with this id in the workspace.', {
    field: 'project',
  })
}

/**
 * Registers a page of a workspace, or of a project in it.
 *
 * @throws {DirectoryError} project.not_found (also one of another workspace), project.archived, permission.denied
 */
export async function createPage(context: Context, workspaceId: string, input: PageFields): Promise<PageRow> {
  await requirePermissionOn(context, 'pages:write', onWorkspace(workspaceId))
  if (input.projectId !== null) await requireProjectOf(context, workspaceId, input.projectId)
  const { db, organizationId, now } = context
  const row = await insertPage(db, organizationId, { ...input, id: uuidV7(), workspaceId, now })
  context.change.describe({ kind: 'page.created', detail: detailOf(row) })
  return row
}

/**
 * A page, for who has the permission on it: by the workspace or project it is in, or because it is shared.
 *
 * @throws {DirectoryError} page.not_found, permission.denied
 */
async function requirePage(
  context: ReadContext,
  workspaceId: string,
  id: string,
  permission: 'pages:read' | 'pages:write',
): Promise<PageRow> {
  const row = await findPage(context.db, context.organizationId, workspaceId, id)
  await requirePermissionOn(context, permission, row === undefined ? onWorkspace(workspaceId) : onPage(id))
  if (row === undefined) throw new DirectoryError('page.not_found', 'There is no page with this id.')
  return row
}

/** A page, also for whom it is shared with. @throws {DirectoryError} page.not_found, permission.denied */
export async function getPage(context: ReadContext, workspaceId: string, id: string): Promise<PageRow> {
  return await requirePage(context, workspaceId, id, 'pages:read')
}

/** One page of the pages of a workspace in the order of their creation. @throws {DirectoryError} permission.denied */
export async function listPages(
  context: ReadContext,
  workspaceId: string,
  filter: PageFilter,
): Promise<PageRow[]> {
  await requirePermissionOn(context, 'pages:read', onWorkspace(workspaceId))
  return await listPageRows(context.db, context.organizationId, workspaceId, filter)
}

/**
 * Changes a page's fields; a field left out stays. Its editors may, too; but where it is says who reaches it, so to
 * move it takes the permission on the workspace.
 *
 * @throws {DirectoryError} page.not_found, project.not_found, project.archived (it is moved there),
 *   version.mismatch, permission.denied
 */
export async function updatePage(
  context: Context,
  workspaceId: string,
  id: string,
  update: { [Field in keyof PageFields]?: PageFields[Field] | undefined },
  expectedVersion?: number,
): Promise<PageRow> {
  if (update.projectId !== undefined) {
    await requirePermissionOn(context, 'pages:write', onWorkspace(workspaceId))
  }
  const { db, organizationId, now } = context
  await lockPage(db, organizationId, id)
  const before = await requirePage(context, workspaceId, id, 'pages:write')
  requireVersion(before.version, expectedVersion)
  const { name = before.name, projectId = before.project_id } = update
  const { externalReferenceId = before.external_reference_id } = update
  const fields = [
    ...(name === before.name ? [] : ['name']),
    ...(projectId === before.project_id ? [] : ['project']),
    ...(externalReferenceId === before.external_reference_id ? [] : ['external_reference_id']),
  ]
  if (fields.length === 0) return before
  if (projectId !== null && projectId !== before.project_id) {
    await requireProjectOf(context, workspaceId, projectId)
  }
  const row = await updatePageRow(db, organizationId, { name, projectId, externalReferenceId, id, now })
  context.change.describe({ kind: 'page.updated', detail: { ...detailOf(row), fields } })
  return row
}

/**
 * Deletes a page and ends every role on it, in one change that can be undone.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} page.not_found, version.mismatch, permission.denied
 */
export async function deletePage(
  context: Context,
  workspaceId: string,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await requirePermissionOn(context, 'pages:write', onWorkspace(workspaceId))
  const { db, organizationId, change, now } = context
  await lockPageAgainstGrants(db, organizationId, id)
  const row = await requirePage(context, workspaceId, id, 'pages:write')
  requireVersion(row.version, expectedVersion)
  change.count({ ended: await endRoleGrantsOnPage(db, organizationId, id, change.id) })
  await markPageDeleted(db, organizationId, { id, deletedChange: change.id, now })
  change.describe({ kind: 'page.deleted', detail: { ...detailOf(row), name: row.name } })
}

/** Takes a deletion back, for the undo of the change that made it. False if the page is not deleted by it. */
export async function restorePage(context: Context, id: string, deletedChange: string): Promise<boolean> {
  const { db, organizationId, now } = context
  if (!(await lockPageDeletedBy(db, organizationId, id, deletedChange))) return false
  await markPageDeleted(db, organizationId, { id, deletedChange: null, now })
  return true
}
