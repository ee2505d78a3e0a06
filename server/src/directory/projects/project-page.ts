import { requirePermissionOn } from '../access/authority.ts'
import { actingMember } from '../access/rank.ts'
import type { ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { administersWorkspace, type EnteredWorkspace } from '../workspaces/workspace-access.ts'
import type { ProjectRow } from './project.sql.ts'
import {
  findProjectIdentified,
  findVisibleProject,
  listVisibleProjects,
  type ProjectPage,
  type ProjectSummaryRow,
  type ProjectView,
  summarizeProjects,
} from './project-page.sql.ts'

export type { ProjectSummaryRow } from './project-page.sql.ts'

/** What a dialect shows of the projects of a workspace to who has entered it. */
export interface ProjectsShown {
  readonly entered: EnteredWorkspace
  /** Archived projects whose metadata has this key are not there: for dialects that delete by archiving. */
  readonly hiddenBy: string
}

/** Who administers the workspace sees all; others the public projects, and those they are on. */
function viewOf(
  context: ReadContext,
  { entered, hiddenBy }: ProjectsShown,
): Omit<ProjectView, 'includeArchived'> {
  const seesAll = administersWorkspace(entered.rank)
  return {
    workspaceId: entered.workspace.id,
    memberId: seesAll ? null : actingMember(context.actor),
    hiddenBy,
  }
}

/**
 * The page of a workspace's projects that starts at a position, and how many there are in all.
 *
 * @throws {DirectoryError} permission.denied
 */
export async function pageProjects(
  context: ReadContext,
  shown: ProjectsShown & { includeArchived: boolean },
  page: ProjectPage,
): Promise<{ rows: ProjectRow[]; total: number }> {
  const { workspace } = shown.entered
  await requirePermissionOn(context, 'projects:read', { kind: 'workspace', id: workspace.id })
  const view = { ...viewOf(context, shown), includeArchived: shown.includeArchived }
  const { db, organizationId } = context
  const rows = await listVisibleProjects(db, organizationId, view, page)
  const [first] = rows
  if (first !== undefined) return { rows, total: first.total }
  if (page.offset === 0) return { rows, total: 0 }
  // Behind the last page there is no row to tell how many there are.
  const [any] = await listVisibleProjects(db, organizationId, view, { ...page, offset: 0, limit: 1 })
  return { rows, total: any?.total ?? 0 }
}

/** One of them, archived or not. @throws {DirectoryError} project.not_found, permission.denied */
export async function requireShownProject(
  context: ReadContext,
  shown: ProjectsShown,
  id: string,
): Promise<ProjectRow> {
  const { workspace } = shown.entered
  const row = await findVisibleProject(context.db, context.organizationId, viewOf(context, shown), id)
  const target =
    row === undefined
      ? ({ kind: 'workspace', id: workspace.id } as const)
      : ({ kind: 'project', id } as const)
  await requirePermissionOn(context, 'projects:read', target)
  if (row === undefined) throw new DirectoryError('project.not_found', 'There is no project with this id.')
  return row
}

/** For each project how many are on it, and what the acting member is there. */
export async function readProjectSummaries(
  context: ReadContext,
  ids: readonly string[],
): Promise<Map<string, ProjectSummaryRow>> {
  if (ids.length === 0) return new Map()
  const rows = await summarizeProjects(context.db, context.organizationId, ids, actingMember(context.actor))
  return new Map(rows.map((row) => [row.id, row]))
}

/**
 * The id of the project of a workspace that has an identifier, in any case of letters. Asks for no permission.
 *
 * @throws {DirectoryError} project.not_found
 */
export async function requireProjectIdentified(
  context: ReadContext,
  { entered, hiddenBy }: ProjectsShown,
  identifier: string,
): Promise<string> {
  const { db, organizationId } = context
  const row = await findProjectIdentified(db, organizationId, entered.workspace.id, identifier)
  const isHidden = row !== undefined && row.archived_at !== null && Object.hasOwn(row.metadata, hiddenBy)
  if (row !== undefined && !isHidden) return row.id
  throw new DirectoryError('project.not_found', 'The workspace has no project with this identifier.')
}
