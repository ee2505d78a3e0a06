import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** Whether the identity provider that provisions a member has deactivated it. */
export async function isDeprovisioned(
  db: Queryable,
  organizationId: string,
  memberId: string,
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from scim_user
    where organization_id = ${organizationId} and member_id = ${memberId} and not active`)
  return row !== undefined
}

/** Whether an identity provider has deactivated somebody with an address who was removed by hand, too. */
export async function isDeprovisionedAddress(
  db: Queryable,
  organizationId: string,
  emailKey: string,
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from member m
    join scim_user u on u.organization_id = m.organization_id and u.member_id = m.id and not u.active
    where m.organization_id = ${organizationId} and m.email_key = ${emailKey} and not m.can_hold_grants limit 1`)
  return row !== undefined
}

/** Locks the users that stand for some members until COMMIT: they come before the members. */
export async function lockUsersOfMembers(
  tx: Transaction,
  organizationId: string,
  memberIds: readonly string[],
): Promise<void> {
  await tx.run(sql`
    select 1 from scim_user where organization_id = ${organizationId} and member_id = any(${memberIds}::uuid[])
    order by id for update`)
}

/** Lets the user of a merged member stand for the one it was merged into. False: that one has a user already. */
export async function moveScimUser(
  tx: Transaction,
  organizationId: string,
  members: { fromId: string; intoId: string },
): Promise<boolean> {
  const row = await tx.row(sql<{ stays: boolean }>`
    with moved as (
      update scim_user set member_id = ${members.intoId}
      where organization_id = ${organizationId} and member_id = ${members.fromId}
        and not exists (
          select 1 from scim_user where organization_id = ${organizationId} and member_id = ${members.intoId})
      returning 1
    )
    select exists (
        select 1 from scim_user where organization_id = ${organizationId} and member_id = ${members.fromId})
      and not exists (select 1 from moved) as stays`)
  return row?.stays !== true
}
