import type { Transaction } from '../../platform/postgres/database.ts'
import { SqlFragment, sql } from '../../platform/postgres/sql.ts'
import { ADMIN, BEYOND_GUESTS, PAID, USED_SEATS } from '../changes/invariants.sql.ts'
import { sized } from '../member-syncs/planner.sql.ts'
import { ROLE_RANK } from '../roles/predefined.ts'

/** Something that the sync gave before and leaves as it is, although the groups say otherwise. */
export interface KeptRow {
  reason: 'last_admin' | 'auto_remove_off'
  /** Null: on the workspace itself. */
  project_id: string | null
  role_ids: string[]
}

export interface SyncedMemberRow {
  member_id: string
  is_active: boolean
  /** Whether any of its groups stands for a role. */
  is_matched: boolean
  /** Why it is given nothing. */
  barred: 'no_seat' | 'guest_limit' | null
  opened: number
  ended: number
  /** Places where its role ended or became a lower one. */
  removals: number
  kept: KeptRow[]
}

/** Of several roles, the highest; of equal ones a predefined one, then the oldest. */
const HIGHEST_FIRST = new SqlFragment('rank desc, key nulls last, role_id')
const LIVE = new SqlFragment('g.ended_change is null and (g.expires_at is null or g.expires_at > now())')
const GIVES = new SqlFragment(`step in ('open', 'replace')`)

/**
 * From this many members on, everything is joined by hash: PostgreSQL knows nothing of the sizes of the steps between
 * and would compare each with each (5,000 members: 190 s instead of 0.7). Under a name of its own, so that a plan kept
 * for a few is never used for many.
 */
const LARGE_MIN = 100

/**
 * The planner: what the groups of these members stand for, compared with what the sync of the workspace has given
 * them, and the difference applied. One statement, whatever the number of members, mappings and projects
 * (docs/decisions/0010-group-sync.md has the order of the rules and its reasons).
 *
 * A step is what happens at one place, a workspace or a project, for one member: `open`, `replace` (another role for
 * what was given), `end`, or `keep`, which is only told.
 *
 * @param run.onlyProjectId gives roles on this new project only, to who is in the workspace
 */
export async function applyGroups(
  tx: Transaction,
  organizationId: string,
  run: {
    workspaceId: string
    memberIds: readonly string[]
    sourceId: string
    changeId: string
    autoRemove: boolean
    defaultRoleId: string
    onlyProjectId: string | null
  },
): Promise<SyncedMemberRow[]> {
  const { workspaceId, sourceId, autoRemove, onlyProjectId } = run
  const statement = sql<SyncedMemberRow>`
    with person as materialized (
      select c.member_id, c.groups, m.status = 'active' as is_active
      from unnest(${run.memberIds}::uuid[]) a (id)
      join group_claim c on c.organization_id = ${organizationId} and c.workspace_id = ${workspaceId}
        and c.member_id = a.id
      join member m on m.organization_id = ${organizationId} and m.id = c.member_id
    ), mapped as materialized (
      select p.member_id, m.kind, m.project_id, r.id as role_id, r.key, ${ROLE_RANK} as rank
      from person p
      cross join unnest(p.groups) said (name)
      join group_sync_mapping m on m.organization_id = ${organizationId} and m.workspace_id = ${workspaceId}
        and m.idp_group_name = said.name
      join role r on r.organization_id = ${organizationId} and r.id = m.role_id and r.deleted_change is null
      where p.is_active
    ), workspace_wish as materialized (
      select distinct on (member_id) member_id, role_id, key, rank from mapped where kind = 'workspace'
      order by member_id, ${HIGHEST_FIRST}
    ), project_wish as materialized (
      select distinct on (member_id, project_id) member_id, project_id, is_archived, role_id, key, rank
      from (
        select m.member_id, p.id as project_id, p.archived_at is not null as is_archived, m.role_id, m.key, m.rank
        from mapped m
        join project p on p.organization_id = ${organizationId} and p.workspace_id = ${workspaceId}
          and p.id = m.project_id
        union all
        select m.member_id, p.id, p.archived_at is not null, m.role_id, m.key, m.rank
        from mapped m
        join project p on p.organization_id = ${organizationId} and p.workspace_id = ${workspaceId}
        where m.kind = 'all_projects'
      ) each_project
      where ${onlyProjectId}::uuid is null or project_id = ${onlyProjectId}
      order by member_id, project_id, ${HIGHEST_FIRST}
    ), given as materialized (
      select g.id, g.member_id, g.workspace_id, g.project_id, p.archived_at is not null as is_archived, r.id as role_id,
        r.key, ${ROLE_RANK} as rank, ${ADMIN} as is_admin, ${BEYOND_GUESTS} as is_beyond_guests
      from person s
      join role_grant g on g.organization_id = ${organizationId} and g.member_id = s.member_id
        and g.source_id = ${sourceId} and g.ended_change is null
      join role r on r.organization_id = ${organizationId} and r.id = g.role_id
      left join project p on p.organization_id = ${organizationId} and p.id = g.project_id
      where s.is_active and (${onlyProjectId}::uuid is null or g.workspace_id is not null)
    ), other as materialized (
      -- What other sources give directly.
      select g.member_id, bool_or(g.workspace_id is not null) as is_in,
        bool_and(r.key is not distinct from 'guest') filter (where g.workspace_id is not null) as is_guest,
        bool_or(${PAID}) as is_paid, bool_or(g.project_id is not null and ${BEYOND_GUESTS}) as is_beyond_guests
      from person s
      join role_grant g on g.organization_id = ${organizationId} and g.member_id = s.member_id
        and g.source_id <> ${sourceId} and ${LIVE}
      join role r on r.organization_id = ${organizationId} and r.id = g.role_id
      left join project p on p.organization_id = ${organizationId} and p.id = g.project_id
      where s.is_active and (g.workspace_id = ${workspaceId} or p.workspace_id = ${workspaceId})
      group by g.member_id
    ), through as materialized (
      -- Who is in the workspace by a group.
      select gm.member_id, bool_or(${PAID}) as is_paid
      from role_grant g
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      join group_membership gm on gm.organization_id = g.organization_id and gm.group_id = g.group_id
        and (gm.expires_at is null or gm.expires_at > now())
      join person s on s.member_id = gm.member_id
      where g.organization_id = ${organizationId} and g.workspace_id = ${workspaceId} and g.group_id is not null
        and ${LIVE}
      group by gm.member_id
    ), standing as materialized (
      select s.member_id, m.member_id is not null as is_matched, g.role_ids, g.rank as given_rank,
        coalesce(o.is_in, false) or t.member_id is not null as is_in_without, o.is_guest as other_guest,
        g.is_guest as given_guest, coalesce(o.is_paid, false) or coalesce(t.is_paid, false) as is_paid_without,
        coalesce(not g.is_guest, false) as given_paid, coalesce(o.is_beyond_guests, false) as other_beyond_guests
      from person s
      left join (select distinct member_id from mapped) m on m.member_id = s.member_id
      left join other o on o.member_id = s.member_id
      left join through t on t.member_id = s.member_id
      left join (
        select member_id, array_agg(role_id) as role_ids, max(rank) as rank,
          bool_and(key is not distinct from 'guest') as is_guest
        from given where workspace_id = ${workspaceId} group by member_id
      ) g on g.member_id = s.member_id
      where s.is_active
    ), workspace_choice as materialized (
      select d.*,
        case
          when ${onlyProjectId}::uuid is not null or d.role_id is null and d.role_ids is null then 'none'
          -- Only who is in no group that stands for anything leaves the workspace.
          when d.role_id is null then case when ${autoRemove}::boolean then 'end' else 'keep' end
          when d.role_ids is null then 'open'
          when d.role_ids = array[d.role_id] then 'none'
          when ${autoRemove}::boolean or d.rank > d.given_rank then 'replace'
          when d.role_id = any (d.role_ids) then 'none'
          else 'keep'
        end as step
      from (
        -- The default role is for who matches mappings of projects only, and is not in the workspace otherwise.
        select s.*, coalesce(w.role_id, f.role_id) as role_id, case when w.role_id is null then f.key else w.key end as key,
          coalesce(w.rank, f.rank) as rank
        from standing s
        left join workspace_wish w on w.member_id = s.member_id
        left join (
          select r.id as role_id, r.key, ${ROLE_RANK} as rank from role r
          where r.organization_id = ${organizationId} and r.id = ${run.defaultRoleId}
        ) f on w.member_id is null and s.is_matched and (s.role_ids is not null or not s.is_in_without)
      ) d
    ), workspace_step as materialized (
      select c.*, coalesce(c.other_guest and after.is_guest, c.other_guest, after.is_guest, false) as is_guest
      from workspace_choice c
      cross join lateral (
        select case when c.${GIVES} then c.key is not distinct from 'guest' when c.step = 'end' then null
          else c.given_guest end as is_guest
      ) after
    ), project_step as materialized (
      select c.*,
        case
          when c.role_ids is null then case when c.is_archived then 'none' else 'open' end
          when c.role_id is null and (${autoRemove}::boolean or c.is_too_much) then 'end'
          when c.role_id is null then 'keep'
          when c.role_ids = array[c.role_id] then 'none'
          when c.is_archived then case when c.is_too_much then 'end' else 'none' end
          when ${autoRemove}::boolean or c.is_too_much or c.rank > c.given_rank then 'replace'
          when c.role_id = any (c.role_ids) then 'none'
          else 'keep'
        end as step
      from (
        select s.member_id, coalesce(w.project_id, h.project_id) as project_id,
          coalesce(w.is_archived, h.is_archived) as is_archived, h.role_ids, h.rank as given_rank,
          s.is_guest and coalesce(h.is_beyond_guests, false) as is_too_much,
          -- To a guest the highest that guests may have, in place of what they may not.
          case when capped.yes then k.id else w.role_id end as role_id,
          case when capped.yes then k.key else w.key end as key,
          case when capped.yes then k.rank else w.rank end as rank
        from project_wish w
        full join (
          select member_id, project_id, bool_or(is_archived) as is_archived, array_agg(role_id) as role_ids,
            max(rank) as rank, bool_or(is_beyond_guests) as is_beyond_guests
          from given where project_id is not null group by member_id, project_id
        ) h on h.member_id = w.member_id and h.project_id = w.project_id
        join workspace_step s on s.member_id = coalesce(w.member_id, h.member_id)
        cross join lateral (
          select s.is_guest and case
            when w.role_id is not null then w.key is null or w.key not in ('guest', 'commenter', 'viewer')
            else h.is_beyond_guests and not h.is_archived and not ${autoRemove}::boolean end as yes
        ) capped
        cross join (
          select r.id, r.key, ${ROLE_RANK} as rank from role r
          where r.organization_id = ${organizationId} and r.resource = 'project' and r.key = 'commenter'
        ) k
        where ${onlyProjectId}::uuid is null or s.is_in_without or s.role_ids is not null
      ) c
    ), step as materialized (
      select member_id, null::uuid as project_id, role_ids, given_rank, role_id, key, rank, step from workspace_step
      where step <> 'none'
      union all
      select member_id, project_id, role_ids, given_rank, role_id, key, rank, step from project_step
      where step <> 'none'
    ), over_limit as materialized (
      select s.member_id from workspace_step s
      where s.is_guest and s.other_beyond_guests
        and exists (select 1 from step t where t.member_id = s.member_id and t.${GIVES})
    ), taker as materialized (
      select s.member_id, row_number() over (order by s.member_id) as turn from workspace_step s
      where s.${GIVES} and s.key is distinct from 'guest' and not s.is_paid_without and not s.given_paid
        and s.member_id not in (select member_id from over_limit)
    ), seats as materialized (
      -- Seats that this run surely frees count; who loses an admin's role may yet have to keep it.
      select t.purchased_seats - (${USED_SEATS}) + (
          select count(*) from workspace_step s
          where s.given_paid and not s.is_paid_without
            and (s.step = 'end' or s.step = 'replace' and s.key is not distinct from 'guest')
            and s.member_id not in (select member_id from over_limit)
            and s.member_id not in (
              select g.member_id from given g
              join step x on x.member_id = g.member_id and x.project_id is not distinct from g.project_id
                and x.step in ('end', 'replace') and g.role_id is distinct from x.role_id
              where g.is_admin)
        ) as left
      from workspace t
      where t.organization_id = ${organizationId} and t.id = ${workspaceId} and t.purchased_seats is not null
        and exists (select 1 from workspace_step where ${GIVES})
    ), barred as materialized (
      select member_id, 'guest_limit' as reason from over_limit
      union all
      select t.member_id, 'no_seat' from taker t cross join seats s where t.turn > s.left
      union all
      -- Where more seats are taken than bought, nothing at all is given on the workspace.
      select w.member_id, 'no_seat' from workspace_step w cross join seats s
      where s.left < 0 and w.${GIVES} and w.member_id not in (select member_id from taker)
        and w.member_id not in (select member_id from over_limit)
    ), chosen as materialized (
      select * from step
      where not (${GIVES} and member_id in (select member_id from barred))
    ), ending as materialized (
      select g.*, c.step from chosen c
      join given g on g.member_id = c.member_id and g.project_id is not distinct from c.project_id
      where c.step in ('end', 'replace') and g.role_id is distinct from c.role_id
    ), sole_on_project as materialized (
      select distinct on (e.project_id) e.member_id, e.project_id
      from ending e
      where e.project_id is not null and e.is_admin and not e.is_archived and e.project_id not in (
        select g.project_id from (select distinct project_id from ending where project_id is not null and is_admin) l
        join role_grant g on g.organization_id = ${organizationId} and g.project_id = l.project_id
          and g.member_id is not null and ${LIVE}
        join role r on r.organization_id = ${organizationId} and r.id = g.role_id and ${ADMIN}
        join member m on m.organization_id = ${organizationId} and m.id = g.member_id and m.status = 'active'
        where g.id not in (select id from ending)
        union all
        select c.project_id from chosen c where c.project_id is not null and c.${GIVES} and c.key = 'admin')
      order by e.project_id, e.member_id
    ), stays_in as materialized (
      -- Who has to stay a project's admin stays in the workspace, as what it is there.
      select c.member_id from chosen c
      where c.project_id is null and (c.step = 'end' or c.step = 'replace' and c.rank < c.given_rank)
        and c.member_id in (select member_id from sole_on_project)
    ), sole_in_workspace as materialized (
      select e.member_id from ending e
      where e.workspace_id is not null and e.is_admin and e.member_id not in (select member_id from stays_in)
        and not exists (
          select 1 from role_grant g
          join role r on r.organization_id = ${organizationId} and r.id = g.role_id and ${ADMIN}
          join member m on m.organization_id = ${organizationId} and m.id = g.member_id and m.status = 'active'
          where g.organization_id = ${organizationId} and g.workspace_id = ${workspaceId} and ${LIVE}
            and g.id not in (
              select id from ending where member_id not in (select member_id from stays_in)))
        and not exists (
          select 1 from chosen c where c.project_id is null and c.${GIVES} and c.key in ('owner', 'admin')
            and c.member_id not in (select member_id from stays_in))
      order by e.rank desc, e.member_id limit 1
    ), kept as materialized (
      select member_id, project_id from sole_on_project
      union all
      select member_id, null from stays_in
      union all
      select member_id, null from sole_in_workspace
    ), done as materialized (
      select * from chosen c
      where c.step <> 'keep' and not exists (
        select 1 from kept k where k.member_id = c.member_id and k.project_id is not distinct from c.project_id)
    ), gone as (
      update role_grant g set ended_change = ${run.changeId}
      from (
        select e.id from ending e
        join done d on d.member_id = e.member_id and d.project_id is not distinct from e.project_id
      ) e
      where g.organization_id = ${organizationId} and g.id = e.id and g.ended_change is null
      returning g.member_id
    ), fresh as (
      insert into role_grant (organization_id, id, member_id, role_id, workspace_id, project_id, source_id,
        opened_change)
      select ${organizationId}, uuid_v7(), d.member_id, d.role_id,
        case when d.project_id is null then ${workspaceId}::uuid end, d.project_id, ${sourceId}, ${run.changeId}
      from done d where d.${GIVES} and (d.role_ids is null or d.role_id <> all (d.role_ids))
      returning member_id
    )
    select p.member_id, p.is_active, coalesce(s.is_matched, false) as is_matched, b.reason as barred,
      coalesce(f.count, 0) as opened, coalesce(g.count, 0) as ended, coalesce(l.count, 0) as removals,
      coalesce(k.kept, '[]') as kept
    from person p
    left join standing s on s.member_id = p.member_id
    left join barred b on b.member_id = p.member_id
    left join (select member_id, count(*) as count from fresh group by member_id) f on f.member_id = p.member_id
    left join (select member_id, count(*) as count from gone group by member_id) g on g.member_id = p.member_id
    left join (
      select member_id, count(*) as count from done
      where step = 'end' or step = 'replace' and rank < given_rank group by member_id
    ) l on l.member_id = p.member_id
    left join (
      select c.member_id, json_agg(json_build_object('reason',
          case when c.step = 'keep' then 'auto_remove_off' else 'last_admin' end,
          'project_id', c.project_id, 'role_ids', c.role_ids) order by c.project_id nulls first) as kept
      from chosen c
      where c.step = 'keep' or exists (
        select 1 from kept k where k.member_id = c.member_id and k.project_id is not distinct from c.project_id)
      group by c.member_id
    ) k on k.member_id = p.member_id
    order by p.member_id`
  if (run.memberIds.length < LARGE_MIN) return await tx.rows(statement)
  await tx.run(sql`select set_config('enable_nestloop', 'off', true)`)
  const rows = await tx.rows(sized(statement, 'large'))
  await tx.run(sql`select set_config('enable_nestloop', 'on', true)`)
  return rows
}
