import { Conflict } from '../changes/conflicts.ts'
import type { Context, ReadContext } from '../context.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import { endInvitationsOfEmail } from '../invitations/pending.ts'
import { endAccess } from '../members/lifecycle.ts'
import { type MemberStatus, type Person, updateMemberStatus } from '../members/member.sql.ts'
import { requireLastingOwner } from '../members/member.ts'
import { requireVersion } from '../version.ts'
import { connectionOf } from './connection.ts'
import { lockScimGroupsOfUser } from './group.sql.ts'
import { requestGroupSync } from './group-sync.ts'
import { leaveUsers } from './roster.sql.ts'
import type { StatedPerson } from './stated-person.ts'
import {
  deleteScimUser as deleteScimUserRow,
  findScimUser,
  lockScimUser,
  type ScimUserFields,
  type ScimUserRow,
} from './user.sql.ts'
import { userNotFound } from './user-refusals.ts'

export type { ScimUserRow } from './user.sql.ts'

export type ScimUserWrite = ScimUserFields & { readonly person: StatedPerson }

/** @throws {DirectoryError} scim_user.not_found */
export async function getScimUser(context: ReadContext, id: string): Promise<ScimUserRow> {
  const connectionId = connectionOf(context)
  const row = await findScimUser(context.db, context.organizationId, { connectionId, id })
  if (row === undefined) throw userNotFound()
  return row
}

/**
 * Deprovisions a user for good: removes the member, ends every grant, key and pending invitation, and forgets what was
 * provisioned. The member's row and its history stay; the same person can be provisioned again.
 *
 * @param expectedVersion refuses (version.mismatch) if the user has moved on; absent: no check
 * @throws {DirectoryError} scim_user.not_found, organization.last_owner, version.mismatch
 */
export async function deleteScimUser(context: Context, id: string, expectedVersion?: number): Promise<void> {
  const { db, organizationId, change, now } = context
  const connectionId = connectionOf(context)
  await lockOwners(db, organizationId)
  // Groups come before users, as for whoever adds users to them.
  const groups = await lockScimGroupsOfUser(db, organizationId, id)
  const before = await lockScimUser(db, organizationId, { connectionId, id })
  if (before === undefined) throw userNotFound()
  requireVersion(before.version, expectedVersion)
  const memberId = before.member_id
  if (before.member_status !== 'removed') {
    await endAccess(context, memberId)
    await updateMemberStatus(db, organizationId, { id: memberId, status: 'removed', mergedInto: null, now })
    if (before.email_key !== null) await endInvitationsOfEmail(context, before.email_key)
    await requireLastingOwner(context)
  }
  // Before the userName is free: whoever takes it next waits here, and not for the row.
  await leaveUsers(db, organizationId, connectionId)
  const { left, due } = await deleteScimUserRow(db, organizationId, { id, memberId, now })
  if (left > groups) throw new Conflict('joined a group meanwhile')
  if (due > 0) await requestGroupSync(context)
  const detail = { scim_user: id, before: before.member_status }
  change.describe({ kind: 'member.removed', memberId, detail })
}

export const KIND_OF_STATUS = {
  active: 'member.reactivated',
  suspended: 'member.suspended',
  removed: 'member.removed',
} as const satisfies Record<MemberStatus, string>

/** What a deactivation ends beside the keys: what is pending of the address, the old one and the new one. */
export async function endWaysIn(context: Context, emailKeys: readonly (string | null)[]): Promise<void> {
  for (const emailKey of new Set(emailKeys)) {
    if (emailKey !== null) await endInvitationsOfEmail(context, emailKey)
  }
}

export function toRow(
  user: ScimUserFields,
  id: string,
  stored: { version: number; created_at: string; updated_at: string },
): ScimUserRow {
  const { userName, externalId, active, document } = user
  return { ...stored, id, user_name: userName, external_id: externalId, active, document, groups: null }
}

/** What is stored of a user and of the member it stands for, under the names of its columns. */
export function rowsOf({ searched, ...user }: ScimUserFields, person: Person) {
  return {
    ...{ user_name: user.userName, user_name_key: user.userNameKey, external_id: user.externalId },
    ...{ active: user.active, document: searched === null ? null : user.document },
    ...{ search: searched?.search ?? null, email_keys: searched?.emailKeys ?? null },
    ...{ email: person.email, email_key: person.emailKey, display_name: person.displayName },
    ...{ first_name: person.firstName, last_name: person.lastName },
  }
}

/** A time as PostgreSQL keeps it and answers show it. */
export const toMoment = (time: Date) => time.toISOString().replace('Z', '000Z')
