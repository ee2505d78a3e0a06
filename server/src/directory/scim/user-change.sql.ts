import type { Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { revokingKeysOfMember } from '../api-keys/api-key.sql.ts'
import { type MemberStatus, type Person, updatingMember } from '../members/member.sql.ts'
import type { ScimUserFields } from './user.sql.ts'

/** What a member's deactivation or activation has to look at, as it is once the member is locked. */
interface Standing {
  is_owner: boolean
  /** By the address before or after. */
  is_invited: boolean
  holds_something: boolean
}

/** What is new about a user. */
export type ChangedScimUser = ScimUserFields & {
  readonly id: string
  readonly memberId: string
  readonly suspendedMember: boolean
  readonly isDeactivated: boolean
  /** Of the member, before and after. */
  readonly addressKeys: readonly (string | null)[]
  readonly now: Date
}

/** What is new about the member it stands for. */
export type ChangedPerson = Person & { readonly status: MemberStatus; readonly isChanged: boolean }

/**
 * Stores what is new about a user and the member it stands for, both of which are locked. Takes the address before the
 * userName, as whoever creates a user.
 */
export async function updateUserAndMember(
  tx: Transaction,
  organizationId: string,
  user: ChangedScimUser,
  person: ChangedPerson,
): Promise<Standing> {
  const { memberId: id, isDeactivated: isOver, now } = user
  const row = await tx.row(sql<Standing>`
    with person as (${updatingMember(organizationId, { ...person, id, now })} returning 1),
    keys as (${revokingKeysOfMember(organizationId, { id, isOver, now })})
    update scim_user set user_name = ${user.userName}, user_name_key = ${user.userNameKey},
      external_id = ${user.externalId}, active = ${user.active}, suspended_member = ${user.suspendedMember},
      document = ${user.document}, search = coalesce(${user.searched?.search ?? null}, search),
      email_keys = coalesce(${user.searched?.emailKeys ?? null}, email_keys),
      version = version + 1, updated_at = ${now}
    where organization_id = ${organizationId} and id = ${user.id} and (select count(*) from person) >= 0
    returning
      exists (
        select 1 from role_grant g join role r on r.organization_id = g.organization_id and r.id = g.role_id
          and r.resource = 'organization' and r.key = 'owner'
        where g.organization_id = ${organizationId} and g.member_id = ${id} and g.ended_change is null) as is_owner,
      exists (
        select 1 from invitation i
        where i.organization_id = ${organizationId} and i.email_key = any(${user.addressKeys}::text[])
          and i.status = 'pending') as is_invited,
      exists (
        select 1 from role_grant g
        where g.organization_id = ${organizationId} and g.member_id = ${id} and g.ended_change is null)
      or exists (
        select 1 from group_membership gm
        where gm.organization_id = ${organizationId} and gm.member_id = ${id}) as holds_something`)
  return row!
}
