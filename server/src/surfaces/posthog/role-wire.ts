import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import type { MemberRow } from '../../directory/members/member.ts'
import { membersById } from '../../directory/members/member-positions.ts'
import type { HeldRole } from '../../directory/roles/custom-roles.ts'
import type { RoleHolderRow } from '../../directory/roles/role-holders.ts'
import { moment } from '../http/wire-types.ts'
import { member, toMember, toUser, user } from './user-wire.ts'

export const roleMembership = z
  .object({
    id: z.string(),
    role_id: z.string(),
    organization_member: member,
    user,
    joined_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'PosthogRoleMembership' })

export const role = z
  .object({
    id: z.string(),
    name: z.string(),
    created_at: moment,
    /** Roles do not say who made them: the change feed does. */
    created_by: z.null(),
    members: z.array(roleMembership),
    is_default: z.literal(false),
  })
  .meta({ id: 'PosthogRole' })

function toMembership(row: RoleHolderRow, holder: MemberRow): z.infer<typeof roleMembership> {
  return {
    id: row.id,
    role_id: row.role_id,
    organization_member: toMember(holder),
    user: toUser(holder),
    joined_at: row.since,
    updated_at: row.since,
  }
}

/** Memberships with their members, in one statement however many they are. */
export async function toMemberships(
  context: ReadContext,
  rows: readonly RoleHolderRow[],
): Promise<z.infer<typeof roleMembership>[]> {
  const members = await membersById(
    context,
    rows.map((row) => row.member_id),
  )
  return rows.map((row) => toMembership(row, members.get(row.member_id)!))
}

/** Roles with their holders, in one statement however many they are. */
export async function toRoles(
  context: ReadContext,
  held: readonly HeldRole[],
): Promise<z.infer<typeof role>[]> {
  const memberships = await toMemberships(
    context,
    held.flatMap(({ holders }) => holders),
  )
  const byRole = Map.groupBy(memberships, (membership) => membership.role_id)
  return held.map(({ role: row }) => ({
    id: row.id,
    name: row.name,
    created_at: row.created_at,
    created_by: null,
    members: byRole.get(row.id) ?? [],
    is_default: false,
  }))
}
