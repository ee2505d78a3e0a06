import { requireMayGiveOpened, requireMayTakeEnded } from '../access/authority.ts'
import { type Permission, requirePermission } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { lockOwners } from '../grants/role-grant.sql.ts'
import { restoreGroupRow } from '../groups/group.ts'
import { updateMemberStatus } from '../members/member.sql.ts'
import {
  memberConflict,
  requireLastingOwner,
  requireLockedMember,
  requireMayTouch,
} from '../members/member.ts'
import { restorePage } from '../pages/page.ts'
import { restoreRole } from '../roles/role.ts'
import { requireProvisioned } from '../scim/deprovisioned.ts'
import { restoreAssertedGrants } from '../scim/projection.sql.ts'
import { restoreTeamspace } from '../teamspaces/teamspace.ts'
import { addPurchasedSeats } from '../workspaces/workspace-members.sql.ts'
import { type ChangeRow, findChange } from './change.sql.ts'
import type { ChangeKind } from './change-draft.ts'
import { Conflict } from './conflicts.ts'
import {
  endMembershipsOpenedBy,
  endRoleGrantsOpenedBy,
  lockChange,
  lockGroupsOfChange,
  reopenMembershipsEndedBy,
  reopenRoleGrantsEndedBy,
  statusWasSetSince,
  type UndoRefusal,
} from './undo.sql.ts'

/** Changes whose effects are grants and statuses: those can be given back. */
const UNDOABLE: ReadonlySet<ChangeKind> = new Set<ChangeKind>([
  'group.member_added',
  'group.member_removed',
  'group.members_synced',
  'group.deleted',
  'member.level_changed',
  'member.suspended',
  'member.reactivated',
  'member.removed',
  'member.left',
  'workspace.member_role_set',
  'workspace.member_removed',
  'teamspace.deleted',
  'teamspace.members_added',
  'teamspace.members_removed',
  'teamspace.projects_linked',
  'teamspace.projects_unlinked',
  'page.deleted',
  'group_sync.applied',
  'role.assigned',
  'role.revoked',
  'role.deleted',
  'change.undone',
])

export type { UndoRefusal } from './undo.sql.ts'

export interface UndoOutcome {
  readonly undone: ChangeRow
  readonly opened: number
  readonly ended: number
  /** What is not given back, and why. */
  readonly refused: readonly UndoRefusal[]
}

/**
 * Undoes a change: gives back what it ended and nobody touched since, ends what it opened, and sets the status
 * back that it set. Keys and sessions never come back, nor do fields of people. An undo is itself a change, and
 * a change is undone once.
 *
 * @throws {DirectoryError} change.not_found, change.already_undone, change.not_undoable,
 *   organization.last_owner, member.deprovisioned, role.name_taken, role.permission_exceeded (it would give what the actor does not hold),
 *   permission.denied (also for what only an owner may do), member.outranks (it would make or unmake owners of a
 *   workspace, and the actor is none there)
 */
export async function undoChange(context: Context, id: string): Promise<UndoOutcome> {
  requirePermission(context.actor, 'changes:write')
  await lockChange(context.db, context.organizationId, id)
  const change = await findChange(context.db, context.organizationId, id)
  if (change === undefined) throw new DirectoryError('change.not_found', 'There is no change with this id.')
  // Who may not do it may not undo it either.
  for (const permission of permissionsToUndo(change.kind)) requirePermission(context.actor, permission)
  return await undoEffects(context, change)
}

function permissionsToUndo(kind: ChangeKind): readonly Permission[] {
  if (kind.startsWith('member.')) return ['members:write']
  if (kind.startsWith('group.')) return ['groups:write']
  if (kind.startsWith('group_sync.')) return ['group_sync:write']
  if (kind.startsWith('role.')) return ['roles:write']
  if (kind.startsWith('workspace.')) return ['members:write', 'roles:write']
  if (kind.startsWith('teamspace.')) return ['teamspaces:write']
  if (kind.startsWith('page.')) return ['pages:write']
  // An undo may have been of any kind.
  return [
    'members:write',
    'groups:write',
    'roles:write',
    'teamspaces:write',
    'pages:write',
    'group_sync:write',
  ]
}

/** As `undoChange`, for a change already at hand. */
export async function undoEffects(context: Context, change: ChangeRow): Promise<UndoOutcome> {
  const { db, organizationId } = context
  if (change.undone_by !== null) {
    throw new DirectoryError('change.already_undone', 'The change is undone already.', {
      context: { undone_by: change.undone_by },
    })
  }
  if (!UNDOABLE.has(change.kind)) {
    throw new DirectoryError('change.not_undoable', `A change of kind ${change.kind} cannot be undone.`)
  }
  if (change.kind === 'group.deleted' && change.actor_kind === 'scim_connection') {
    throw new DirectoryError(
      'change.not_undoable',
      'The identity provider that managed the group has deleted it: create it there again.',
    )
  }
  await lockGroupsOfChange(db, organizationId, change.id)
  await lockOwners(db, organizationId)
  const restored = await undoStatus(context, change)
  const undoId = context.change.id
  const ended =
    (await endMembershipsOpenedBy(db, organizationId, change.id, undoId)) +
    (await endRoleGrantsOpenedBy(db, organizationId, change.id, undoId))
  const memberships = await reopenMembershipsEndedBy(db, organizationId, change, undoId)
  const roles = await reopenRoleGrantsEndedBy(db, organizationId, change, undoId)
  // Done again, the undo sees what was given meanwhile, and names it.
  if (memberships.missed + roles.missed > 0) throw new Conflict('given anew meanwhile')
  const asserted = await restoreAsserted(context, change)
  const opened = memberships.opened + roles.opened + asserted
  const refused = [...memberships.refused, ...roles.refused]
  if (!restored && opened === 0 && ended === 0) {
    throw new DirectoryError('change.not_undoable', 'Nothing of this change is left to undo.', {
      context: { refused: refused.slice(0, 100) },
    })
  }
  await requireLastingOwner(context)
  await requireMayTakeEnded(context, undoId)
  await requireMayGiveOpened(context, undoId)
  context.change.count({ opened, ended })
  context.change.describe({
    kind: 'change.undone',
    undoes: change.id,
    cause: { kind: 'change', id: change.id },
    ...(change.member_id === null ? {} : { memberId: change.member_id }),
    ...(change.group_id === null ? {} : { groupId: change.group_id }),
    detail: {
      undone_kind: change.kind,
      refused_count: refused.length,
      ...(STATUS_AFTER[change.kind] === undefined ? {} : { status: statusBefore(change) }),
    },
  })
  return { undone: change, opened, ended, refused }
}

/** Who was away gets what an identity provider has asserted of them meanwhile. How many grants. */
async function restoreAsserted(
  { db, organizationId, change: undo }: Context,
  change: ChangeRow,
): Promise<number> {
  if (STATUS_AFTER[change.kind] !== 'removed') return 0
  return await restoreAssertedGrants(db, organizationId, { id: change.member_id!, changeId: undo.id })
}

/** Sets back the status a change set, if nobody set another since. True if it did. */
async function undoStatus(context: Context, change: ChangeRow): Promise<boolean> {
  const { db, organizationId, now } = context
  if (change.kind === 'group.deleted') return await restoreGroupRow(context, change.group_id!, change.id)
  if (change.kind === 'workspace.member_removed') return await giveSeatsBack(context, change)
  if (change.kind === 'teamspace.deleted') {
    return await restoreTeamspace(context, change.group_id!, change.id)
  }
  if (change.kind === 'page.deleted') return await restorePage(context, String(change.detail.page), change.id)
  if (change.kind === 'role.deleted') return await restoreRole(context, String(change.detail.role), change.id)
  const statusAfter = STATUS_AFTER[change.kind]
  if (statusAfter === undefined) return false
  const member = await requireLockedMember(context, change.member_id!)
  requireMayTouch(context, member)
  const touched = await statusWasSetSince(db, organizationId, { memberId: member.id, seq: change.seq })
  if (member.status !== statusAfter || member.merged_into !== null || touched) {
    throw new DirectoryError(
      'change.not_undoable',
      `The member's status was set again since: it is ${member.status}.`,
    )
  }
  if (statusAfter !== 'active') await requireProvisioned(context, member.id)
  const status = statusBefore(change)
  await updateMemberStatus(db, organizationId, { id: member.id, status, mergedInto: null, now }).catch(
    memberConflict,
  )
  return true
}

/** The seat that was taken off with a member is bought again with the member. */
async function giveSeatsBack({ db, organizationId, now }: Context, { detail }: ChangeRow): Promise<boolean> {
  const seats = Number(detail.seats_removed ?? 0)
  if (seats > 0) await addPurchasedSeats(db, organizationId, String(detail.workspace), seats, now)
  return false
}

const STATUS_AFTER: Partial<Record<ChangeKind, 'active' | 'suspended' | 'removed'>> = {
  'member.suspended': 'suspended',
  'member.reactivated': 'active',
  'member.removed': 'removed',
  'member.left': 'removed',
}

function statusBefore(change: ChangeRow): 'active' | 'suspended' {
  if (change.kind === 'member.suspended') return 'active'
  if (change.kind === 'member.reactivated') return 'suspended'
  return change.detail.before === 'suspended' ? 'suspended' : 'active'
}
