import { requireMayGiveOpened, requireMayTakeEnded, requirePermissionOn } from '../access/authority.ts'
import { type Preview, previewChange } from '../changes/change.ts'
import { Conflict } from '../changes/conflicts.ts'
import type { Context, Directory, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { requireTarget } from '../roles/target-lookup.ts'
import { requireBrake } from './brake.ts'
import {
  type ClaimOrigin,
  givesOnArchived,
  listClaimantsOfAllProjects,
  listKnownMembers,
  lockClaims,
  putClaims,
} from './claim.sql.ts'
import { holdRules, lockRulesForProject, type SyncRules } from './config.sql.ts'
import { applyGroups, type KeptRow, type SyncedMemberRow } from './planner.sql.ts'

/** The groups that the identity provider says a member is in; null: it did not say, so nothing changes. */
export interface GroupClaim {
  readonly memberId: string
  readonly groups: readonly string[] | null
}

export interface SyncOptions {
  readonly origin: ClaimOrigin
  /** What brought it about; absent: the group sync of the workspace. */
  readonly cause?: { readonly kind: string; readonly id: string }
  /** Goes on where the brake would refuse; takes `plans:write`. */
  readonly force?: boolean
}

type SkipReason = 'no_seat' | 'guest_limit' | 'not_active' | 'no_match' | 'claim_missing'

export interface SyncedMember {
  readonly memberId: string
  readonly opened: number
  readonly ended: number
  /** What the sync gave before and leaves, although the groups say otherwise. */
  readonly kept: readonly KeptRow[]
  /** Why nothing was given; what no group stands for any more may have ended all the same. */
  readonly skipped: SkipReason | null
}

export interface SyncResult {
  /** Switched off: nothing happened, and nothing was kept of the claims. */
  readonly enabled: boolean
  readonly members: readonly SyncedMember[]
  readonly opened: number
  readonly ended: number
  /** Roles that ended or became lower ones: what the brake counts. */
  readonly removals: number
  /** Which limit of the brake it passes, although it went on. */
  readonly brake: string | null
}

const NOTHING: SyncResult = { enabled: false, members: [], opened: 0, ended: 0, removals: 0, brake: null }

async function requireMayRun(context: ReadContext, workspaceId: string): Promise<void> {
  const target = { kind: 'workspace', id: workspaceId } as const
  await requirePermissionOn(context, 'group_sync:write', target)
  await requireTarget(context, target)
}

/**
 * Makes what the group sync of a workspace gives to some members be what their groups stand for. Nothing but its own
 * grants is touched: what somebody has by hand, or by another source, stays. A fixed number of statements, whatever
 * the number of members, mappings and projects. The claims are kept for `reapplyClaims`.
 *
 * @throws {DirectoryError} workspace.not_found, request.invalid (a member twice), member.not_found, group_sync.brake,
 *   role.permission_exceeded (the actor does not hold what would be given), member.outranks (it would make or unmake
 *   owners of the workspace, and the actor is none), permission.denied
 */
export async function applyClaims(
  context: Context,
  workspaceId: string,
  claims: readonly GroupClaim[],
  options: SyncOptions,
): Promise<SyncResult> {
  await requireMayRun(context, workspaceId)
  await requireMembers(context, claims)
  const { db, organizationId, now } = context
  const rules = await holdRules(db, organizationId, workspaceId)
  if (rules?.is_enabled !== true) return NOTHING
  const said = claims.flatMap(({ memberId, groups }) => (groups === null ? [] : [{ memberId, groups }]))
  await putClaims(db, organizationId, { workspaceId, origin: options.origin, now, of: said })
  const memberIds = said.map(({ memberId }) => memberId)
  const result = await runSync(context, workspaceId, rules, memberIds, options)
  const missing = claims.filter(({ groups }) => groups === null)
  if (missing.length === 0) return result
  const skipped = missing.map(({ memberId }) => {
    return { memberId, opened: 0, ended: 0, kept: [], skipped: 'claim_missing' } as const
  })
  return { ...result, members: [...result.members, ...skipped] }
}

/**
 * The same for everybody whose groups are known, by what was last said of them: after a mapping or the config has
 * changed.
 *
 * @throws {DirectoryError} as `applyClaims`
 */
export async function reapplyClaims(
  context: Context,
  workspaceId: string,
  options: SyncOptions,
): Promise<SyncResult> {
  await requireMayRun(context, workspaceId)
  const { db, organizationId } = context
  const rules = await holdRules(db, organizationId, workspaceId)
  if (rules?.is_enabled !== true) return NOTHING
  const memberIds = await lockClaims(db, organizationId, workspaceId)
  return await runSync(context, workspaceId, rules, memberIds, options)
}

export interface SyncPreview extends Preview {
  readonly result: SyncResult
}

/**
 * What a sync would do, person by person: the very statements, rolled back. The brake is told, and refuses nothing.
 *
 * @param claims of one person or of many; null: everybody's, as `reapplyClaims`
 * @throws {DirectoryError} as `applyClaims`, but for the brake
 */
export async function previewClaims(
  directory: Directory,
  context: ReadContext,
  workspaceId: string,
  claims: readonly GroupClaim[] | null,
  options: SyncOptions,
): Promise<SyncPreview> {
  let result: SyncResult = NOTHING
  const { actor, organizationId } = context
  const preview = await previewChange(directory, { actor, organizationId }, async (inner) => {
    const told = { ...options, onlyTold: true }
    result =
      claims === null
        ? await reapplyClaims(inner, workspaceId, told)
        : await applyClaims(inner, workspaceId, claims, told)
  })
  return { ...preview, result }
}

/**
 * Gives a project that was just created its members: those in the workspace whose groups stand for a role on every
 * project. Whoever creates it chooses nobody, so it asks for no permission. Syncs that run meanwhile end first.
 */
export async function applyClaimsToNewProject(
  context: Context,
  project: { readonly id: string; readonly workspace_id: string | null },
): Promise<void> {
  const { db, organizationId, change } = context
  if (project.workspace_id === null) return
  const workspaceId = project.workspace_id
  const rules = await lockRulesForProject(db, organizationId, workspaceId)
  if (rules === undefined) return
  const memberIds = await listClaimantsOfAllProjects(db, organizationId, workspaceId)
  if (memberIds.length === 0) return
  const rows = await applyGroups(db, organizationId, {
    ...{ workspaceId, memberIds, changeId: change.id, onlyProjectId: project.id },
    ...{ sourceId: rules.source_id, autoRemove: rules.auto_remove, defaultRoleId: rules.default_role_id },
  })
  change.keepsInvariants = true
  change.count({ opened: sum(rows, 'opened') })
}

async function requireMembers(context: ReadContext, claims: readonly GroupClaim[]): Promise<void> {
  const seen = new Set<string>()
  for (const [index, { memberId }] of claims.entries()) {
    const field = `claims[${index}].member`
    if (seen.has(memberId)) {
      throw new DirectoryError('request.invalid', `${field} stands twice.`, { field })
    }
    seen.add(memberId)
  }
  const known = new Set(await listKnownMembers(context.db, context.organizationId, [...seen]))
  const index = claims.findIndex(({ memberId }) => !known.has(memberId))
  if (index === -1) return
  throw new DirectoryError('member.not_found', 'There is no member with this id.', {
    field: `claims[${index}].member`,
  })
}

async function runSync(
  context: Context,
  workspaceId: string,
  rules: SyncRules,
  memberIds: readonly string[],
  options: SyncOptions & { readonly onlyTold?: boolean },
): Promise<SyncResult> {
  const { db, organizationId, change } = context
  const rows = await applyGroups(db, organizationId, {
    ...{ workspaceId, memberIds, changeId: change.id, onlyProjectId: null },
    ...{ sourceId: rules.source_id, autoRemove: rules.auto_remove, defaultRoleId: rules.default_role_id },
  })
  const [opened, ended, removals] = [sum(rows, 'opened'), sum(rows, 'ended'), sum(rows, 'removals')]
  if (opened > 0 && (await givesOnArchived(db, organizationId, change.id))) {
    throw new Conflict('a project was archived meanwhile')
  }
  const brake = await requireBrake(context, rules.source_id, removals, options)
  await requireMayTakeEnded(context, change.id)
  await requireMayGiveOpened(context, change.id)
  const members = rows.map(toSynced)
  const result = { enabled: true, members, opened, ended, removals, brake }
  if (opened + ended === 0) return result
  change.keepsInvariants = true
  change.count({ opened, ended })
  const [only] = memberIds
  change.describe({
    kind: 'group_sync.applied',
    sourceId: rules.source_id,
    cause: options.cause ?? { kind: 'group_sync', id: workspaceId },
    ...(memberIds.length === 1 ? { memberId: only! } : {}),
    detail: {
      workspace: workspaceId,
      origin: options.origin,
      members: rows.length,
      removals,
      kept: members.reduce((count, { kept }) => count + kept.length, 0),
      skipped: tally(members),
      ...(brake === null ? {} : { brake }),
    },
  })
  return result
}

function toSynced(row: SyncedMemberRow): SyncedMember {
  const { member_id: memberId, opened, ended, kept } = row
  return { memberId, opened, ended, kept, skipped: skipReason(row) }
}

function skipReason(row: SyncedMemberRow): SkipReason | null {
  if (!row.is_active) return 'not_active'
  if (!row.is_matched) return 'no_match'
  return row.barred
}

function sum(rows: readonly SyncedMemberRow[], field: 'opened' | 'ended' | 'removals'): number {
  return rows.reduce((total, row) => total + row[field], 0)
}

function tally(members: readonly SyncedMember[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { skipped } of members) {
    if (skipped !== null) counts[skipped] = (counts[skipped] ?? 0) + 1
  }
  return counts
}
