import type { Queryable, Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** Gives invitations tokens, in place of those they had. */
export async function storeInvitationTokens(
  tx: Transaction,
  organizationId: string,
  tokens: readonly { invitationId: string; digest: Buffer }[],
): Promise<void> {
  await tx.run(sql`
    insert into invitation_token (digest, organization_id, invitation_id)
    select t.digest, ${organizationId}, t.invitation_id
    from unnest(${tokens.map(({ digest }) => digest)}::bytea[],
      ${tokens.map(({ invitationId }) => invitationId)}::uuid[]) t (digest, invitation_id)
    on conflict (organization_id, invitation_id) do update set digest = excluded.digest`)
}

/** What a token is of, in an organization that is not deleted (looked up without an organization). */
export async function findInvitationByToken(
  db: Queryable,
  digest: Buffer,
): Promise<{ organizationId: string; invitationId: string } | undefined> {
  const row = await db.row(sql<{ organization_id: string; invitation_id: string }>`
    select t.organization_id, t.invitation_id from invitation_token t
    join organization o on o.id = t.organization_id and o.deleted_at is null
    where t.digest = ${digest}`)
  return row && { organizationId: row.organization_id, invitationId: row.invitation_id }
}
