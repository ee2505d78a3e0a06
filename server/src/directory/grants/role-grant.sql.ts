import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import type { Level } from '../access/permission.ts'
import type { ExpiredGrants } from './group-membership.sql.ts'

/** The organization roles that stand for levels above `member`. */
const LEVEL_ROLES = [
  { key: 'owner', name: 'Owner' },
  { key: 'admin', name: 'Admin' },
] as const

export async function insertLevelRoles(tx: Transaction, organizationId: string): Promise<void> {
  const ids = LEVEL_ROLES.map(() => uuidV7())
  const keys = LEVEL_ROLES.map((role) => role.key)
  const names = LEVEL_ROLES.map((role) => role.name)
  await tx.run(sql`
    insert into role (organization_id, id, key, name)
    select ${organizationId}, r.id, r.key, r.name
    from unnest(${ids}::uuid[], ${keys}::text[], ${names}::text[]) r (id, key, name)`)
}

/** Opens a role for a member. False if this source gives it already. */
export async function openRoleGrant(
  tx: Transaction,
  organizationId: string,
  grant: { memberId: string; roleKey: Exclude<Level, 'member'>; sourceId: string; changeId: string },
): Promise<boolean> {
  const count = await tx.run(sql`
    insert into role_grant (organization_id, id, member_id, role_id, source_id, opened_change)
    select ${organizationId}, ${uuidV7()}, ${grant.memberId}, r.id, ${grant.sourceId}, ${grant.changeId}
    from role r where r.organization_id = ${organizationId} and r.key = ${grant.roleKey}
    on conflict (organization_id, member_id, role_id, source_id) where ended_change is null do nothing`)
  return count === 1
}

/** Ends every role a member holds, but those named. */
export async function endRoleGrantsOfMember(
  tx: Transaction,
  organizationId: string,
  memberId: string,
  changeId: string,
  keepRoleKeys: readonly string[] = [],
): Promise<number> {
  return await tx.run(sql`
    update role_grant g set ended_change = ${changeId}
    from role r
    where g.organization_id = ${organizationId} and g.member_id = ${memberId} and g.ended_change is null
      and r.organization_id = ${organizationId} and r.id = g.role_id and r.key <> all(${keepRoleKeys}::text[])`)
}

export async function copyRoleGrants(
  tx: Transaction,
  organizationId: string,
  copy: { fromMemberId: string; toMemberId: string; changeId: string },
): Promise<number> {
  return await tx.run(sql`
    insert into role_grant (organization_id, id, member_id, role_id, source_id, opened_change, expires_at)
    select organization_id, uuid_v7(), ${copy.toMemberId}, role_id, source_id, ${copy.changeId}, expires_at
    from role_grant
    where organization_id = ${organizationId} and member_id = ${copy.fromMemberId} and ended_change is null
      and (expires_at is null or expires_at > now())
    on conflict (organization_id, member_id, role_id, source_id) where ended_change is null do nothing`)
}

export async function endExpiredRoleGrants(
  tx: Transaction,
  organizationId: string,
  changeId: string,
): Promise<ExpiredGrants> {
  const row = await tx.row(sql<ExpiredGrants>`
    with gone as (
      update role_grant set ended_change = ${changeId}
      where organization_id = ${organizationId} and ended_change is null and expires_at <= clock_timestamp()
      returning expires_at
    )
    select count(*) as ended, max(expires_at) as latest from gone`)
  return row ?? { ended: 0, latest: null }
}

/** Makes operations that could take the last owner away wait for each other. Locked until COMMIT. */
export async function lockOwners(tx: Transaction, organizationId: string): Promise<void> {
  await tx.run(sql`
    select 1 from role where organization_id = ${organizationId} and key = 'owner' for no key update`)
}

/** Whether somebody active holds the owner role directly and without an end. */
export async function hasLastingOwner(db: Queryable, organizationId: string): Promise<boolean> {
  const row = await db.row(sql<{ held: boolean }>`
    select exists (
      select 1 from role r
      join role_grant g on g.organization_id = r.organization_id and g.role_id = r.id
        and g.ended_change is null and g.expires_at is null
      join member m on m.organization_id = g.organization_id and m.id = g.member_id and m.status = 'active'
      where r.organization_id = ${organizationId} and r.key = 'owner'
    ) as held`)
  return row?.held ?? false
}
