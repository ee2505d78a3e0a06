import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { TENANT_TABLES } from '#src/directory/organizations/purge.sql.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { type Change, type Expiry, isLive, OWNER, type State } from './directory-model.ts'
import { sorted } from './sync-model.ts'
import type { World } from './world.ts'

/** A digest of every row of the organization, to see that nothing was written. */
export async function digestRows({ database, organizationId }: World): Promise<string> {
  const parts = TENANT_TABLES.filter((table) => table !== 'task').map(
    (
      table,
    ) => `select '${table}' as name, md5(coalesce(string_agg(t::text, ',' order by t::text), '')) as digest
      from ${table} t where organization_id = $1`,
  )
  const text = `select string_agg(name || digest, ' ' order by name) as digest from (${parts.join(' union all ')}) d`
  const row = await database.row<{ digest: string }>({ name: 'digest', text, values: [organizationId] })
  return row!.digest
}

/** A role that is or was given, to a member or a group, on any target. */
interface Assignment {
  member: string | null
  group: string | null
  key: string | null
  resource: 'organization' | 'workspace' | 'project' | 'page'
  roleDeleted: boolean
  /** The one workspace or project that the role is of. */
  home: string | null
  workspace: string | null
  project: string | null
  page: string | null
  /** Of the project: the workspace it is in. */
  within: string | null
  expiry: Expiry
  opened: number | null
  ended: number | null
}

export interface Snapshot {
  people: State['people']
  /** Memberships of groups, and the owner role of members. */
  grants: State['grants']
  /** Every role that is given, the owners' too. */
  assignments: Assignment[]
  changes: (Omit<Change, 'before'> & { at: string })[]
  groups: State['groups']
  last_seq: number
}

export async function readSnapshot({ database, organizationId }: World): Promise<Snapshot> {
  const row = await database.row(sql<Snapshot>`
    with numbered as (select id, seq from change where organization_id = ${organizationId}), grants as (
      select group_id::text as target, member_id, source_id, expires_at, opened_change, null::uuid as ended_change
      from group_membership where organization_id = ${organizationId}
      union all
      select group_id::text, member_id, source_id, expires_at, opened_change, ended_change
      from group_membership_past where organization_id = ${organizationId}
      union all
      select r.key, member_id, source_id, expires_at, opened_change, ended_change
      from role_grant g join role r on r.organization_id = g.organization_id and r.id = g.role_id
      where g.organization_id = ${organizationId} and g.member_id is not null
        and r.resource = 'organization' and r.key = ${OWNER}
    )
    select
      (select json_agg(json_build_object('id', id, 'email', email, 'displayName', display_name, 'firstName',
        first_name, 'lastName', last_name, 'ref', external_reference_id, 'attributes', attributes, 'status', status,
        'mergedInto', merged_into)) from member where organization_id = ${organizationId}) as people,
      (select json_agg(json_build_object('target', g.target, 'member', g.member_id, 'source', s.kind,
        'expiry', case when g.expires_at is null then 'never' when g.expires_at > now() then 'later' else 'past' end,
        'opened', o.seq, 'ended', e.seq))
        from grants g join grant_source s on s.organization_id = ${organizationId} and s.id = g.source_id
        left join numbered o on o.id = g.opened_change left join numbered e on e.id = g.ended_change) as grants,
      (select json_agg(json_build_object('member', g.member_id, 'group', g.group_id, 'key', r.key,
        'resource', r.resource, 'roleDeleted', r.deleted_change is not null,
        'home', coalesce(r.workspace_id, r.project_id), 'workspace', g.workspace_id, 'project', g.project_id, 'page', g.page_id,
        'within', p.workspace_id,
        'expiry', case when g.expires_at is null then 'never' when g.expires_at > now() then 'later' else 'past' end,
        'opened', o.seq, 'ended', e.seq))
        from role_grant g join role r on r.organization_id = g.organization_id and r.id = g.role_id
        left join project p on p.organization_id = g.organization_id and p.id = g.project_id
        left join numbered o on o.id = g.opened_change left join numbered e on e.id = g.ended_change
        where g.organization_id = ${organizationId}) as assignments,
      (select json_agg(json_build_object('seq', seq, 'kind', kind, 'opened', opened_count, 'ended', ended_count,
        'member', member_id, 'group', group_id, 'at', at,
        'undoes', (select n.seq from numbered n where n.id = change.undoes)) order by seq)
        from change where organization_id = ${organizationId}) as changes,
      (select json_agg(json_build_object('id', g.id, 'deletedBy', n.seq)) from org_group g
        left join numbered n on n.id = g.deleted_change where g.organization_id = ${organizationId}) as groups,
      (select last_seq from change_counter where organization_id = ${organizationId}) as last_seq`)
  return row!
}

/** Gives the people the model created the ids that the database gave them. */
function bindNewPeople(state: State, found: Snapshot): void {
  for (const person of state.people.filter((one) => one.id.startsWith('new:'))) {
    const row = found.people.find((one) =>
      person.ref === null ? one.email === person.email && one.status !== 'removed' : one.ref === person.ref,
    )
    assert.ok(row, `no member was created for ${person.id}`)
    for (const grant of state.grants) if (grant.member === person.id) grant.member = row.id
    for (const one of state.changes) if (one.member === person.id) one.member = row.id
    person.id = row.id
  }
}

const ordered = <T extends object>(rows: readonly T[]) =>
  rows.map((row) => JSON.stringify(sorted({ ...(row as Record<string, unknown>) }))).sort()

/** What is compared of the model and of the database. */
function comparable({
  people,
  grants,
  groups,
  changes,
}: Pick<Snapshot, 'people' | 'grants' | 'groups' | 'changes'>) {
  return {
    people: ordered(people.map((one) => ({ ...one, attributes: sorted(one.attributes) }))),
    grants: ordered(grants ?? []),
    groups: ordered(groups ?? []),
    // Of whom, too: two changes of one kind at the same moment are told apart by nothing else.
    changes: changes.map(({ seq, kind, opened, ended, member, group, undoes }) => ({
      seq,
      kind,
      opened,
      ended,
      member,
      group,
      undoes,
    })),
  }
}

function comparableState(state: State) {
  return comparable({ ...state, changes: state.changes.map((change) => ({ ...change, at: '' })) })
}

/** The database is what the model says; numbers have no gap, times rise, counts are those of the rows. */
export function assertSame(state: State, found: Snapshot): void {
  bindNewPeople(state, found)
  assert.deepEqual(comparable(found), comparableState(state))
  assertHistory(found)
}

/** The same as a question: an assertion that fails takes 50 ms for its message. */
export function isSame(state: State, found: Snapshot): boolean {
  try {
    bindNewPeople(state, found)
  } catch {
    return false
  }
  return isDeepStrictEqual(comparable(found), comparableState(state))
}

/** Holds for every organization, whatever was done to it: for tests that cannot know the order of operations. */
export async function assertSound(world: World): Promise<void> {
  const found = await readSnapshot(world)
  assertHistory(found)
  const gone = new Set([
    ...found.people.filter((one) => one.status === 'removed').map((one) => one.id),
    ...(found.groups ?? []).filter((one) => one.deletedBy !== null).map((one) => one.id),
  ])
  for (const { member, target } of (found.grants ?? []).filter(isLive)) {
    assert.ok(!gone.has(member), 'a live grant of a removed member')
    assert.ok(!gone.has(target), 'a live grant in a deleted group')
  }
  const live = found.assignments.filter((one) => one.ended === null)
  for (const one of live) {
    assert.ok(!gone.has(one.member ?? one.group!), 'a role of a removed member or of a deleted group')
    assert.ok(!one.roleDeleted, 'a deleted role is given')
    const [kind, place] = targetOf(one)
    assert.equal(one.resource, kind, 'a role on a target of another kind')
    assert.ok([null, place, one.within].includes(one.home), 'a role of another workspace or project')
  }
  const active = new Set(found.people.filter((one) => one.status === 'active').map((one) => one.id))
  const owners = live.filter(
    ({ resource, key, member, expiry }) =>
      resource === 'organization' &&
      key === OWNER &&
      expiry === 'never' &&
      member !== null &&
      active.has(member),
  )
  assert.ok(owners.length > 0, 'no active owner whose own role has no end')
}

function targetOf({ workspace, project, page }: Assignment): [kind: string, id: string | null] {
  if (page !== null) return ['page', page]
  if (project !== null) return ['project', project]
  return workspace === null ? ['organization', null] : ['workspace', workspace]
}

function assertHistory(found: Snapshot): void {
  const memberships = (found.grants ?? []).filter(({ target }) => target !== OWNER)
  const grants = [...memberships, ...found.assignments]
  const times = found.changes.map((one) => one.at)
  assert.deepEqual(
    found.changes.map((one) => one.seq),
    found.changes.map((_, index) => index + 1),
    'change numbers have a gap',
  )
  assert.equal(found.last_seq, found.changes.length)
  assert.deepEqual(times, [...new Set(times)].sort(), 'change times do not rise strictly')
  for (const grant of grants) assert.ok(grant.opened !== null, 'a grant of no change')
  for (const one of found.changes) {
    const opened = grants.filter((grant) => grant.opened === one.seq).length
    const ended = grants.filter((grant) => grant.ended === one.seq).length
    assert.deepEqual({ seq: one.seq, opened: one.opened, ended: one.ended }, { seq: one.seq, opened, ended })
  }
}
