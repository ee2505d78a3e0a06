import { violatedConstraint } from '../../platform/postgres/database.ts'
import { requirePermission } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { type DomainRow, findDomain } from './domain.sql.ts'
import { detailOf, domainNotFound, requireLockedDomain } from './domain.ts'
import type { DomainProofs, ProofFinding } from './proof.ts'
import { markProofMissing, markUnverified, markVerified, noteCheck } from './verification.sql.ts'

/** Whose a domain is, by its proof: for sign-in, which begins with an address alone. */
export { findVerifiedDomain } from './verification.sql.ts'

/** How long a domain keeps its verification after its proof is gone. */
export const PROOF_GRACE_MILLIS = 7 * 24 * 3_600_000
/** While something is wrong it is looked at more often, so that a mended record counts soon. */
const RECHECK_MILLIS = 3_600_000

/**
 * Looks for the proof of a domain in DNS, which may take seconds: outside of a transaction, before `verifyDomain`.
 *
 * @throws {DirectoryError} domain.not_found, permission.denied
 */
export async function findProof(
  context: ReadContext,
  proofs: DomainProofs,
  id: string,
): Promise<ProofFinding> {
  requirePermission(context.actor, 'domains:write')
  const row = await findDomain(context.db, context.organizationId, id)
  if (row === undefined) throw domainNotFound()
  // Not refused here: a repetition of the request that verified it gets that request's answer.
  if (isProven(row)) return { kind: 'unanswered', problem: 'There is nothing to look for.' }
  return await proofs.find(row.name, row.challenge)
}

/** A verified domain whose proof is gone may be verified again; one with its proof has nothing to verify. */
function isProven(row: DomainRow): boolean {
  return row.verified_at !== null && row.proof_missing_since === null
}

/**
 * Verifies a domain if its proof was found; else answers it as it is, with what was wrong in `check_problem`.
 *
 * @param finding what `findProof` found a moment ago
 * @throws {DirectoryError} domain.not_found, domain.already_verified, domain.taken (another organization has it),
 *   permission.denied
 */
export async function verifyDomain(
  context: Context,
  id: string,
  finding: ProofFinding,
  checkMillis: number,
): Promise<DomainRow> {
  requirePermission(context.actor, 'domains:write')
  const before = await requireLockedDomain(context, id)
  if (isProven(before)) {
    throw new DirectoryError('domain.already_verified', `${before.name} is verified already.`)
  }
  if (before.verified_at !== null) return await recordCheck(context, before, finding, checkMillis)
  const { db, organizationId, now } = context
  if (finding.kind !== 'found') {
    return await noteCheck(db, organizationId, { id, problem: finding.problem, nextCheckAt: null, now })
  }
  const nextCheckAt = new Date(now.getTime() + checkMillis)
  const { name } = before
  const row = await markVerified(db, organizationId, { id, name, nextCheckAt, now }).catch(
    (error: unknown) => {
      if (violatedConstraint(error) !== 'verified_domain_pkey') throw error
      // Whoever gets here has proven the domain, so may know. Nothing moves by itself: it may have been sold, or its
      // DNS taken over.
      throw new DirectoryError(
        'domain.taken',
        `Another organization on this server has verified ${name}: it has to remove the domain first.`,
      )
    },
  )
  context.change.describe({ kind: 'domain.verified', detail: detailOf(row) })
  return row
}

/**
 * Records what was found when the proof of a verified domain was looked for again. A proof that is gone is a warning
 * first; after the grace period the domain loses its verification, and with it just-in-time membership and enforced
 * sign-on. Members stay. A question that nobody answered counts for nothing.
 */
export async function recordCheck(
  context: Context,
  before: DomainRow,
  finding: ProofFinding,
  checkMillis: number,
): Promise<DomainRow> {
  const { db, organizationId, change, now } = context
  const { id } = before
  const after = (millis: number) => new Date(now.getTime() + millis)
  const soon = after(Math.min(RECHECK_MILLIS, checkMillis))
  const missingSince = before.proof_missing_since
  if (finding.kind === 'unanswered') {
    return await noteCheck(db, organizationId, { id, problem: finding.problem, nextCheckAt: soon, now })
  }
  if (finding.kind === 'found') {
    const nextCheckAt = after(checkMillis)
    if (missingSince === null) {
      return await noteCheck(db, organizationId, { id, problem: null, nextCheckAt, now })
    }
    change.describe({
      kind: 'domain.proof_found',
      detail: { ...detailOf(before), missing_since: missingSince },
    })
    return await markProofMissing(db, organizationId, { id, since: null, problem: null, nextCheckAt, now })
  }
  const { problem } = finding
  if (missingSince === null) {
    const unverifiedFrom = after(PROOF_GRACE_MILLIS).toISOString()
    change.describe({
      kind: 'domain.proof_missing',
      detail: { ...detailOf(before), problem, unverified_from: unverifiedFrom },
    })
    return await markProofMissing(db, organizationId, { id, since: now, problem, nextCheckAt: soon, now })
  }
  if (Date.parse(missingSince) + PROOF_GRACE_MILLIS > now.getTime()) {
    return await noteCheck(db, organizationId, { id, problem, nextCheckAt: soon, now })
  }
  change.describe({
    kind: 'domain.unverified',
    detail: {
      ...detailOf(before),
      problem,
      missing_since: missingSince,
      before: { just_in_time: before.just_in_time, sso_enforcement: before.sso_enforcement },
    },
  })
  return await markUnverified(db, organizationId, { id, problem, now })
}
