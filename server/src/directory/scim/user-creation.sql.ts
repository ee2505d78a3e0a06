import type { Transaction } from '../../platform/postgres/database.ts'
import { part, type SqlPart, sql } from '../../platform/postgres/sql.ts'
import { revokingKeysOfMember } from '../api-keys/api-key.sql.ts'
import { type MemberStatus, type Person, updatingMember } from '../members/member.sql.ts'
import { appendingUser } from './roster.sql.ts'
import type { ScimUserFields } from './user.sql.ts'

/** Who has an address already, as far as a connection that provisions it must know. */
export interface FoundPersonRow {
  id: string
  status: MemberStatus
  email: string | null
  email_key: string | null
  display_name: string | null
  first_name: string | null
  last_name: string | null
  /** By whatever connection. */
  is_provisioned: boolean
  /** The organization has proven the domain of the address. */
  is_domain_verified: boolean
}

/**
 * The member with an address, locked until COMMIT: one who is not removed, or whom this connection removed last. Both
 * have an index of their own, which a condition with `or` alone would not find.
 *
 * @param person.domain of the address, as lower-case A-labels
 */
export async function lockPersonByEmail(
  tx: Transaction,
  organizationId: string,
  person: { connectionId: string; emailKey: string; domain: string },
): Promise<FoundPersonRow | undefined> {
  return await tx.row(sql<FoundPersonRow>`
    select m.id, m.status, m.email, m.email_key, m.display_name, m.first_name, m.last_name,
      exists (select 1 from scim_user u where u.organization_id = m.organization_id and u.member_id = m.id)
        as is_provisioned,
      exists (select 1 from verified_domain d where d.name = ${person.domain} and d.organization_id = m.organization_id)
        as is_domain_verified
    from member m
    where m.organization_id = ${organizationId} and m.email_key = ${person.emailKey} and m.merged_into is null
      and (m.can_hold_grants or (
        select c.kind = 'member.removed' and c.actor_kind = 'scim_connection' and c.actor_id = ${person.connectionId}
        from change c where c.organization_id = m.organization_id and c.member_id = m.id
        order by c.seq desc limit 1))
      and m.id = any (array(
        select id from member
        where organization_id = ${organizationId} and email_key = ${person.emailKey} and can_hold_grants
        union all
        select id from member
        where organization_id = ${organizationId} and email_key = ${person.emailKey} and not can_hold_grants))
    order by m.status = 'removed', m.id desc limit 1
    for update of m`)
}

interface StoredRow {
  version: number
  created_at: string
  updated_at: string
}

/** Has no place where the connection is gone meanwhile: then it fails, and with it whatever is written beside it. */
function insertingUser(
  organizationId: string,
  user: ScimUserFields & {
    id: string
    connectionId: string
    memberId: string
    suspendedMember: boolean
    now: Date
  },
): SqlPart {
  return part`
    insert into scim_user (organization_id, id, connection_id, member_id, seq, user_name, user_name_key,
      external_id, active, suspended_member, document, search, email_keys, created_at, updated_at)
    values (${organizationId}, ${user.id}, ${user.connectionId}, ${user.memberId}, (select seq from place),
      ${user.userName}, ${user.userNameKey}, ${user.externalId}, ${user.active}, ${user.suspendedMember},
      ${user.document}, ${user.searched?.search ?? null}, ${user.searched?.emailKeys ?? null}, ${user.now}, ${user.now})
    returning version, created_at, updated_at`
}

type NewScimUser = ScimUserFields & { id: string; connectionId: string; memberId: string; now: Date }

/** Creates a user that stands for a member who is there already, and says what becomes of that one. */
export async function insertUserOfMember(
  tx: Transaction,
  organizationId: string,
  user: NewScimUser & { suspendedMember: boolean },
  person: Person & { status: MemberStatus; isChanged: boolean },
): Promise<StoredRow> {
  const { memberId: id, now } = user
  const row = await tx.row(sql<StoredRow>`
    with place as (${appendingUser(organizationId, user.connectionId)}),
    person as (${updatingMember(organizationId, { ...person, id, now })}),
    keys as (${revokingKeysOfMember(organizationId, { id, isOver: !user.active, now })})
    ${insertingUser(organizationId, user)}`)
  return row!
}
