import type { Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import type { Level } from '../access/permission.ts'
import { type SubmissionSize, sized } from './planner.sql.ts'

/** The submission whose people are settled. */
export interface SubmittedPeople {
  readonly syncId: string
  readonly size: SubmissionSize
  readonly now: Date
  /** Nobody changes a member above their own rank. */
  /** Levels above who submitted: their holders are not changed. */
  readonly protectedLevels: readonly Level[]
}

/**
 * People writes of one organization take turns here, until COMMIT: two syncs that bring the same new person, or
 * swap addresses, must not meet halfway.
 */
export async function lockPeople(tx: Transaction, organizationId: string): Promise<void> {
  await tx.run(sql`select 1 from organization where id = ${organizationId} for no key update`)
}

/**
 * Finds who each submitted row is, and refuses rows by name; stores both beside the submission.
 *
 * A row's person is the member with its reference id (or the one that member was merged into), else the member
 * without a reference id who has its email, else a new one. A row is refused if its email stands twice in the
 * submission, if another row is the same person, or if its email belongs to somebody else who does not give it
 * up in this submission. Who is refused does not give up an address either, so refusals spread along the chain.
 * A row that changes somebody who ranks above who submitted it is refused, too.
 *
 * Rows meet each other by grouping, and the chain is followed through an array: PostgreSQL takes the submission for
 * 10 rows, and a join of it with itself would be a nested loop (5,000 refused rows: 25 million steps).
 */
export async function classifyPeople(
  tx: Transaction,
  organizationId: string,
  people: SubmittedPeople,
): Promise<void> {
  const statement = sql`
    with recursive desired as materialized (
      select r.*
      from member_sync_desired s,
        unnest(s.reference_ids, s.emails, s.email_keys, s.display_names, s.first_names, s.last_names,
          s.attributes, s.outcomes) with ordinality
          r (reference_id, email, email_key, display_name, first_name, last_name, attributes, outcome, n)
      where s.organization_id = ${organizationId} and s.sync_id = ${people.syncId}
    ), known as materialized (
      select d.n, d.reference_id, d.outcome, t.id as known_id, t.email_key as known_key, t.status as known_status,
        -- Who is restored without an email comes back with the old one.
        coalesce(d.email_key, case when t.status = 'removed' then t.email_key end) as wanted_key,
        (d.email is not null and d.email is distinct from t.email)
          or (d.display_name is not null and d.display_name is distinct from t.display_name)
          or (d.first_name is not null and d.first_name is distinct from t.first_name)
          or (d.last_name is not null and d.last_name is distinct from t.last_name)
          or (d.attributes is not null and t.attributes || d.attributes::jsonb <> t.attributes) as changes
      from desired d
      left join member m
        on m.organization_id = ${organizationId} and m.external_reference_id = d.reference_id
      left join member t
        on t.organization_id = ${organizationId} and t.id = coalesce(m.merged_into, m.id)
    ), located as materialized (
      select k.*, h.id as holder_id,
        coalesce(k.known_id, case when h.external_reference_id is null then h.id end) as target_id,
        k.known_status = 'removed' as is_removed
      from known k
      left join member h
        on h.organization_id = ${organizationId} and h.email_key = k.wanted_key and h.can_hold_grants
    ), judged as materialized (
      select l.n, l.target_id,
        case when l.holder_id is distinct from l.target_id then l.holder_id end as rival_id,
        l.target_id is not null and l.known_key is not null and l.wanted_key <> l.known_key as moves,
        case
          when l.outcome is not null then l.outcome
          when cardinality(${people.protectedLevels}::text[]) > 0 and (l.changes or l.known_id is null) and exists (
            select 1 from role o
            join role_grant g on g.organization_id = o.organization_id and g.role_id = o.id and g.ended_change is null
            where o.organization_id = ${organizationId} and o.resource = 'organization'
              and o.key = any(${people.protectedLevels}::text[])
              and (g.member_id = l.target_id or g.group_id is not null and exists (
                select 1 from group_membership gm
                where gm.organization_id = ${organizationId} and gm.group_id = g.group_id
                  and gm.member_id = l.target_id))
          ) then 'only who ranks as high may change an owner or admin'
          when l.wanted_key is not null and count(*) over (partition by l.wanted_key) > 1
            then 'email stands in more than one row of this request'
          when l.target_id is not null and count(*) over (partition by l.target_id) > 1
            then 'another row of this request is the same person'
          when l.is_removed and exists (
            select 1 from scim_user u
            where u.organization_id = ${organizationId} and u.member_id = l.target_id and not u.active
          ) then 'an identity provider has deactivated this person: activate it there'
        end as refusal
      from located l
    ), awaited as materialized (
      -- Whose address a row waits for, and the row that may give it up. At most one waits that is not refused yet.
      select min(giver) as giver, min(taker) as taker, coalesce(bool_or(moves), false) as gives
      from (
        select target_id as person, n as giver, moves, null::bigint as taker
        from judged where target_id is not null
        union all
        select rival_id, null, null, n from judged where rival_id is not null and refusal is null
      ) sides
      group by person having count(taker) > 0
    ), waiting as materialized (
      -- By the number of a row: which one waits for it, or 0.
      select array_agg(taker order by n) as takers
      from (
        select n, max(taker) as taker
        from (select n, 0 as taker from judged union all select giver, taker from awaited where gives) rows
        group by n
      ) by_row
    ), refused (n, reason) as (
      select n, refusal from judged where refusal is not null
      union all
      select taker, 'email belongs to a member with another reference_id' from awaited where not gives
      union all
      select (select takers from waiting)[f.n], 'email belongs to a member whose own row is refused'
      from refused f where (select takers from waiting)[f.n] > 0
    ), settled as (
      select n, min(reason) as outcome
      from (select n, null as reason from judged union all select n, reason from refused) reasons
      group by n
    )
    update member_sync_desired set
      outcomes = (select array_agg(outcome order by n) from settled),
      target_ids = (select coalesce(array_agg(target_id order by n), '{}') from judged)
    where organization_id = ${organizationId} and sync_id = ${people.syncId}`
  await tx.run(sized(statement, people.size))
}

/** The rows that are not refused, each with its person if that exists already. */
const SETTLED =
  new SqlFragment(`unnest(s.reference_ids, s.emails, s.email_keys, s.display_names, s.first_names,
        s.last_names, s.attributes, s.outcomes, s.target_ids)
        r (reference_id, email, email_key, display_name, first_name, last_name, attributes, outcome, target_id)`)

/** Takes the addresses away that their holders give up in this submission, so that others can get them. */
export async function vacateEmails(
  tx: Transaction,
  organizationId: string,
  people: SubmittedPeople,
): Promise<void> {
  const statement = sql`
    with settled as materialized (
      -- Who is restored without an email wants the old one.
      select r.target_id, r.email_key, coalesce(r.email_key, p.email_key) as wanted_key
      from member_sync_desired s, ${SETTLED}
      left join member p
        on p.organization_id = ${organizationId} and p.id = r.target_id and p.status = 'removed'
      where s.organization_id = ${organizationId} and s.sync_id = ${people.syncId} and r.outcome is null
    ), claims as (
      -- Not EXISTS: taken for 10 rows, it would be a nested loop over all of them.
      select target_id, bool_or(target_id is null) over (partition by key) as is_wanted
      from (
        select r.target_id, h.email_key as key
        from settled r
        join member h on h.organization_id = ${organizationId} and h.id = r.target_id
        where h.email_key <> r.email_key
        union all
        select null, wanted_key from settled where wanted_key is not null
      ) both_sides
    )
    update member m set email = null, email_key = null
    from claims c
    where m.organization_id = ${organizationId} and m.id = c.target_id and c.is_wanted`
  await tx.run(sized(statement, people.size))
}

/**
 * Brings the fields of known people up to date, links those found by email, and restores removed ones. Who was
 * changed or merged by somebody else meanwhile is left alone; the planner then finds them unreconciled.
 */
export async function updatePeople(
  tx: Transaction,
  organizationId: string,
  people: SubmittedPeople,
): Promise<number> {
  const statement = sql`
    with settled as materialized (
      select r.* from member_sync_desired s, ${SETTLED}
      where s.organization_id = ${organizationId} and s.sync_id = ${people.syncId} and r.outcome is null
        and r.target_id is not null
    ), linked as materialized (
      -- A reference id that led here through a merge stays with the merged member's row.
      select r.*, not exists (
        select 1 from member a
        where a.organization_id = ${organizationId} and a.external_reference_id = r.reference_id) as is_new_link
      from settled r
    ), changed as materialized (
      select m.id, m.version, l.*
      from linked l
      join member m
        on m.organization_id = ${organizationId} and m.id = l.target_id and m.merged_into is null
        -- Who was found by an email is still the one who has it, and still here.
        and ((m.email_key = l.email_key and m.status <> 'removed') or not l.is_new_link)
      where m.status = 'removed' or (m.external_reference_id is null and l.is_new_link)
        or (l.email is not null and l.email is distinct from m.email)
        or (l.display_name is not null and l.display_name is distinct from m.display_name)
        or (l.first_name is not null and l.first_name is distinct from m.first_name)
        or (l.last_name is not null and l.last_name is distinct from m.last_name)
        or (l.attributes is not null and m.attributes || l.attributes::jsonb <> m.attributes)
    )
    update member m set
      email = coalesce(c.email, m.email), email_key = coalesce(c.email_key, m.email_key),
      display_name = coalesce(c.display_name, m.display_name),
      first_name = coalesce(c.first_name, m.first_name), last_name = coalesce(c.last_name, m.last_name),
      attributes = m.attributes || coalesce(c.attributes::jsonb, '{}'),
      external_reference_id = case when c.is_new_link and m.external_reference_id is null
        then c.reference_id else m.external_reference_id end,
      status = case when m.status = 'removed' then 'active' else m.status end,
      version = m.version + 1, updated_at = ${people.now}
    from changed c
    where m.organization_id = ${organizationId} and m.id = c.id and m.version = c.version`
  return await tx.run(sized(statement, people.size))
}

/** Creates the people nobody knew. */
export async function createPeople(
  tx: Transaction,
  organizationId: string,
  people: SubmittedPeople,
): Promise<number> {
  const statement = sql`
    insert into member (organization_id, id, email, email_key, display_name, first_name, last_name,
      external_reference_id, attributes, created_at, updated_at)
    select ${organizationId}, uuid_v7(), r.email, r.email_key, r.display_name, r.first_name, r.last_name,
      r.reference_id, coalesce(r.attributes::jsonb, '{}'), ${people.now}, ${people.now}
    from member_sync_desired s, ${SETTLED}
    where s.organization_id = ${organizationId} and s.sync_id = ${people.syncId} and r.outcome is null
      and r.target_id is null`
  return await tx.run(sized(statement, people.size))
}
