import type { Queryable } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { OrderedPage } from '../page.ts'
import type { GroupRow } from './group.sql.ts'

/** A group's place in the order of lists, also of one that is deleted. */
export async function findGroupPlace(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<number | undefined> {
  const row = await db.row(sql<{ created_seq: number }>`
    select created_seq from org_group where organization_id = ${organizationId} and id = ${id}`)
  return row?.created_seq
}

/** Groups in the order of their creation or against it, after a place; null: from the first. */
export async function listGroupsInOrder(
  db: Queryable,
  organizationId: string,
  afterSeq: number | null,
  page: Pick<OrderedPage, 'limit' | 'order'>,
): Promise<GroupRow[]> {
  if (page.order === 'desc') {
    return await db.rows(sql<GroupRow>`
      select * from org_group
      where organization_id = ${organizationId} and kind = 'group' and deleted_change is null
        and created_seq < coalesce(${afterSeq}::bigint, 9223372036854775807)
      order by created_seq desc limit ${page.limit}`)
  }
  return await db.rows(sql<GroupRow>`
    select * from org_group
    where organization_id = ${organizationId} and kind = 'group' and deleted_change is null
      and created_seq > coalesce(${afterSeq}::bigint, 0)
    order by created_seq limit ${page.limit}`)
}

/** A member as one of a group, with nothing of why. */
export interface GroupUserRow {
  id: string
  email: string | null
  display_name: string | null
  first_name: string | null
  last_name: string | null
  external_reference_id: string | null
}

const NIL_UUID = '00000000-0000-0000-0000-000000000000'
const MAX_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Who is in a group now, each once, in the order of their ids or against it. */
export async function listMembersOfGroup(
  db: Queryable,
  organizationId: string,
  groupId: string,
  page: OrderedPage,
): Promise<GroupUserRow[]> {
  // In the order of the primary key either way, then each member by its own: a page of a large group costs what a page
  // costs, also where the planner does not know how short it is.
  if (page.order === 'desc') {
    return await db.rows(sql<GroupUserRow>`
      select m.id, m.email, m.display_name, m.first_name, m.last_name, m.external_reference_id
      from (
        select distinct member_id from group_membership
        where organization_id = ${organizationId} and group_id = ${groupId}
          and member_id < ${page.afterId ?? MAX_UUID} and (expires_at is null or expires_at > now())
        order by member_id desc limit ${page.limit}
      ) g
      cross join lateral (
        select * from member where organization_id = ${organizationId} and id = g.member_id limit 1
      ) m
      order by m.id desc`)
  }
  return await db.rows(sql<GroupUserRow>`
    select m.id, m.email, m.display_name, m.first_name, m.last_name, m.external_reference_id
    from (
      select distinct member_id from group_membership
      where organization_id = ${organizationId} and group_id = ${groupId}
        and member_id > ${page.afterId ?? NIL_UUID} and (expires_at is null or expires_at > now())
      order by member_id limit ${page.limit}
    ) g
    cross join lateral (
      select * from member where organization_id = ${organizationId} and id = g.member_id limit 1
    ) m
    order by m.id`)
}

/** One who is in a group now. */
export async function findMemberOfGroup(
  db: Queryable,
  organizationId: string,
  groupId: string,
  memberId: string,
): Promise<GroupUserRow | undefined> {
  return await db.row(sql<GroupUserRow>`
    select m.id, m.email, m.display_name, m.first_name, m.last_name, m.external_reference_id
    from member m
    where m.organization_id = ${organizationId} and m.id = ${memberId} and exists (
      select 1 from group_membership
      where organization_id = ${organizationId} and group_id = ${groupId} and member_id = ${memberId}
        and (expires_at is null or expires_at > now()))`)
}
