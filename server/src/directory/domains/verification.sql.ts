import type { Database, Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { DomainRow } from './domain.sql.ts'

/** Notes a look for the record that leaves everything as it was: no change, so the version stays. */
export async function noteCheck(
  tx: Transaction,
  organizationId: string,
  check: { id: string; problem: string | null; nextCheckAt: Date | null; now: Date },
): Promise<DomainRow> {
  const row = await tx.row(sql<DomainRow>`
    update domain set checked_at = ${check.now}, check_problem = ${check.problem},
      next_check_at = ${check.nextCheckAt}
    where organization_id = ${organizationId} and id = ${check.id} returning *`)
  return row!
}

/**
 * Makes a domain the verified one of its name. A second organization runs into the key of `verified_domain`, and
 * waits for the first to commit.
 */
export async function markVerified(
  tx: Transaction,
  organizationId: string,
  domain: { id: string; name: string; nextCheckAt: Date; now: Date },
): Promise<DomainRow> {
  await tx.run(sql`
    insert into verified_domain (name, organization_id, domain_id)
    values (${domain.name}, ${organizationId}, ${domain.id})`)
  const row = await tx.row(sql<DomainRow>`
    update domain set verified_at = ${domain.now}, checked_at = ${domain.now}, check_problem = null,
      next_check_at = ${domain.nextCheckAt}, version = version + 1, updated_at = ${domain.now}
    where organization_id = ${organizationId} and id = ${domain.id} returning *`)
  return row!
}

/** Marks the proof of a verified domain as gone since a moment, or as there again. */
export async function markProofMissing(
  tx: Transaction,
  organizationId: string,
  domain: { id: string; since: Date | null; problem: string | null; nextCheckAt: Date; now: Date },
): Promise<DomainRow> {
  const row = await tx.row(sql<DomainRow>`
    update domain set proof_missing_since = ${domain.since}, checked_at = ${domain.now},
      check_problem = ${domain.problem}, next_check_at = ${domain.nextCheckAt}, version = version + 1,
      updated_at = ${domain.now}
    where organization_id = ${organizationId} and id = ${domain.id} returning *`)
  return row!
}

/** Takes the verification of a domain away, with everything that needs it. Its name is free to be proven again. */
export async function markUnverified(
  tx: Transaction,
  organizationId: string,
  domain: { id: string; problem: string; now: Date },
): Promise<DomainRow> {
  await tx.run(sql`
    delete from verified_domain where organization_id = ${organizationId} and domain_id = ${domain.id}`)
  const row = await tx.row(sql<DomainRow>`
    update domain set verified_at = null, proof_missing_since = null, just_in_time = false, sso_enforcement = '',
      checked_at = ${domain.now}, check_problem = ${domain.problem}, next_check_at = null, version = version + 1,
      updated_at = ${domain.now}
    where organization_id = ${organizationId} and id = ${domain.id} returning *`)
  return row!
}

/** A domain whose proof is due to be looked for again. */
export interface DueDomain {
  organization_id: string
  id: string
  name: string
  challenge: string
}

/** Of all organizations that are not deleted: this is the server's own work. */
export async function listDueDomains(db: Database, limit: number): Promise<DueDomain[]> {
  return await db.rows(sql<DueDomain>`
    select d.organization_id, d.id, d.name, d.challenge
    from domain d
    join organization o on o.id = d.organization_id and o.deleted_at is null
    where d.verified_at is not null and d.next_check_at <= now()
    order by d.next_check_at limit ${limit}`)
}

/** The organization that has proven a name, if it is not deleted. Starts without an organization. */
export async function findVerifiedDomain(
  db: Queryable,
  name: string,
): Promise<(DomainRow & { organization_id: string }) | undefined> {
  return await db.row(sql<DomainRow & { organization_id: string }>`
    select d.*
    from verified_domain v
    join organization o on o.id = v.organization_id and o.deleted_at is null
    join domain d on d.organization_id = v.organization_id and d.id = v.domain_id
    where v.name = ${name}`)
}
