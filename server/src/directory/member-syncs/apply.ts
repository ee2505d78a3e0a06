import { levelsAbove } from '../access/permission.ts'
import { Conflict } from '../changes/conflicts.ts'
import type { Context } from '../context.ts'
import { findStandingSource } from '../grants/source.ts'
import type { MemberSyncRow } from './member-sync.sql.ts'
import { classifyPeople, createPeople, lockPeople, updatePeople, vacateEmails } from './people.sql.ts'
import { applyDesiredMembership, planForSize } from './planner.sql.ts'

export interface AppliedSync {
  readonly sourceId: string
  readonly opened: number
  readonly ended: number
  readonly left: number
  readonly createdMembers: number
  readonly updatedMembers: number
}

/**
 * Makes a group be what a submission says, for what member sync gives: opens and ends the difference, after the
 * people in it are found, created, restored or brought up to date. Counts into the context's change; the caller
 * holds the group's lock.
 *
 * @throws {Conflict} if people change at the same moment: do the whole transaction again
 */
export async function applySubmission(
  context: Context,
  sync: Pick<MemberSyncRow, 'id' | 'group_id' | 'row_count' | 'actor_level'>,
): Promise<AppliedSync> {
  const { db, organizationId, change, now } = context
  const sourceId = await findStandingSource(db, organizationId, 'member_sync')
  const size = await planForSize(db, sync.row_count)
  const plan = { syncId: sync.id, groupId: sync.group_id, sourceId, changeId: change.id, size }
  const people = { syncId: sync.id, size, now, protectedLevels: levelsAbove(sync.actor_level) }
  let membership = await applyDesiredMembership(db, organizationId, plan)
  let createdMembers = 0
  let updatedMembers = 0
  if (membership.unreconciled > 0) {
    await lockPeople(db, organizationId)
    await classifyPeople(db, organizationId, people)
    await vacateEmails(db, organizationId, people)
    updatedMembers = await updatePeople(db, organizationId, people)
    createdMembers = await createPeople(db, organizationId, people)
    membership = await applyDesiredMembership(db, organizationId, plan)
    if (membership.unreconciled > 0) throw new Conflict('people of the submission changed meanwhile')
  }
  if (membership.missed > 0) throw new Conflict('members of the group changed meanwhile')
  const { opened, ended, left } = membership
  change.count({ opened, ended })
  return { sourceId, opened, ended, left, createdMembers, updatedMembers }
}

/** Describes the applied submission as the transaction's change, if it had an effect. */
export function describeSubmission(
  context: Context,
  sync: Pick<MemberSyncRow, 'id' | 'group_id' | 'position'>,
  applied: AppliedSync,
  cause: { kind: string; id: string },
): boolean {
  const { opened, ended, createdMembers, updatedMembers } = applied
  if (opened + ended + createdMembers + updatedMembers === 0) return false
  context.change.describe({
    kind: 'group.members_synced',
    groupId: sync.group_id,
    sourceId: applied.sourceId,
    cause,
    detail: {
      member_sync: sync.id,
      position: sync.position,
      created_members: createdMembers,
      updated_members: updatedMembers,
    },
  })
  return true
}
