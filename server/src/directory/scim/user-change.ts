import { uuidV7 } from '../../platform/uuid.ts'
import type { ChangeRecord } from '../changes/change-draft.ts'
import { finishWith, type PreparedChange } from '../changes/prepared-change.ts'
import type { Context, ReadContext } from '../context.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import type { MemberStatus, Person } from '../members/member.sql.ts'
import { requireLastingOwner } from '../members/member.ts'
import { requireVersion } from '../version.ts'
import { connectionOf } from './connection.ts'
import { updatingUser } from './prepared-user.ts'
import { restoreAssertedGrants } from './projection.sql.ts'
import { isSamePerson, personOf, withStated } from './stated-person.ts'
import {
  findProvisionedPerson,
  lockScimUser,
  type ProvisionedPersonRow,
  type ScimUserRow,
} from './user.sql.ts'
import { endWaysIn, KIND_OF_STATUS, rowsOf, type ScimUserWrite, toMoment, toRow } from './user.ts'
import { updateUserAndMember } from './user-change.sql.ts'
import { userConflict, userNotFound } from './user-refusals.ts'

/** What changes users say: how the resource is to be, from how it is. */
export type ScimUserTransform = (row: ScimUserRow) => ScimUserWrite | undefined

/**
 * Changes a user in one step: nobody else changes it between the reading and the writing. Deactivation suspends the
 * member, revokes its keys and its pending invitations; activation makes active again whom a deactivation suspended.
 *
 * @param transform undefined: nothing is to change
 * @param expectedVersion refuses (version.mismatch) if the user has moved on; absent: no check
 * @throws {DirectoryError} scim_user.not_found, scim_user.user_name_taken, member.email_taken, request.invalid,
 *   organization.last_owner, workspace.seats_exhausted, version.mismatch
 */
export async function changeScimUser(
  context: Context,
  id: string,
  transform: ScimUserTransform,
  expectedVersion?: number,
): Promise<ScimUserRow> {
  const { db, organizationId, change, now } = context
  const connectionId = connectionOf(context)
  const before = await lockScimUser(db, organizationId, { connectionId, id })
  const wanted = readChange(before, transform, expectedVersion)
  if (wanted === undefined) return before!
  const changing = changingTo(before!, wanted)
  const { person, status, isStatusNew, suspendedMember, record } = changing
  const isDeactivated = before!.active && !wanted.active
  if (!isStatusNew && !isDeactivated) {
    return finishWith(context, updating(before!, wanted, changing, change.id, now))
  }
  const memberId = before!.member_id
  const addressKeys = [before!.email_key, person.emailKey]
  const standing = await updateUserAndMember(
    db,
    organizationId,
    { ...wanted, id, memberId, suspendedMember, isDeactivated, addressKeys, now },
    { ...person, status, isChanged: changing.isPersonNew },
  ).catch(userConflict)
  if (isDeactivated && standing.is_invited) await endWaysIn(context, addressKeys)
  if (isDeactivated && standing.is_owner) {
    await lockOwners(db, organizationId)
    await requireLastingOwner(context)
  }
  if (before!.member_status === 'removed' && status === 'active') {
    change.count({
      opened: await restoreAssertedGrants(db, organizationId, { id: memberId, changeId: change.id }),
    })
  }
  change.describe(record)
  change.holdsNothing = !standing.holds_something
  return rowAfter(before!, wanted, now)
}

/**
 * The same, prepared. Undefined where it is about more than its own rows, as far as is known: a new userName, a new
 * address, a member who comes back or whose status somebody has set by hand.
 *
 * @throws as `changeScimUser`
 */
export async function prepareScimUserChange(
  context: ReadContext,
  id: string,
  transform: ScimUserTransform,
  expectedVersion?: number,
): Promise<PreparedChange<ScimUserRow> | undefined> {
  const connectionId = connectionOf(context)
  const before = await findProvisionedPerson(context.db, context.organizationId, { connectionId, id })
  const wanted = readChange(before, transform, expectedVersion)
  if (wanted === undefined) return { result: () => before! }
  const changing = changingTo(before!, wanted)
  const isTurned = wanted.active !== before!.active
  const isOwnMatter =
    before!.member_status !== 'removed' &&
    wanted.userNameKey === before!.user_name_key &&
    changing.person.emailKey === before!.email_key &&
    isTurned === changing.isStatusNew
  return isOwnMatter ? updating(before!, wanted, changing, uuidV7(), new Date()) : undefined
}

/** How a user is to be; undefined: as it is. @throws {DirectoryError} scim_user.not_found, version.mismatch */
function readChange(
  before: ProvisionedPersonRow | undefined,
  transform: ScimUserTransform,
  expectedVersion: number | undefined,
): ScimUserWrite | undefined {
  if (before === undefined) throw userNotFound()
  requireVersion(before.version, expectedVersion)
  return transform(before)
}

/** What a change of a user makes of the member it stands for. */
interface Changing {
  readonly person: Person
  readonly status: MemberStatus
  readonly suspendedMember: boolean
  readonly isStatusNew: boolean
  readonly isPersonNew: boolean
  readonly record: ChangeRecord & { readonly detail: Record<string, unknown> }
}

function changingTo(before: ProvisionedPersonRow, wanted: ScimUserWrite): Changing {
  const wasPerson = personOf(before)
  const person = withStated(wasPerson, wanted.person)
  const { status, suspendedMember } = statusAfter(before, wanted.active)
  const isStatusNew = status !== before.member_status
  const record = {
    kind: isStatusNew ? KIND_OF_STATUS[status] : 'scim_user.updated',
    memberId: before.member_id,
    detail: { scim_user: before.id },
  } as const
  const isPersonNew = isStatusNew || !isSamePerson(person, wasPerson)
  return { person, status, suspendedMember, isStatusNew, isPersonNew, record }
}

/**
 * What becomes of the member. Whom somebody suspended by hand stays suspended; whom somebody removed by hand comes back
 * when the identity provider activates it anew.
 */
function statusAfter(
  before: ProvisionedPersonRow,
  active: boolean,
): { status: MemberStatus; suspendedMember: boolean } {
  const { member_status: status, suspended_member: suspendedMember } = before
  if (active === before.active || before.is_merged) return { status, suspendedMember }
  if (!active && status === 'active') return { status: 'suspended', suspendedMember: true }
  if (!active) return { status, suspendedMember: false }
  const isBack = status === 'removed' || suspendedMember
  return { status: isBack ? 'active' : status, suspendedMember: false }
}

function updating(
  before: ProvisionedPersonRow,
  wanted: ScimUserWrite,
  { person, status, suspendedMember, isStatusNew, isPersonNew, record }: Changing,
  changeId: string,
  now: Date,
): PreparedChange<ScimUserRow> {
  const { id, member_id, row_version, member_row_version } = before
  const row = {
    ...rowsOf(wanted, person),
    ...{ id, member_id, row_version, member_row_version, status, is_person_new: isPersonNew },
    ...{ suspended_member: suspendedMember, now },
    ...{ change_id: changeId, kind: record.kind, detail: record.detail },
  }
  const turns = isStatusNew ? (wanted.active ? 'on' : 'off') : undefined
  return {
    result: () => rowAfter(before, wanted, now),
    write: { ...updatingUser(row, turns), record, refuse: userConflict },
  }
}

function rowAfter(before: ProvisionedPersonRow, wanted: ScimUserWrite, now: Date): ScimUserRow {
  const { id, groups, created_at } = before
  const row = toRow(wanted, id, { version: before.version + 1, created_at, updated_at: toMoment(now) })
  return { ...row, groups }
}
