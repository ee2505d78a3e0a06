import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { part, SqlFragment, type SqlPart, sql } from '../../platform/postgres/sql.ts'
import type { Level } from '../access/permission.ts'

export type MemberStatus = 'active' | 'suspended' | 'removed'

/** Optional personal attributes, as stored. */
export interface MemberAttributes {
  date_of_birth?: string
  phone?: string
  plan_id?: string
  address?: {
    address_line_1: string
    address_line_2?: string | null
    city: string
    state: string
    zipcode: string
  }
}

export interface MemberRow {
  id: string
  email: string | null
  email_key: string | null
  display_name: string | null
  first_name: string | null
  last_name: string | null
  external_reference_id: string | null
  attributes: MemberAttributes
  metadata: Record<string, unknown>
  status: MemberStatus
  merged_into: string | null
  version: number
  created_at: string
  updated_at: string
  level: Level
}

export interface MemberFields {
  email: string | null
  emailKey: string | null
  displayName: string | null
  firstName: string | null
  lastName: string | null
  externalReferenceId: string | null
  attributes: MemberAttributes
  metadata: Record<string, unknown>
}

export async function insertMember(
  tx: Transaction,
  organizationId: string,
  member: MemberFields & { id: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    insert into member (organization_id, id, email, email_key, display_name, first_name, last_name,
      external_reference_id, attributes, metadata, created_at, updated_at)
    values (${organizationId}, ${member.id}, ${member.email}, ${member.emailKey}, ${member.displayName},
      ${member.firstName}, ${member.lastName}, ${member.externalReferenceId},
      ${JSON.stringify(member.attributes)}, ${JSON.stringify(member.metadata)}, ${member.now}, ${member.now})`)
}

/** What identity providers say of a person. */
export type Person = Pick<MemberFields, 'email' | 'emailKey' | 'displayName' | 'firstName' | 'lastName'>

/** Sets what is known of a member, and its status, within a statement that does more; nothing unless `isChanged`. */
export function updatingMember(
  organizationId: string,
  member: Person & { id: string; status: MemberStatus; isChanged: boolean; now: Date },
): SqlPart {
  return part`
    update member set email = ${member.email}, email_key = ${member.emailKey},
      display_name = ${member.displayName}, first_name = ${member.firstName}, last_name = ${member.lastName},
      status = ${member.status}, version = version + 1, updated_at = ${member.now}
    where organization_id = ${organizationId} and id = ${member.id} and ${member.isChanged}::boolean`
}

/** A member's columns and its organization level: the highest that a live role gives, its own or a group's. */
export const MEMBER_COLUMNS = new SqlFragment(`m.*, coalesce((
    select case when bool_or(key = 'owner') then 'owner' else 'admin' end
    from (
      select r.key from role_grant g
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
        and r.resource = 'organization' and r.key in ('owner', 'admin')
      where g.organization_id = m.organization_id and g.member_id = m.id and g.ended_change is null
        and (g.expires_at is null or g.expires_at > now())
      union all
      select r.key from role r
      join role_grant g on g.organization_id = r.organization_id and g.role_id = r.id and g.group_id is not null
        and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
      where r.organization_id = m.organization_id and r.resource = 'organization' and r.key in ('owner', 'admin')
        -- Not joined: a table of memberships that is being filled would be read whole.
        and (
          select true from group_membership gm
          where gm.organization_id = g.organization_id and gm.group_id = g.group_id and gm.member_id = m.id
            and (gm.expires_at is null or gm.expires_at > now())
          limit 1)
    ) k
    having count(*) > 0), 'member') as level`)

/** A member with its organization level, whatever its status. */
export async function findMember(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<MemberRow | undefined> {
  return await db.row(sql<MemberRow>`
    select ${MEMBER_COLUMNS} from member m where m.organization_id = ${organizationId} and m.id = ${id}`)
}

/**
 * Locks a member until COMMIT against every other change, new grants included: a grant's foreign key waits for
 * this lock.
 */
export async function lockMember(tx: Transaction, organizationId: string, id: string): Promise<void> {
  await tx.run(sql`select 1 from member where organization_id = ${organizationId} and id = ${id} for update`)
}

/**
 * Keeps members until COMMIT from being removed, or taken out of a workspace, so that a grant that depends on either
 * is seen by whoever does that.
 */
export async function holdMembers(
  tx: Transaction,
  organizationId: string,
  ids: readonly string[],
): Promise<void> {
  await tx.run(sql`
    select 1 from member where organization_id = ${organizationId} and id = any(${ids}) order by id for key share`)
}

export interface MemberPage {
  afterId: string | null
  limit: number
  /** Absent: those not removed. */
  status: MemberStatus | null
}

/** The statuses a list shows. */
export function shownStatuses(page: MemberPage): MemberStatus[] {
  return page.status === null ? ['active', 'suspended'] : [page.status]
}

/** One page of members in the order of their creation. */
export async function listMembers(
  db: Queryable,
  organizationId: string,
  page: MemberPage,
): Promise<MemberRow[]> {
  return await db.rows(sql<MemberRow>`
    select ${MEMBER_COLUMNS} from member m
    where m.organization_id = ${organizationId}
      and m.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and m.status = any(${shownStatuses(page)})
    order by m.id limit ${page.limit}`)
}

/** Who has this address: one who is not removed at most, and any number of removed ones. */
export async function listMembersByEmail(
  db: Queryable,
  organizationId: string,
  emailKey: string,
  page: MemberPage,
): Promise<MemberRow[]> {
  return await db.rows(sql<MemberRow>`
    select ${MEMBER_COLUMNS} from member m
    where m.organization_id = ${organizationId} and m.email_key = ${emailKey}
      and m.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and m.status = any(${shownStatuses(page)})
    order by m.id limit ${page.limit}`)
}

/** Who has this reference id: one member at most, whatever its status. */
export async function listMembersByReference(
  db: Queryable,
  organizationId: string,
  externalReferenceId: string,
  page: MemberPage,
): Promise<MemberRow[]> {
  return await db.rows(sql<MemberRow>`
    select ${MEMBER_COLUMNS} from member m
    where m.organization_id = ${organizationId} and m.external_reference_id = ${externalReferenceId}
      and m.id > coalesce(${page.afterId}::uuid, '00000000-0000-0000-0000-000000000000')
      and m.status = any(${shownStatuses(page)})
    order by m.id limit ${page.limit}`)
}

export async function updateMemberFields(
  tx: Transaction,
  organizationId: string,
  member: MemberFields & { id: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    update member set email = ${member.email}, email_key = ${member.emailKey},
      display_name = ${member.displayName}, first_name = ${member.firstName}, last_name = ${member.lastName},
      external_reference_id = ${member.externalReferenceId}, attributes = ${JSON.stringify(member.attributes)},
      metadata = ${JSON.stringify(member.metadata)}, version = version + 1, updated_at = ${member.now}
    where organization_id = ${organizationId} and id = ${member.id}`)
}

export async function updateMemberStatus(
  tx: Transaction,
  organizationId: string,
  member: { id: string; status: MemberStatus; mergedInto: string | null; now: Date },
): Promise<void> {
  await tx.run(sql`
    update member set status = ${member.status}, merged_into = ${member.mergedInto}, version = version + 1,
      updated_at = ${member.now}
    where organization_id = ${organizationId} and id = ${member.id}`)
}

/** Members merged into one that is now merged itself follow it. */
export async function redirectMerged(
  tx: Transaction,
  organizationId: string,
  fromId: string,
  intoId: string,
): Promise<void> {
  await tx.run(sql`
    update member set merged_into = ${intoId}
    where organization_id = ${organizationId} and merged_into = ${fromId} and status = 'removed'`)
}
