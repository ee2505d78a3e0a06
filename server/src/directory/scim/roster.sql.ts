import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { part, type SqlPart, sql } from '../../platform/postgres/sql.ts'
import { DirectoryError } from '../errors.ts'

export interface RosterRow {
  source_id: string
  user_count: number
  user_moves: number
  group_count: number
  group_moves: number
}

/** Its identity provider was deleted since the token was looked at. @throws {DirectoryError} authentication.invalid */
export function connectionGone(): never {
  throw new DirectoryError('authentication.invalid', 'The SCIM connection is deleted.')
}

/** A connection's lists, empty. */
export async function insertRoster(
  tx: Transaction,
  organizationId: string,
  connection: { id: string; sourceId: string },
): Promise<void> {
  await tx.run(sql`
    insert into scim_roster (organization_id, connection_id, source_id)
    values (${organizationId}, ${connection.id}, ${connection.sourceId})`)
}

export async function findRoster(
  db: Queryable,
  organizationId: string,
  connectionId: string,
): Promise<RosterRow | undefined> {
  return await db.row(sql<RosterRow>`
    select source_id, user_count, user_moves, group_count, group_moves from scim_roster
    where organization_id = ${organizationId} and connection_id = ${connectionId}`)
}

/**
 * The place of a new user at the end of the list, within a statement that does more. Locks the lists until COMMIT: to
 * be taken shortly before the organization's counter, never after it.
 */
export function appendingUser(organizationId: string, connectionId: string): SqlPart {
  return part`
    update scim_roster set last_user_seq = last_user_seq + 1, user_count = user_count + 1
    where organization_id = ${organizationId} and connection_id = ${connectionId}
    returning last_user_seq as seq`
}

export async function leaveUsers(
  tx: Transaction,
  organizationId: string,
  connectionId: string,
): Promise<void> {
  await tx.run(sql`
    update scim_roster set user_count = user_count - 1, user_moves = user_moves + 1
    where organization_id = ${organizationId} and connection_id = ${connectionId}`)
}

/** The place of a new group at the end of the list, and the source of what the connection gives. */
export async function appendGroup(
  tx: Transaction,
  organizationId: string,
  connectionId: string,
): Promise<{ seq: number; source_id: string }> {
  const row = await tx.row(sql<{ seq: number; source_id: string }>`
    update scim_roster set last_group_seq = last_group_seq + 1, group_count = group_count + 1
    where organization_id = ${organizationId} and connection_id = ${connectionId}
    returning last_group_seq as seq, source_id`)
  return row ?? connectionGone()
}

/** Keeps names from being taken in the list until COMMIT, so that whoever adds to it never waits for a renaming. */
export async function lockRoster(
  tx: Transaction,
  organizationId: string,
  connectionId: string,
): Promise<void> {
  await tx.run(sql`
    select 1 from scim_roster
    where organization_id = ${organizationId} and connection_id = ${connectionId} for no key update`)
}

export async function leaveGroups(
  tx: Transaction,
  organizationId: string,
  connectionId: string,
): Promise<void> {
  await tx.run(sql`
    update scim_roster set group_count = group_count - 1, group_moves = group_moves + 1
    where organization_id = ${organizationId} and connection_id = ${connectionId}`)
}
