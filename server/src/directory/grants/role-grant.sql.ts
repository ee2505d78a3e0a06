import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import type { Level } from '../access/permission.ts'
import { type TargetColumns, targetId } from '../roles/target.ts'
import type { ExpiredGrants } from './group-membership.sql.ts'

/** What a role is given to and on. */
export interface RoleGrantPlace extends TargetColumns {
  readonly memberId: string | null
  readonly groupId: string | null
  readonly roleId: string
}

/** Opens a role for a member or a group. False if this source gives it already. */
export async function openRoleGrant(
  tx: Transaction,
  organizationId: string,
  grant: RoleGrantPlace & { id: string; sourceId: string; changeId: string; expiresAt: string | null },
): Promise<boolean> {
  const count = await tx.run(sql`
    insert into role_grant (organization_id, id, member_id, group_id, role_id, workspace_id, project_id, page_id,
      source_id, opened_change, expires_at)
    values (${organizationId}, ${grant.id}, ${grant.memberId}, ${grant.groupId}, ${grant.roleId},
      ${grant.workspaceId}, ${grant.projectId}, ${grant.pageId}, ${grant.sourceId}, ${grant.changeId}, ${grant.expiresAt})
    on conflict do nothing`)
  return count === 1
}

/** Opens several roles for one member, for good. Answers how many: what this source gives already is left. */
export async function openRoleGrants(
  tx: Transaction,
  organizationId: string,
  given: {
    memberId: string
    sourceId: string
    changeId: string
    grants: readonly Pick<RoleGrantPlace, 'roleId' | 'workspaceId' | 'projectId'>[]
  },
): Promise<number> {
  const { memberId, sourceId, changeId, grants } = given
  return await tx.run(sql`
    insert into role_grant (organization_id, id, member_id, role_id, workspace_id, project_id, source_id,
      opened_change)
    select ${organizationId}, uuid_v7(), ${memberId}, g.role_id, g.workspace_id, g.project_id, ${sourceId}, ${changeId}
    from unnest(${grants.map(({ roleId }) => roleId)}::uuid[],
      ${grants.map(({ workspaceId }) => workspaceId)}::uuid[],
      ${grants.map(({ projectId }) => projectId)}::uuid[]) g (role_id, workspace_id, project_id)
    on conflict do nothing`)
}

/** Opens the organization role that stands for a level. False if this source gives it already. */
export async function openLevelGrant(
  tx: Transaction,
  organizationId: string,
  grant: { memberId: string; level: Exclude<Level, 'member'>; sourceId: string; changeId: string },
): Promise<boolean> {
  const count = await tx.run(sql`
    insert into role_grant (organization_id, id, member_id, role_id, source_id, opened_change)
    select ${organizationId}, ${uuidV7()}, ${grant.memberId}, r.id, ${grant.sourceId}, ${grant.changeId}
    from role r
    where r.organization_id = ${organizationId} and r.resource = 'organization' and r.key = ${grant.level}
    on conflict do nothing`)
  return count === 1
}

/** What one source gives at one place. */
export async function findRoleGrantOfSource(
  db: Queryable,
  organizationId: string,
  grant: RoleGrantPlace & { sourceId: string },
): Promise<{ id: string; expires_at: string | null } | undefined> {
  return await db.row(sql<{ id: string; expires_at: string | null }>`
    select id, expires_at from role_grant
    where organization_id = ${organizationId} and member_id is not distinct from ${grant.memberId}
      and group_id is not distinct from ${grant.groupId} and role_id = ${grant.roleId}
      and target_id is not distinct from ${targetId(grant)} and source_id = ${grant.sourceId}
      and ended_change is null`)
}

/** Ends one live grant. False if it has ended or expired already. */
export async function endRoleGrant(
  tx: Transaction,
  organizationId: string,
  id: string,
  changeId: string,
  options: { evenExpired: boolean } = { evenExpired: false },
): Promise<boolean> {
  const count = await tx.run(sql`
    update role_grant set ended_change = ${changeId}
    where organization_id = ${organizationId} and id = ${id} and ended_change is null
      and (${options.evenExpired}::boolean or expires_at is null or expires_at > now())`)
  return count === 1
}

/** Ends what every source gives at one place now. `roleId` null: every role there. */
export async function endRoleGrantsAt(
  tx: Transaction,
  organizationId: string,
  place: Omit<RoleGrantPlace, 'roleId'> & { roleId: string | null },
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant set ended_change = ${changeId}
    where organization_id = ${organizationId}
      and (member_id = ${place.memberId} or ${place.memberId}::uuid is null and group_id = ${place.groupId})
      and (${place.roleId}::uuid is null or role_id = ${place.roleId})
      and target_id is not distinct from ${targetId(place)}
      and ended_change is null and (expires_at is null or expires_at > now())`)
}

/** What a member or a group has at one place now: every role, from every source. */
export async function listRoleGrantsAt(
  db: Queryable,
  organizationId: string,
  place: Omit<RoleGrantPlace, 'roleId'>,
): Promise<{ role_id: string; expires_at: string | null }[]> {
  return await db.rows(sql<{ role_id: string; expires_at: string | null }>`
    select role_id, expires_at from role_grant
    where organization_id = ${organizationId}
      and (member_id = ${place.memberId} or ${place.memberId}::uuid is null and group_id = ${place.groupId})
      and target_id is not distinct from ${targetId(place)}
      and ended_change is null and (expires_at is null or expires_at > now())`)
}

/** Ends the predefined roles that every source gives at one place now, but those of the role. */
export async function endOtherPredefinedRoleGrantsAt(
  tx: Transaction,
  organizationId: string,
  place: RoleGrantPlace,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant g set ended_change = ${changeId}
    from role r
    where g.organization_id = ${organizationId}
      and (g.member_id = ${place.memberId} or ${place.memberId}::uuid is null and g.group_id = ${place.groupId})
      and g.role_id <> ${place.roleId}
      and g.target_id is not distinct from ${targetId(place)}
      and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
      and r.organization_id = ${organizationId} and r.id = g.role_id and r.key is not null`)
}

/** Whether anything is given at a place now, by whatever source. `roleId` null: any role there. */
export async function isGivenAt(
  db: Queryable,
  organizationId: string,
  place: Omit<RoleGrantPlace, 'roleId'> & { roleId: string | null },
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from role_grant
    where organization_id = ${organizationId}
      and (member_id = ${place.memberId} or ${place.memberId}::uuid is null and group_id = ${place.groupId})
      and (${place.roleId}::uuid is null or role_id = ${place.roleId})
      and target_id is not distinct from ${targetId(place)}
      and ended_change is null and (expires_at is null or expires_at > now())
    limit 1`)
  return row !== undefined
}

/** Ends the organization roles that stand for levels, but those kept. */
export async function endLevelGrants(
  tx: Transaction,
  organizationId: string,
  memberId: string,
  changeId: string,
  kept: readonly Level[],
): Promise<number> {
  return await tx.run(sql`
    update role_grant g set ended_change = ${changeId}
    from role r
    where g.organization_id = ${organizationId} and g.member_id = ${memberId} and g.ended_change is null
      and r.organization_id = ${organizationId} and r.id = g.role_id and r.resource = 'organization'
      and r.key in ('owner', 'admin') and r.key <> all(${kept}::text[])`)
}

/** Whether a member holds a level by itself; everybody holds `member`. */
export async function holdsLevel(
  db: Queryable,
  organizationId: string,
  memberId: string,
  level: Level,
): Promise<boolean> {
  if (level === 'member') return true
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from role_grant g
    join role r on r.organization_id = g.organization_id and r.id = g.role_id
      and r.resource = 'organization' and r.key = ${level}
    where g.organization_id = ${organizationId} and g.member_id = ${memberId} and g.ended_change is null
      and (g.expires_at is null or g.expires_at > now())
    limit 1`)
  return row !== undefined
}

/** Ends every role a member holds by itself. */
export async function endRoleGrantsOfMember(
  tx: Transaction,
  organizationId: string,
  memberId: string,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant set ended_change = ${changeId}
    where organization_id = ${organizationId} and member_id = ${memberId} and ended_change is null`)
}

export async function endRoleGrantsOfGroup(
  tx: Transaction,
  organizationId: string,
  groupId: string,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant set ended_change = ${changeId}
    where organization_id = ${organizationId} and group_id = ${groupId} and ended_change is null`)
}

export async function endRoleGrantsOfRole(
  tx: Transaction,
  organizationId: string,
  roleId: string,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant set ended_change = ${changeId}
    where organization_id = ${organizationId} and role_id = ${roleId} and ended_change is null`)
}

export async function endRoleGrantsOnPage(
  tx: Transaction,
  organizationId: string,
  pageId: string,
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant set ended_change = ${changeId}
    where organization_id = ${organizationId} and page_id = ${pageId} and ended_change is null`)
}

/** Ends the roles a member holds for a shorter time than another from the same source, before they are copied. */
export async function endShorterRoleGrants(
  tx: Transaction,
  organizationId: string,
  copy: { fromMemberId: string; toMemberId: string; changeId: string },
): Promise<number> {
  return await tx.run(sql`
    update role_grant t set ended_change = ${copy.changeId}
    from role_grant f
    where t.organization_id = ${organizationId} and t.member_id = ${copy.toMemberId} and t.ended_change is null
      and f.organization_id = ${organizationId} and f.member_id = ${copy.fromMemberId} and f.ended_change is null
      and f.role_id = t.role_id and f.source_id = t.source_id
      and f.target_id is not distinct from t.target_id
      and t.expires_at < coalesce(f.expires_at, 'infinity')
      and (f.expires_at is null or f.expires_at > now())`)
}

/** Locks the roles a member holds until COMMIT: whoever ends one of them meanwhile comes before or after. */
export async function lockRoleGrantsOfMember(
  tx: Transaction,
  organizationId: string,
  memberId: string,
): Promise<void> {
  await tx.run(sql`
    select 1 from role_grant
    where organization_id = ${organizationId} and member_id = ${memberId} and ended_change is null
    order by id for update`)
}

export async function copyRoleGrants(
  tx: Transaction,
  organizationId: string,
  copy: { fromMemberId: string; toMemberId: string; changeId: string },
): Promise<number> {
  return await tx.run(sql`
    insert into role_grant (organization_id, id, member_id, role_id, workspace_id, project_id, page_id, source_id,
      opened_change, expires_at)
    select organization_id, uuid_v7(), ${copy.toMemberId}, role_id, workspace_id, project_id, page_id, source_id,
      ${copy.changeId}, expires_at
    from role_grant
    where organization_id = ${organizationId} and member_id = ${copy.fromMemberId} and ended_change is null
      and (expires_at is null or expires_at > now())
    on conflict do nothing`)
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
    select 1 from role
    where organization_id = ${organizationId} and resource = 'organization' and key = 'owner'
    for no key update`)
}

/** Whether somebody active holds the owner role directly and without an end. */
export async function hasLastingOwner(db: Queryable, organizationId: string): Promise<boolean> {
  const row = await db.row(sql<{ held: boolean }>`
    select exists (
      select 1 from role r
      join role_grant g on g.organization_id = r.organization_id and g.role_id = r.id
        and g.ended_change is null and g.expires_at is null
      join member m on m.organization_id = g.organization_id and m.id = g.member_id and m.status = 'active'
      where r.organization_id = ${organizationId} and r.resource = 'organization' and r.key = 'owner'
    ) as held`)
  return row?.held ?? false
}
