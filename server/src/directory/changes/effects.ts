import type { Queryable } from '../../platform/postgres/database.ts'
import type { GroupKind } from '../groups/group.sql.ts'
import { listGrantEffects } from './effects.sql.ts'

/** A grant that a change opened or ended. */
export interface GrantEffect {
  readonly effect: 'opened' | 'ended'
  readonly grant: 'group_membership' | 'role'
  /** Null: a role given to a group. */
  readonly memberId: string | null
  readonly memberReference: string | null
  readonly memberName: string | null
  readonly groupId: string | null
  readonly groupName: string | null
  readonly groupKind: GroupKind | null
  readonly role: { readonly id: string; readonly key: string | null; readonly name: string } | null
  /** Where the role holds; all null: on the organization. */
  readonly workspaceId: string | null
  readonly projectId: string | null
  readonly pageId: string | null
  readonly source: string
  readonly expiresAt: string | null
}

export interface Effects {
  readonly grants: readonly GrantEffect[]
  readonly opened: number
  readonly ended: number
}

/** Effects listed in one answer at most; counts are always whole. */
const EFFECTS_MAX = 1000

/** What a change opened and ended: the counts, and a page of its grants. */
export async function readEffects(
  db: Queryable,
  organizationId: string,
  changeId: string,
  page: { offset: number; limit: number } = { offset: 0, limit: EFFECTS_MAX },
): Promise<Effects> {
  const rows = await listGrantEffects(db, organizationId, changeId, page)
  const grants = rows.map((row) => ({
    effect: row.effect,
    grant: row.grant_kind,
    memberId: row.member_id,
    memberReference: row.member_reference,
    memberName: row.member_name,
    groupId: row.group_id,
    groupName: row.group_name,
    groupKind: row.group_kind,
    role: row.role_id === null ? null : { id: row.role_id, key: row.role_key, name: row.role_name! },
    workspaceId: row.workspace_id,
    projectId: row.project_id,
    pageId: row.page_id,
    source: row.source_kind,
    expiresAt: row.expires_at,
  }))
  const first = rows[0]
  return { grants, opened: first?.opened_total ?? 0, ended: first?.ended_total ?? 0 }
}
