/** What a role is assigned on. What is held on the organization holds in its workspaces, and so on down. */
export type Target =
  | { readonly kind: 'organization' }
  | { readonly kind: 'workspace'; readonly id: string }
  | { readonly kind: 'project'; readonly id: string }
  | { readonly kind: 'page'; readonly id: string }

export const targetKinds = ['organization', 'workspace', 'project', 'page'] as const
export type TargetKind = (typeof targetKinds)[number]

export const ORGANIZATION: Target = { kind: 'organization' }

/** The columns of a target, as tables of grants have them. */
export interface TargetColumns {
  readonly workspaceId: string | null
  readonly projectId: string | null
  readonly pageId: string | null
}

export function targetColumns(target: Target): TargetColumns {
  return {
    workspaceId: target.kind === 'workspace' ? target.id : null,
    projectId: target.kind === 'project' ? target.id : null,
    pageId: target.kind === 'page' ? target.id : null,
  }
}

/** The id of the target that columns name; null: the organization. */
export function targetId(columns: TargetColumns): string | null {
  return columns.workspaceId ?? columns.projectId ?? columns.pageId
}

export function fromTargetColumns(row: {
  workspace_id: string | null
  project_id: string | null
  page_id: string | null
}): Target {
  if (row.page_id !== null) return { kind: 'page', id: row.page_id }
  if (row.project_id !== null) return { kind: 'project', id: row.project_id }
  if (row.workspace_id !== null) return { kind: 'workspace', id: row.workspace_id }
  return ORGANIZATION
}
