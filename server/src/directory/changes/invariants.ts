import type { Statement } from '../../platform/postgres/sql.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import {
  expectingUntouched,
  findTouched,
  listGuestsWithTooMuch,
  listLeftWithoutAdmin,
  listOverdrawnWorkspaces,
  type StatusChange,
} from './invariants.sql.ts'

/**
 * Looks at what a change did before it is committed, whatever operation made it: seats, the last admin of a project
 * or workspace, and what guests may have. The caller holds the organization's counter, which every change takes
 * last: all changes before this one are committed and seen, and none comes in between, so no rule needs a lock of
 * its own and no path can go around it (docs/decisions/0009-containers.md).
 *
 * @throws {DirectoryError} workspace.seats_exhausted, project.sole_admin, workspace.sole_admin, role.guest_limit
 */
export async function requireInvariants(context: Context): Promise<void> {
  const { db, organizationId, change } = context
  if (!needsInvariants(context)) return
  const status = statusChange(context)
  const hasOpened = change.opened > 0
  const touched = await findTouched(db, organizationId, change.id, { ...status, hasOpened })
  if (touched.seats) await requireSeats(context, status)
  if (touched.admins) await requireAdmins(context, status)
  if (touched.guests) await requireGuestLimits(context)
}

/** Fails with a division by zero if the change touched what a rule is about. Runs while the counter is held, too. */
export function expectingInvariants(context: Context): Statement<never> {
  const { organizationId, change } = context
  return expectingUntouched(organizationId, change.id, {
    ...statusChange(context),
    hasOpened: change.opened > 0,
  })
}

/** Whether a change may have broken a rule at all, as far as it says itself. */
export function needsInvariants(context: Context): boolean {
  const { change } = context
  if (change.record === undefined) return false
  if (change.opened + change.ended > 0) return true
  if (change.holdsNothing) return false
  const { becameActive, becameInactive } = statusChange(context)
  // Who is no longer active gives seats back, and may have been the last admin.
  return becameActive || (becameInactive && mayLeaveWithoutAdmin(context))
}

/** Whether the rule of the last admin holds for a change. */
function mayLeaveWithoutAdmin({ change, actor }: Context): boolean {
  // Time itself ends grants that have an end; it cannot be refused.
  if (change.record?.kind === 'grants.expired') return false
  // An identity provider takes somebody's access away at once: whoever is left without an admin has the owners.
  return actor.kind !== 'scim_connection'
}

function statusChange({ change }: Context): StatusChange {
  const record = change.record!
  const status = record.kind === 'change.undone' ? record.detail?.status : undefined
  return {
    memberId: record.memberId ?? null,
    becameActive: record.kind === 'member.reactivated' || status === 'active',
    becameInactive: record.kind === 'member.suspended' || status === 'suspended',
  }
}

async function requireSeats({ db, organizationId, change }: Context, status: StatusChange): Promise<void> {
  const [full] = await listOverdrawnWorkspaces(db, organizationId, change.id, status)
  if (full === undefined) return
  throw new DirectoryError(
    'workspace.seats_exhausted',
    `The workspace ${full.name} has ${full.purchased_seats} ${full.purchased_seats === 1 ? 'seat' : 'seats'}, and this would take ${full.used_seats}.`,
    { context: { workspace: full.slug, purchased_seats: full.purchased_seats, used_seats: full.used_seats } },
  )
}

/** Projects named in one refusal at most. */
const NAMED_MAX = 100

async function requireAdmins(context: Context, status: StatusChange): Promise<void> {
  const { db, organizationId, change } = context
  if (!mayLeaveWithoutAdmin(context)) return
  const left = await listLeftWithoutAdmin(db, organizationId, change.id, status)
  const [first] = left
  if (first === undefined) return
  const names = left.slice(0, NAMED_MAX).map(({ name }) => name)
  throw new DirectoryError(
    `${first.kind}.sole_admin`,
    `This would leave ${names.join(', ')} without an admin: make another member an admin first.`,
    { context: { [`${first.kind}s`]: left.slice(0, NAMED_MAX).map(({ id, name }) => ({ id, name })) } },
  )
}

async function requireGuestLimits({ db, organizationId, change }: Context): Promise<void> {
  const [guest] = await listGuestsWithTooMuch(db, organizationId, change.id)
  if (guest === undefined) return
  throw new DirectoryError(
    'role.guest_limit',
    `A guest of the workspace cannot have the role ${guest.role_name} on ${guest.project_name}.`,
    { field: 'role' },
  )
}
