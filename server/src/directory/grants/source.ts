import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'

/** Where a grant can come from. Ending what one source gave never takes away what another gives. */
export const sourceKinds = [
  'manual',
  'invitation',
  'jit',
  'scim',
  'group_sync',
  'member_sync',
  'api',
] as const
export type SourceKind = (typeof sourceKinds)[number]

/** The sources every organization has from its start; others come with what they stand for. */
const STANDING_SOURCES: readonly SourceKind[] = ['manual', 'api', 'member_sync']

export async function insertStandingSources(tx: Transaction, organizationId: string): Promise<void> {
  const ids = STANDING_SOURCES.map(() => uuidV7())
  await tx.run(sql`
    insert into grant_source (organization_id, id, kind)
    select ${organizationId}, s.id, s.kind from unnest(${ids}::uuid[], ${STANDING_SOURCES}::text[]) s (id, kind)`)
}

/** The source of what one thing gives, such as an invitation; made when it first gives something. */
export async function openSource(
  tx: Transaction,
  organizationId: string,
  kind: SourceKind,
  ref: string,
): Promise<string> {
  const row = await tx.row(sql<{ id: string }>`
    insert into grant_source (organization_id, id, kind, ref)
    values (${organizationId}, ${uuidV7()}, ${kind}, ${ref})
    on conflict (organization_id, kind, ref) do update set ref = excluded.ref
    returning id`)
  return row!.id
}

/** Standing sources never change: their ids are kept, of this many organizations. */
const KEPT_MAX = 10_000
const kept = new Map<string, string>()

export async function findStandingSource(
  db: Queryable,
  organizationId: string,
  kind: SourceKind,
): Promise<string> {
  const keptId = kept.get(`${organizationId} ${kind}`)
  if (keptId !== undefined) return keptId
  const row = await db.row(sql<{ id: string }>`
    select id from grant_source
    where organization_id = ${organizationId} and kind = ${kind} and ref is null`)
  if (row === undefined) throw new Error(`organization without its ${kind} source`)
  if (kept.size >= KEPT_MAX) kept.clear()
  kept.set(`${organizationId} ${kind}`, row.id)
  return row.id
}

/** The source of a kind that stands for one thing, made if there is none yet. */
export async function ensureSource(
  db: Queryable,
  organizationId: string,
  source: { kind: SourceKind; ref: string },
): Promise<string> {
  await db.run(sql`
    insert into grant_source (organization_id, id, kind, ref)
    values (${organizationId}, ${uuidV7()}, ${source.kind}, ${source.ref}) on conflict do nothing`)
  const row = await db.row(sql<{ id: string }>`
    select id from grant_source
    where organization_id = ${organizationId} and kind = ${source.kind} and ref = ${source.ref}`)
  return row!.id
}

/**
 * Locks a source until COMMIT, so that two changes of it cannot each count the other's removals as not yet made.
 */
export async function lockSource(tx: Transaction, organizationId: string, sourceId: string): Promise<void> {
  await tx.run(sql`
    select 1 from grant_source
    where organization_id = ${organizationId} and id = ${sourceId} for no key update`)
}
