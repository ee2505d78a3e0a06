import { uuidV7 } from '../../platform/uuid.ts'
import { Conflict } from '../changes/conflicts.ts'
import { finishWith, type PreparedChange } from '../changes/prepared-change.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import type { Person } from '../members/member.sql.ts'
import { requireLastingOwner } from '../members/member.ts'
import { connectionOf } from './connection.ts'
import type { CreatedRow } from './prepared-user.sql.ts'
import { creating } from './prepared-user.ts'
import { isSamePerson, NOBODY, personOf, withoutSilence, withStated } from './stated-person.ts'
import type { ScimUserRow } from './user.sql.ts'
import { endWaysIn, KIND_OF_STATUS, rowsOf, type ScimUserWrite, toMoment, toRow } from './user.ts'
import { type FoundPersonRow, insertUserOfMember, lockPersonByEmail } from './user-creation.sql.ts'
import { newUserConflict, userConflict } from './user-refusals.ts'

/**
 * Provisions a user: makes a member, or takes over the member with the same address, if the organization has proven
 * the address's domain and no connection provisions that member yet; or brings back whom this connection removed.
 *
 * @throws {DirectoryError} scim_user.user_name_taken, scim_user.member_taken, request.invalid (the address),
 *   organization.last_owner (an inactive user takes over the last owner)
 */
export async function createScimUser(context: Context, user: ScimUserWrite): Promise<ScimUserRow> {
  const { db, organizationId, now } = context
  const connectionId = connectionOf(context)
  const stated = withStated(NOBODY, user.person)
  // Before the member it may take over, as for whoever ends somebody.
  if (!user.active) await lockOwners(db, organizationId)
  const { emailKey } = stated
  const found =
    emailKey === null
      ? undefined
      : await lockPersonByEmail(db, organizationId, {
          ...{ connectionId, emailKey, domain: emailKey.slice(emailKey.lastIndexOf('@') + 1) },
        })
  if (found === undefined) return finishWith(context, newPerson(user, stated, context.change.id, now, false))
  const id = uuidV7()
  const stored = await takeOver(context, found, { ...user, id, connectionId, memberId: found.id, now })
  return toRow(user, id, stored)
}

/**
 * The same for somebody who is new, prepared: nothing is read before. Whose address a member has or had takes the other
 * way.
 *
 * @throws as `createScimUser`
 */
export function prepareNewScimUser(user: ScimUserWrite): PreparedChange<ScimUserRow> {
  return newPerson(user, withStated(NOBODY, user.person), uuidV7(), new Date(), true)
}

function newPerson(
  user: ScimUserWrite,
  person: Person,
  changeId: string,
  now: Date,
  leavesKnown: boolean,
): PreparedChange<ScimUserRow> {
  const id = uuidV7()
  const memberId = uuidV7()
  const record = { kind: 'member.created', memberId, detail: { level: 'member', scim_user: id } } as const
  const status = user.active ? 'active' : 'suspended'
  return {
    result(row) {
      if (leavesKnown && !(row as CreatedRow).is_new) throw new Conflict('a member has or had the address')
      return toRow(user, id, { version: 1, created_at: toMoment(now), updated_at: toMoment(now) })
    },
    write: {
      ...creating(
        {
          ...rowsOf(user, person),
          ...{ id, member_id: memberId, status, suspended_member: !user.active, now },
          ...{ change_id: changeId, kind: record.kind, detail: record.detail },
        },
        leavesKnown,
      ),
      record,
      refuse: newUserConflict,
    },
  }
}

async function takeOver(
  context: Context,
  found: FoundPersonRow,
  user: ScimUserWrite & { id: string; connectionId: string; memberId: string; now: Date },
) {
  const { db, organizationId, change } = context
  const isBack = found.status === 'removed'
  if (found.is_provisioned || (!isBack && !found.is_domain_verified)) {
    const why = found.is_provisioned
      ? 'and an identity provider provisions it already'
      : 'and the domain of the address is not verified: verify it to let this connection manage that member'
    throw new DirectoryError(
      'scim_user.member_taken',
      `A member of the organization has this address, ${why}.`,
      { field: 'emails' },
    )
  }
  const before = personOf(found)
  const person = withStated(before, withoutSilence(user.person))
  const status = user.active ? (isBack ? 'active' : found.status) : 'suspended'
  const suspendedMember = !user.active && found.status !== 'suspended'
  const isChanged = status !== found.status || !isSamePerson(person, before)
  const stored = await insertUserOfMember(
    db,
    organizationId,
    { ...user, suspendedMember },
    { ...person, status, isChanged },
  ).catch(userConflict)
  if (!user.active) {
    await endWaysIn(context, [found.email_key, person.emailKey])
    await requireLastingOwner(context)
  }
  const kind = status === found.status ? 'scim_user.linked' : KIND_OF_STATUS[status]
  change.describe({ kind, memberId: found.id, detail: { scim_user: user.id } })
  return stored
}
