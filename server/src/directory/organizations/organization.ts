import { isDeepStrictEqual } from 'node:util'
import { violatedConstraint } from '../../platform/postgres/database.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { type Actor, ranksAsOwner, requirePermission } from '../access/permission.ts'
import { openContext, recordChange } from '../changes/change.ts'
import type { Context, Directory, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { insertStandingSources } from '../grants/source.ts'
import type { MemberRow } from '../members/member.sql.ts'
import { createMember, type NewMember } from '../members/member.ts'
import { insertPredefinedRoles } from '../roles/role.sql.ts'
import { requireVersion } from '../version.ts'
import {
  findOrganization,
  findOrganizationBySlug,
  insertOrganization,
  listOrganizations as listOrganizationRows,
  lockOrganization,
  markOrganizationDeleted,
  type OrganizationRow,
  updateOrganization as updateOrganizationRow,
} from './organization.sql.ts'
import { wakeOrganizationTasks } from './organization-tasks.sql.ts'
import type { OrganizationSettings } from './settings.ts'

export type { OrganizationRow } from './organization.sql.ts'

/** Days between a deletion and the purge, in which it can be restored. */
const GRACE_DAYS = 30
const DAY_MILLIS = 24 * 60 * 60 * 1000

const SLUG_CONSTRAINT = 'organization_slug_key'

/** What requests need to know of the organization they are about. */
export type ResolvedOrganization = Pick<OrganizationRow, 'id' | 'deleted_at'>

/**
 * The organization that a request may see: an id or slug of another one answers as an unknown one. A key's own
 * needs no query: its credential was looked up with it, and stops working when the organization is deleted.
 *
 * @throws {DirectoryError} organization.not_found
 */
export async function resolveOrganization(
  directory: Directory,
  actor: Actor,
  selector: { id: string } | { slug: string },
): Promise<ResolvedOrganization> {
  if (actor.kind === 'api_key') {
    const own =
      'id' in selector ? selector.id === actor.organizationId : selector.slug === actor.organizationSlug
    if (own) return { id: actor.organizationId, deleted_at: null }
    if ('id' in selector) throw organizationNotFound()
  }
  // A slug that is not the key's may be its organization's new one, given by another process a moment ago.
  const row =
    'id' in selector
      ? await findOrganization(directory.database, selector.id)
      : await findOrganizationBySlug(directory.database, selector.slug)
  if (row === undefined) throw organizationNotFound()
  if (actor.kind === 'api_key' && (row.id !== actor.organizationId || row.deleted_at !== null)) {
    throw organizationNotFound()
  }
  return row
}

export function organizationNotFound(): DirectoryError {
  return new DirectoryError('organization.not_found', 'There is no organization with this id or slug.')
}

/** What is deleted can be read and restored, not changed. @throws {DirectoryError} organization.deleted */
export function requireNotDeleted(organization: ResolvedOrganization): void {
  if (organization.deleted_at === null) return
  throw new DirectoryError('organization.deleted', 'The organization is deleted: restore it first.')
}

function requireRoot(actor: Actor): void {
  if (actor.kind === 'root') return
  throw new DirectoryError('permission.denied', 'This needs the root key.')
}

/**
 * Creates an organization with its owner. Only the root key may.
 *
 * @throws {DirectoryError} organization.slug_taken; permission.denied; what `createMember` throws.
 */
export async function createOrganization(
  tx: Context['db'],
  actor: Actor,
  input: {
    name: string
    slug: string
    metadata: Record<string, unknown>
    settings: OrganizationSettings
    owner: NewMember
  },
): Promise<{ organization: OrganizationRow; owner: MemberRow }> {
  requireRoot(actor)
  const id = uuidV7()
  const context = openContext(tx, { organizationId: id, actor })
  const organization = await insertOrganization(tx, { ...input, id, now: context.now }).catch(slugTaken)
  await insertStandingSources(tx, id)
  await insertPredefinedRoles(tx, id)
  // Its first member is the change that made it: one operation, one change.
  const owner = await createMember(context, { ...input.owner, level: 'owner' }, 'organization.created')
  await recordChange(context)
  return { organization, owner }
}

function slugTaken(error: unknown): never {
  if (violatedConstraint(error) !== SLUG_CONSTRAINT) throw error
  throw new DirectoryError('organization.slug_taken', 'Another organization has this slug.', {
    field: 'slug',
  })
}

/** Organizations in the order of their creation. Only the root key sees more than its own. */
export async function listOrganizations(
  directory: Directory,
  actor: Actor,
  page: { afterId: string | null; limit: number; includeDeleted: boolean },
): Promise<OrganizationRow[]> {
  requireRoot(actor)
  return await listOrganizationRows(directory.database, page)
}

/** @throws {DirectoryError} permission.denied */
export async function getOrganization(context: ReadContext): Promise<OrganizationRow> {
  requirePermission(context.actor, 'organization:read')
  const row = await findOrganization(context.db, context.organizationId)
  if (row === undefined) throw organizationNotFound()
  return row
}

export interface OrganizationUpdate {
  name?: string | undefined
  slug?: string | undefined
  metadata?: Record<string, unknown> | undefined
  settings?: OrganizationSettings | undefined
}

/**
 * Renames an organization or changes its slug, metadata or settings.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check.
 * @throws {DirectoryError} organization.slug_taken, version.mismatch, permission.denied
 */
export async function updateOrganization(
  context: Context,
  update: OrganizationUpdate,
  expectedVersion?: number,
): Promise<OrganizationRow> {
  requirePermission(context.actor, 'organization:write')
  const before = await requireLockedOrganization(context)
  requireVersion(before.version, expectedVersion)
  const changed = Object.entries(update).filter(
    ([field, value]) =>
      value !== undefined && !isDeepStrictEqual(value, before[field as keyof OrganizationUpdate]),
  )
  if (changed.length === 0) return before
  const row = await updateOrganizationRow(context.db, {
    id: before.id,
    name: update.name ?? before.name,
    slug: update.slug ?? before.slug,
    metadata: update.metadata ?? before.metadata,
    settings: update.settings ?? before.settings,
    now: context.now,
  }).catch(slugTaken)
  context.change.describe({
    kind: 'organization.updated',
    detail: {
      before: Object.fromEntries(
        changed.map(([field]) => [field, before[field as keyof OrganizationUpdate]]),
      ),
      after: Object.fromEntries(changed),
    },
  })
  return row
}

async function requireLockedOrganization(context: Context): Promise<OrganizationRow> {
  const row = await lockOrganization(context.db, context.organizationId)
  if (row === undefined || row.deleted_at !== null) throw organizationNotFound()
  return row
}

/**
 * Deletes an organization: every credential of it stops at once, and after the grace period its rows are purged.
 *
 * @param expectedVersion refuses (version.mismatch) if the row has moved on; absent: no check
 * @throws {DirectoryError} permission.denied for who does not rank as an owner
 */
export async function deleteOrganization(
  context: Context,
  expectedVersion?: number,
): Promise<OrganizationRow> {
  requirePermission(context.actor, 'organization:write')
  if (!ranksAsOwner(context.actor)) {
    throw new DirectoryError('permission.denied', 'Only an owner may delete the organization.')
  }
  requireVersion((await requireLockedOrganization(context)).version, expectedVersion)
  const purgeAt = new Date(context.now.getTime() + GRACE_DAYS * DAY_MILLIS)
  const row = await markOrganizationDeleted(context.db, context.organizationId, context.now, purgeAt)
  context.change.describe({ kind: 'organization.deleted', detail: { purge_at: row.purge_at } })
  return row
}

/**
 * Takes a deletion back within the grace period. Only the root key may: the organization's own keys are dead.
 *
 * @throws {DirectoryError} organization.not_deleted; organization.not_found once the grace period is over
 */
export async function restoreOrganization(context: Context): Promise<OrganizationRow> {
  requireRoot(context.actor)
  const before = await lockOrganization(context.db, context.organizationId)
  if (before === undefined) throw organizationNotFound()
  if (before.deleted_at === null) {
    throw new DirectoryError('organization.not_deleted', 'The organization is not deleted.')
  }
  // From now on its rows are purged, without a transaction around them all.
  if (Date.parse(before.purge_at!) <= context.now.getTime()) throw organizationNotFound()
  const row = await markOrganizationDeleted(context.db, context.organizationId, context.now, null)
  await wakeOrganizationTasks(context.db, context.organizationId)
  context.change.describe({ kind: 'organization.restored' })
  return row
}
