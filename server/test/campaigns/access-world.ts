import assert from 'node:assert/strict'
import { createGroup } from '#src/directory/groups/group.ts'
import { createMember } from '#src/directory/members/member.ts'
import { createProject } from '#src/directory/projects/project.ts'
import { createRole } from '#src/directory/roles/role.ts'
import type { Target } from '#src/directory/roles/target.ts'
import { createWorkspace } from '#src/directory/workspaces/workspace.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { type Moment, momentOf } from './access-answers.ts'
import { Effects, ORGANIZATION, type PlaceKind, predefined, roleGiven, type State } from './access-model.ts'
import { createRole as createModelRole } from './access-model-operations.ts'
import { change, openWorld, type World } from './world.ts'

/** One organization in the database, what it has to be, and what it was after each of its changes. */
export interface AccessWorld {
  readonly world: World
  state: State
  readonly moments: Moment[]
  /** Moments at which ends were passed, between changes. */
  readonly passed: string[]
}

/** Application permissions, and some of the catalogue: what only roles give, and what everybody has. */
export const PERMISSIONS = [
  'invoices.approve',
  'invoices.read',
  'api.model.request',
  'members:write',
  'projects:write',
  'workspaces:write',
  'members:read',
  'projects:read',
  'organization:read',
] as const

const MEMBERS = 4
const GROUPS = 3
/** Custom roles: of each kind, and some of one workspace or project only. */
const CUSTOM_ROLES: readonly {
  resource: PlaceKind
  of: 'organization' | 'first workspace' | 'first project'
}[] = [
  { resource: 'organization', of: 'organization' },
  { resource: 'workspace', of: 'organization' },
  { resource: 'project', of: 'organization' },
  { resource: 'workspace', of: 'first workspace' },
  { resource: 'project', of: 'first workspace' },
  { resource: 'project', of: 'first project' },
]
export const CUSTOM_ROLE_COUNT = CUSTOM_ROLES.length

/** @param given of each custom role, what it gives */
export async function openAccessWorld(
  database: Database,
  given: readonly (readonly string[])[],
): Promise<AccessWorld> {
  const world = await openWorld(database, { groups: 0 })
  const access: AccessWorld = { world, state: await readStart(world), moments: [], passed: [] }
  await bind(access)
  await addPeople(access)
  await addPlaces(access)
  await addRoles(access, given)
  return access
}

/** An organization as it starts: one owner, and the predefined roles. */
async function readStart({ database, organizationId, state: { people } }: World): Promise<State> {
  const roles = await database.rows(sql<{ id: string; resource: PlaceKind; key: string }>`
    select id, resource, key from role where organization_id = ${organizationId}`)
  const owner = people[0]!.id
  const start: State = {
    members: { [owner]: { status: 'active', mergedInto: null, ref: null } },
    groups: {},
    roles: Object.fromEntries(
      roles.map((role) => [role.id, { ...role, home: null, permissions: [], deletedBy: null }]),
    ),
    places: { [ORGANIZATION]: { id: ORGANIZATION, kind: 'organization', workspace: null } },
    grants: [],
    changes: [],
  }
  const effects = new Effects(start)
  effects.open(roleGiven(owner, predefined(start, 'organization', 'owner').id, ORGANIZATION, 'manual'), null)
  effects.record('organization.created', { member: owner })
  return start
}

async function addPeople(access: AccessWorld): Promise<void> {
  const { world, state } = access
  for (let n = 0; n < MEMBERS; n++) {
    const ref = `r${n}`
    const { id } = await change(world, (context) => createMember(context, { externalReferenceId: ref }))
    state.members[id] = { status: 'active', mergedInto: null, ref }
    new Effects(state).record('member.created', { member: id })
    await bind(access)
  }
  for (let n = 0; n < GROUPS; n++) {
    const { id } = await change(world, (context) =>
      createGroup(context, { name: `Group ${n}`, externalReferenceId: null, metadata: {} }),
    )
    state.groups[id] = { deletedBy: null }
    new Effects(state).record('group.created', { group: id })
    await bind(access)
  }
}

/** Two workspaces, a project in each and one more in the first, and one of the organization itself. */
async function addPlaces(access: AccessWorld): Promise<void> {
  const { world, state } = access
  const workspaces = []
  for (let n = 0; n < 2; n++) {
    const slug = `${n}-${world.organizationId}`
    const { id } = await change(world, (context) =>
      createWorkspace(context, { name: slug, slug, metadata: {}, purchasedSeats: null }),
    )
    workspaces.push({ id, slug })
    state.places[id] = { id, kind: 'workspace', workspace: null }
    new Effects(state).record('workspace.created')
    await bind(access)
  }
  for (const [n, workspace] of [workspaces[0]!, workspaces[0]!, workspaces[1]!, undefined].entries()) {
    const fields = {
      workspaceSlug: workspace?.slug ?? null,
      identifier: `P${n}`,
      name: `P${n}`,
      metadata: {},
    }
    const { id } = await change(world, (context) => createProject(context, fields))
    state.places[id] = { id, kind: 'project', workspace: workspace?.id ?? null }
    new Effects(state).record('project.created')
    await bind(access)
  }
}

async function addRoles(access: AccessWorld, given: readonly (readonly string[])[]): Promise<void> {
  const { world, state } = access
  const places = Object.values(state.places)
  for (const [n, { resource, of }] of CUSTOM_ROLES.entries()) {
    const kind = of === 'organization' ? of : of === 'first workspace' ? 'workspace' : 'project'
    const home = places.find((place) => place.kind === kind)!.id
    const permissions = given[n]!
    const { id } = await change(world, (context) =>
      createRole(context, {
        ...{ name: `Role ${n}`, description: null, permissions, metadata: {}, resource },
        of: targetOf(state, home),
      }),
    )
    createModelRole(state, { id, resource, home: home === ORGANIZATION ? null : home, permissions })
    await bind(access)
  }
}

export function targetOf(state: State, place: string): Target {
  const { kind, id } = state.places[place]!
  return kind === 'organization' ? { kind } : { kind, id }
}

interface FoundChange {
  id: string
  seq: number
  at: string
  kind: string
  opened: number
  ended: number
  roles: { id: string; subject: string; of: string; place: string; source: string }[] | null
}

/**
 * Sees that the database made the changes that the model made, gives these their ids and times and the roles given
 * their ids, and keeps what holds after each.
 */
export async function bind(access: AccessWorld): Promise<void> {
  const { state, moments, world } = access
  const found = await world.database.rows(sql<FoundChange>`
    select c.id, c.seq, c.at, c.kind, c.opened_count as opened, c.ended_count as ended, (
        select json_agg(json_build_object('id', g.id, 'subject', coalesce(g.member_id, g.group_id), 'of', g.role_id,
          'place', coalesce(g.workspace_id::text, g.project_id::text, ${ORGANIZATION}), 'source', s.kind))
        from role_grant g join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id
        where g.organization_id = c.organization_id and g.opened_change = c.id) as roles
    from change c
    where c.organization_id = ${world.organizationId} and c.seq > ${moments.length} order by c.seq`)
  const fresh = state.changes.slice(moments.length)
  assert.deepEqual(
    found.map(({ seq, kind, opened, ended }) => ({ seq, kind, opened, ended })),
    fresh.map(({ seq, kind, opened, ended }) => ({ seq, kind, opened, ended })),
  )
  assert.ok(fresh.length <= 1, 'an operation is one change')
  for (const { id, at, seq, roles } of found) {
    Object.assign(state.changes[seq - 1]!, { id, at })
    const given = state.grants.filter((grant) => grant.opened === seq && grant.kind === 'role')
    assert.equal((roles ?? []).length, given.length)
    for (const grant of given) {
      const row = roles!.find(
        ({ subject, of, place, source }) =>
          subject === grant.subject && of === grant.of && place === grant.place && source === grant.source,
      )
      assert.ok(row, `no role was given: ${JSON.stringify(grant)}`)
      grant.id = row.id
    }
    moments.push(momentOf(state))
  }
}
