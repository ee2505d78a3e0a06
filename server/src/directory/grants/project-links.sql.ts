import type { Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** Opens one role for a group on some projects, where the source does not give it already. */
export async function openProjectLinks(
  tx: Transaction,
  organizationId: string,
  links: { groupId: string; projectIds: readonly string[]; roleId: string; sourceId: string },
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    insert into role_grant (organization_id, id, group_id, role_id, project_id, source_id, opened_change)
    select ${organizationId}, uuid_v7(), ${links.groupId}, ${links.roleId}, p.id, ${links.sourceId}, ${changeId}
    from (select distinct id from unnest(${links.projectIds}::uuid[]) u (id)) p
    order by p.id
    on conflict do nothing`)
}

/** Ends what a group has on some projects, but this role without an end: that stays. */
export async function endOtherProjectLinks(
  tx: Transaction,
  organizationId: string,
  links: { groupId: string; projectIds: readonly string[]; roleId: string },
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant set ended_change = ${changeId}
    where organization_id = ${organizationId} and group_id = ${links.groupId}
      and project_id = any(${links.projectIds}) and ended_change is null
      and (role_id <> ${links.roleId} or expires_at is not null)`)
}

/** Ends what a group has on some projects now, from every source. */
export async function endProjectLinks(
  tx: Transaction,
  organizationId: string,
  links: { groupId: string; projectIds: readonly string[] },
  changeId: string,
): Promise<number> {
  return await tx.run(sql`
    update role_grant set ended_change = ${changeId}
    where organization_id = ${organizationId} and group_id = ${links.groupId}
      and project_id = any(${links.projectIds}) and ended_change is null
      and (expires_at is null or expires_at > now())`)
}
