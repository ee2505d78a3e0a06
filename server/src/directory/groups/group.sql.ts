import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** A group of the organization, or a teamspace, which is a group of a workspace. */
export type GroupKind = 'group' | 'teamspace'

export interface GroupRow {
  id: string
  name: string
  external_reference_id: string | null
  metadata: Record<string, unknown>
  created_seq: number
  version: number
  created_at: string
  updated_at: string
  deleted_change: string | null
  /** The source that manages it: nobody else changes it. */
  managed_by: string | null
}

export interface GroupFields {
  name: string
  externalReferenceId: string | null
  metadata: Record<string, unknown>
}

export async function insertGroup(
  tx: Transaction,
  organizationId: string,
  group: GroupFields & {
    id: string
    createdSeq: number
    now: Date
    kind?: GroupKind
    /** The source that manages it. */
    managedBy?: string
  },
): Promise<GroupRow> {
  const row = await tx.row(sql<GroupRow>`
    insert into org_group (organization_id, id, name, external_reference_id, metadata, created_seq, created_at,
      updated_at, kind, managed_by)
    values (${organizationId}, ${group.id}, ${group.name}, ${group.externalReferenceId},
      ${JSON.stringify(group.metadata)}, ${group.createdSeq}, ${group.now}, ${group.now}, ${group.kind ?? 'group'},
      ${group.managedBy ?? null})
    returning *`)
  return row!
}

/** A group that is not deleted. */
export async function findGroup(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<GroupRow | undefined> {
  return await db.row(sql<GroupRow>`
    select * from org_group
    where organization_id = ${organizationId} and id = ${id} and kind = 'group' and deleted_change is null`)
}

/**
 * Locks a group until COMMIT against other changes of its members as a whole; single grants to it go on.
 */
export async function lockGroup(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<GroupRow | undefined> {
  return await tx.row(sql<GroupRow>`
    select * from org_group
    where organization_id = ${organizationId} and id = ${id} and kind = 'group' and deleted_change is null
    for no key update`)
}

export async function lockGroupAgainstGrants(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<void> {
  await tx.run(
    sql`select 1 from org_group where organization_id = ${organizationId} and id = ${id} for update`,
  )
}

/** Groups in the order of their creation, after a group's number. */
export async function listGroups(
  db: Queryable,
  organizationId: string,
  page: { afterSeq: number; offset: number; limit: number },
): Promise<GroupRow[]> {
  return await db.rows(sql<GroupRow>`
    select * from org_group
    where organization_id = ${organizationId} and created_seq > ${page.afterSeq} and kind = 'group'
      and deleted_change is null
    order by created_seq offset ${page.offset} limit ${page.limit}`)
}

export async function listGroupsByReference(
  db: Queryable,
  organizationId: string,
  externalReferenceId: string,
): Promise<GroupRow[]> {
  return await db.rows(sql<GroupRow>`
    select * from org_group
    where organization_id = ${organizationId} and external_reference_id = ${externalReferenceId}
      and kind = 'group' and deleted_change is null`)
}

export interface GroupCounts {
  group_count: number
  group_moves: number
}

/** The kept counts of an organization's list of groups. */
export async function findGroupCounts(db: Queryable, organizationId: string): Promise<GroupCounts> {
  const row = await db.row(sql<GroupCounts>`
    select group_count, group_moves from change_counter where organization_id = ${organizationId}`)
  return row ?? { group_count: 0, group_moves: 0 }
}

export async function updateGroup(
  tx: Transaction,
  organizationId: string,
  group: GroupFields & { id: string; now: Date },
): Promise<GroupRow> {
  const row = await tx.row(sql<GroupRow>`
    update org_group set name = ${group.name}, external_reference_id = ${group.externalReferenceId},
      metadata = ${JSON.stringify(group.metadata)}, version = version + 1, updated_at = ${group.now}
    where organization_id = ${organizationId} and id = ${group.id} returning *`)
  return row!
}

/** Gives a managed group the name it has at its connection. */
export async function renameGroup(
  tx: Transaction,
  organizationId: string,
  group: { id: string; name: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    update org_group set name = ${group.name}, version = version + 1, updated_at = ${group.now}
    where organization_id = ${organizationId} and id = ${group.id}`)
}

/** Lets a group be managed by nobody. */
export async function releaseGroup(
  tx: Transaction,
  organizationId: string,
  group: { id: string; now: Date },
): Promise<void> {
  await tx.run(sql`
    update org_group set managed_by = null, version = version + 1, updated_at = ${group.now}
    where organization_id = ${organizationId} and id = ${group.id} and managed_by is not null`)
}

/** Whether a connection asserts the group. */
export async function isAssertedGroup(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from scim_group where organization_id = ${organizationId} and id = ${id}`)
  return row !== undefined
}

/** Marks a group as deleted by a change, or as not deleted any more. */
export async function markGroupDeleted(
  tx: Transaction,
  organizationId: string,
  group: { id: string; deletedChange: string | null; now: Date },
): Promise<void> {
  await tx.run(sql`
    update org_group set deleted_change = ${group.deletedChange}, version = version + 1,
      updated_at = ${group.now}
    where organization_id = ${organizationId} and id = ${group.id}`)
}

export async function groupIsDeletedBy(
  db: Queryable,
  organizationId: string,
  id: string,
  changeId: string,
): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from org_group
    where organization_id = ${organizationId} and id = ${id} and deleted_change = ${changeId}`)
  return row !== undefined
}

/** Whether there is such a group, or was before it was deleted. */
export async function groupHasExisted(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const row = await db.row(sql<{ found: number }>`
    select 1 as found from org_group where organization_id = ${organizationId} and id = ${id} and kind = 'group'`)
  return row !== undefined
}
