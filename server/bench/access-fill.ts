import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'

/** How much an organization holds. Each member is in ten groups, and each group holds one role. */
export interface AccessSize {
  readonly members: number
  readonly groups: number
  readonly projects: number
}

export const GROUPS_PER_MEMBER = 10

/** A question, and its answer where it is one of yes and no. UUIDs. */
export interface AccessSample {
  readonly member_id: string
  readonly permission: string
  readonly project_id: string
  readonly allowed: boolean
}

const WORKSPACES = 10

/**
 * Fills an organization: a tenth of its members hold a role directly, the others through groups only; roles are on
 * the organization, on a workspace and on a project. Two sizes differ in everything but in what one member has.
 */
export async function fillAccess(
  database: Database,
  organizationId: string,
  slug: string,
  size: AccessSize,
): Promise<void> {
  await database.run(sql`
    insert into member (organization_id, id, external_reference_id, display_name, created_at, updated_at)
    select ${organizationId}, uuid_v7(), 'member-' || i, 'Person ' || i, now(), now()
    from generate_series(0, ${size.members - 1}::integer) i`)
  await database.run(sql`
    insert into org_group (organization_id, id, name, external_reference_id, created_seq, created_at, updated_at)
    select ${organizationId}, uuid_v7(), 'Group ' || i, 'group-' || i, 1000 + i, now(), now()
    from generate_series(0, ${size.groups - 1}::integer) i`)
  await database.run(sql`
    update change_counter set group_count = ${size.groups}, last_seq = last_seq + ${size.groups + 10_000}
    where organization_id = ${organizationId}`)
  await database.run(sql`
    insert into workspace (organization_id, id, slug, name, created_at, updated_at)
    select ${organizationId}, uuid_v7(), ${slug} || '-' || i, 'Workspace ' || i, now(), now()
    from generate_series(0, ${WORKSPACES - 1}::integer) i`)
  await database.run(sql`
    insert into project (organization_id, id, workspace_id, identifier, name, created_at, updated_at)
    select ${organizationId}, uuid_v7(), w.id, 'P' || i, 'Project ' || i, now(), now()
    from generate_series(0, ${size.projects - 1}::integer) i
    join workspace w on w.organization_id = ${organizationId} and w.slug = ${slug} || '-' || i % ${WORKSPACES}`)
  await database.run(sql`
    insert into role (organization_id, id, resource, name, name_key, permissions)
    select ${organizationId}, uuid_v7(), (array['organization', 'workspace', 'project'])[1 + i % 3],
      'Role ' || i, 'role ' || i, array['app.a' || i, 'app.b' || i, 'app.c' || i, 'app.d' || i, 'app.e' || i]
    from generate_series(0, ${size.groups - 1}::integer) i`)
  await database.run(sql`analyze`)
  await giveRoles(database, organizationId, slug, size)
  // Group by group, as they are filled in life: a member's rows lie far apart.
  await database.run(sql`
    insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
    select ${organizationId}, g.id, m.id, s.id, c.id
    from (select id, row_number() over (order by created_seq) - 1 as n from org_group
        where organization_id = ${organizationId}) g
    join (select id, substr(external_reference_id, 8)::integer as n from member
        where organization_id = ${organizationId} and external_reference_id like 'member-%') m
      on m.n % ${size.groups / GROUPS_PER_MEMBER}::integer = g.n % ${size.groups / GROUPS_PER_MEMBER}::integer
    cross join (select id from change where organization_id = ${organizationId} order by seq limit 1) c
    join grant_source s on s.organization_id = ${organizationId} and s.kind = 'member_sync'
    order by g.n`)
  await database.run(sql`vacuum analyze`)
}

/** Role `i` to group `i`, and to every tenth member one of them; a member's groups are spread over workspaces. */
async function giveRoles(
  database: Database,
  organizationId: string,
  slug: string,
  size: AccessSize,
): Promise<void> {
  await database.run(sql`
    insert into role_grant (organization_id, id, member_id, group_id, role_id, workspace_id, project_id, source_id,
      opened_change)
    select ${organizationId}, uuid_v7(), h.member_id, h.group_id, r.id, w.id, p.id, s.id, c.id
    from (
      select substr(external_reference_id, 7)::integer as n, null::uuid as member_id, id as group_id
      from org_group where organization_id = ${organizationId}
      union all
      select substr(external_reference_id, 8)::integer / 10, id, null
      from member where organization_id = ${organizationId} and external_reference_id like 'member-%0'
    ) h
    join role r on r.organization_id = ${organizationId} and r.name = 'Role ' || h.n
    left join workspace w on w.organization_id = ${organizationId} and r.resource = 'workspace'
      and w.slug = ${slug} || '-' || (h.n + h.n / ${size.groups / GROUPS_PER_MEMBER}::integer) % ${WORKSPACES}
    left join project p on p.organization_id = ${organizationId} and r.resource = 'project'
      and p.identifier = 'P' || h.n % ${size.projects}
    cross join (select id from change where organization_id = ${organizationId} order by seq limit 1) c
    join grant_source s on s.organization_id = ${organizationId} and s.kind = 'manual'`)
}

/** Questions about members from all over, half of them answered with no, the same at every call. */
export async function sampleAccess(
  database: Database,
  organizationId: string,
  size: AccessSize,
  count: number,
): Promise<AccessSample[]> {
  return await database.rows(sql<AccessSample>`
    with asked as (
      select i, 'member-' || (i::bigint * ${size.members} / ${count} + i % 10) % ${size.members} as reference, i % 2 = 0 as allowed
      from generate_series(0, ${count - 1}::integer) i
    )
    select m.id as member_id, p.id as project_id, a.allowed,
      case when a.allowed then held.permission else 'app.none' end as permission
    from asked a
    join member m on m.organization_id = ${organizationId} and m.external_reference_id = a.reference
    cross join lateral (
      select r.permissions[1 + a.i % 5] as permission, g.workspace_id, g.project_id
      from group_membership gm
      join role_grant g on g.organization_id = gm.organization_id and g.group_id = gm.group_id
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      where gm.organization_id = ${organizationId} and gm.member_id = m.id
      order by gm.group_id offset a.i % ${GROUPS_PER_MEMBER} limit 1
    ) held
    cross join lateral (
      select id from project
      where organization_id = ${organizationId} and (held.project_id is null or id = held.project_id)
        and (held.workspace_id is null or workspace_id = held.workspace_id)
      order by id limit 1
    ) p
    order by a.i`)
}
