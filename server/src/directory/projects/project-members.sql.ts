import type { Queryable } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { OrderedPage } from '../page.ts'

/** What somebody has on a project by grants of their own, not through groups or from above. */
interface HeldOnProject {
  /** The highest predefined role; null: custom ones only. */
  role_key: 'admin' | 'member' | 'viewer' | null
  /** Of the earliest grant that is live. */
  since: string
}

/** A member with a live role on a project. */
export interface ProjectMemberRow extends HeldOnProject {
  id: string
  email: string | null
  display_name: string | null
  first_name: string | null
  last_name: string | null
  external_reference_id: string | null
  status: 'active' | 'suspended' | 'removed'
}

/** A group with a live role on a project. */
export interface ProjectGroupRow extends HeldOnProject {
  id: string
  name: string
  /** The source that manages it: nobody else changes it. */
  managed_by: string | null
}

const LIVE = new SqlFragment('g.ended_change is null and (g.expires_at is null or g.expires_at > now())')

/** Teamspaces, which are on projects as well, are not among the groups. */
const IS_GROUP = new SqlFragment(`exists (
          select 1 from org_group k
          where k.organization_id = g.organization_id and k.id = g.group_id and k.kind = 'group')`)

/**
 * A page is read from one walk through the index, and all that it needs of other tables is found by keys, so that it
 * costs the same on a large project.
 */
const GRANTS = new SqlFragment('array_agg(g.role_id) as roles, array_agg(g.opened_change) as changes')
/** Of the change that is being made, the time is not known yet: it is the transaction's. */
const HELD = `(select case when bool_or(r.key = 'admin') then 'admin' when bool_or(r.key = 'member') then 'member'
          when bool_or(r.key = 'viewer') then 'viewer' end
        from role r where r.organization_id = page.organization_id and r.id = any (page.roles)) as role_key,
      coalesce((select min(c.at) from change c
        where c.organization_id = page.organization_id and c.id = any (page.changes)), now()) as since`
const MEMBERS = new SqlFragment(`select m.id, m.email, m.display_name, m.first_name, m.last_name,
      m.external_reference_id, m.status, ${HELD}
    from page join member m on m.organization_id = page.organization_id and m.id = page.member_id`)
const GROUPS = new SqlFragment(`select og.id, og.name, og.managed_by, ${HELD}
    from page join org_group og on og.organization_id = page.organization_id and og.id = page.group_id`)

/** One page of the members with a live role on a project, in the order of their ids. */
export async function listProjectMembers(
  db: Queryable,
  organizationId: string,
  projectId: string,
  { afterId, limit, order }: OrderedPage,
): Promise<ProjectMemberRow[]> {
  if (order === 'desc') {
    return await db.rows(sql<ProjectMemberRow>`
      with page as (
        select g.organization_id, g.member_id, ${GRANTS} from role_grant g
        where g.organization_id = ${organizationId} and g.project_id = ${projectId} and ${LIVE}
          and g.member_id < coalesce(${afterId}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        group by g.organization_id, g.member_id order by g.member_id desc limit ${limit}
      ) ${MEMBERS} order by m.id desc`)
  }
  return await db.rows(sql<ProjectMemberRow>`
    with page as (
      select g.organization_id, g.member_id, ${GRANTS} from role_grant g
      where g.organization_id = ${organizationId} and g.project_id = ${projectId} and ${LIVE}
        and g.member_id > coalesce(${afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      group by g.organization_id, g.member_id order by g.member_id limit ${limit}
    ) ${MEMBERS} order by m.id`)
}

/** A member, if it has a live role on the project. */
export async function findProjectMember(
  db: Queryable,
  organizationId: string,
  projectId: string,
  memberId: string,
): Promise<ProjectMemberRow | undefined> {
  return await db.row(sql<ProjectMemberRow>`
    with page as (
      select g.organization_id, g.member_id, ${GRANTS} from role_grant g
      where g.organization_id = ${organizationId} and g.project_id = ${projectId} and g.member_id = ${memberId}
        and ${LIVE}
      group by g.organization_id, g.member_id
    ) ${MEMBERS}`)
}

/** One page of the groups with a live role on a project, in the order of their ids. */
export async function listProjectGroups(
  db: Queryable,
  organizationId: string,
  projectId: string,
  { afterId, limit, order }: OrderedPage,
): Promise<ProjectGroupRow[]> {
  if (order === 'desc') {
    return await db.rows(sql<ProjectGroupRow>`
      with page as (
        select g.organization_id, g.group_id, ${GRANTS} from role_grant g
        where g.organization_id = ${organizationId} and g.project_id = ${projectId} and ${LIVE}
          and g.member_id is null and ${IS_GROUP} and g.group_id < coalesce(${afterId}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        group by g.organization_id, g.group_id order by g.group_id desc limit ${limit}
      ) ${GROUPS} order by og.id desc`)
  }
  return await db.rows(sql<ProjectGroupRow>`
    with page as (
      select g.organization_id, g.group_id, ${GRANTS} from role_grant g
      where g.organization_id = ${organizationId} and g.project_id = ${projectId} and ${LIVE}
        and g.member_id is null and ${IS_GROUP} and g.group_id > coalesce(${afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      group by g.organization_id, g.group_id order by g.group_id limit ${limit}
    ) ${GROUPS} order by og.id`)
}

/** A group, if it has a live role on the project. */
export async function findProjectGroup(
  db: Queryable,
  organizationId: string,
  projectId: string,
  groupId: string,
): Promise<ProjectGroupRow | undefined> {
  return await db.row(sql<ProjectGroupRow>`
    with page as (
      select g.organization_id, g.group_id, ${GRANTS} from role_grant g
      where g.organization_id = ${organizationId} and g.project_id = ${projectId} and g.member_id is null
        and g.group_id = ${groupId} and ${IS_GROUP} and ${LIVE}
      group by g.organization_id, g.group_id
    ) ${GROUPS}`)
}
