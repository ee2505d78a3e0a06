import type { z } from 'zod'
import type { WorkspaceRoleKind } from '../../directory/roles/role-page.ts'
import type { RosterRow } from '../../directory/roles/roster.ts'
import { roleNumber, roleSlug } from './role-wire.ts'
import { type member, toUser } from './wire.ts'

/** A user with its role in a workspace or on a project. */
export function toMember(kind: WorkspaceRoleKind): (row: RosterRow) => z.infer<typeof member> {
  return (row) => {
    const role = { id: row.role_id, key: row.role_key, name: row.role_name }
    return {
      ...toUser(row),
      role: roleNumber(kind, role),
      role_slug: roleSlug(kind, role),
      is_active: row.status === 'active',
      is_bot: false,
    }
  }
}
