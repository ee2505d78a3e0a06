import { z } from 'zod'
import { permissionsOf } from '../../directory/roles/predefined.ts'
import type { RoleRow } from '../../directory/roles/role.ts'
import type { SubjectRole } from '../../directory/roles/subject-roles.ts'
import { toPermissionNames } from './permission-names.ts'
import { type RolePlace, toRoleId, toRoleName } from './role-ids.ts'
import { toOpenaiId, toUnixSeconds } from './wire.ts'

const fields = {
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  permissions: z.array(z.string()),
  resource_type: z.string(),
  predefined_role: z.boolean(),
}

export const role = z.object({ object: z.literal('role'), ...fields }).meta({ id: 'OpenaiRole' })
export type OpenaiRole = z.infer<typeof role>

function toFields(row: RoleRow, place: RolePlace, askedId?: string) {
  return {
    id: askedId ?? toRoleId(row, place),
    name: toRoleName(row),
    description: row.description,
    permissions: toPermissionNames(permissionsOf(row)),
    resource_type: `api.${row.resource}`,
    predefined_role: row.key !== null,
  }
}

/** @param askedId the id it was asked for by, where a single role was */
export function toRole(row: RoleRow, place: RolePlace, askedId?: string): OpenaiRole {
  return { object: 'role', ...toFields(row, place, askedId) }
}

/** A role as somebody's: all fields are always there, and there is no `object`. */
export const assignedRole = z
  .object({
    ...fields,
    created_at: z.number().int().nullable(),
    updated_at: z.number().int().nullable(),
    created_by: z.string().nullable(),
    created_by_user_obj: z.record(z.string(), z.unknown()).nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
    /** The groups it comes through; null: it is assigned directly, whatever else gives it. */
    assignment_sources: z
      .array(z.object({ principal_id: z.string(), principal_type: z.string() }))
      .nullable(),
  })
  .meta({ id: 'OpenaiAssignedRole' })

/** @param askedId the id it was asked for by, where a single role was */
export function toAssignedRole(
  held: SubjectRole,
  place: RolePlace,
  askedId?: string,
): z.infer<typeof assignedRole> {
  // Nobody made a predefined role, and the directory keeps makers in its changes only.
  const isMade = held.key === null
  return {
    ...toFields(held, place, askedId),
    created_at: isMade ? toUnixSeconds(held.created_at) : null,
    updated_at: isMade ? toUnixSeconds(held.updated_at) : null,
    created_by: null,
    created_by_user_obj: null,
    metadata: held.metadata,
    assignment_sources: held.is_direct
      ? null
      : held.via_groups.map((id) => ({ principal_id: toOpenaiId('group', id), principal_type: 'group' })),
  }
}
