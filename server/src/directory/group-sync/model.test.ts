import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { change } from '../../../test/campaigns/world.ts'
import { foretellSync, type ModelGrant, type ModelState } from '../../../test/group-sync-model.ts'
import { openGroupSyncWorld } from '../../../test/group-sync-world.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { DirectoryError } from '../errors.ts'
import { createGroup } from '../groups/group.ts'
import { addGroupMember, removeGroupMember } from '../groups/membership.ts'
import { reactivateMember, suspendMember } from '../members/lifecycle.ts'
import { archiveProject, unarchiveProject } from '../projects/project.ts'
import { assignRole, revokeAssignment } from '../roles/assignment.ts'
import { updateWorkspace } from '../workspaces/workspace.ts'
import { listMappings, removeMapping } from './mappings.ts'

let opened: TestDatabase
before(async () => {
  opened = await freshDatabase()
})

const [PEOPLE, PROJECTS, GROUPS] = [4, 3, 4]
const WORKSPACE_ROLES = ['guest', 'member', 'admin', 'owner', 'custom'] as const
const PROJECT_ROLES = ['guest', 'viewer', 'commenter', 'member', 'admin', 'custom'] as const

const person = fc.nat(PEOPLE - 1)
/** -1: the workspace; PROJECTS: all projects. */
const place = fc.integer({ min: -1, max: PROJECTS - 1 })
const group = fc.nat(GROUPS - 1)
const groups = fc.uniqueArray(group, { maxLength: 3 })
const role = fc.nat(29)
const claims = fc.uniqueArray(fc.tuple(person, groups), { selector: ([who]) => who, maxLength: PEOPLE })
const map = fc.record({
  do: fc.constant('map' as const),
  group,
  role,
  on: fc.integer({ min: -1, max: PROJECTS }),
})
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sync' as const), claims }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reapply' as const) }) },
  { weight: 5, arbitrary: map },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unmap' as const), nth: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('give' as const), person, role, place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('revoke' as const), nth: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      autoRemove: fc.boolean(),
      defaultRole: fc.option(role),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('seats' as const), seats: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('archive' as const), nth: fc.nat(PROJECTS - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('suspend' as const), person }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('group' as const), person }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A workspace with everybody and everything that steps are about. */
async function openRun(through: 'guest' | 'member') {
  const world = await openGroupSyncWorld(opened.database)
  const numbers = (count: number) => [...Array(count).keys()]
  const members: string[] = []
  for (const _ of numbers(PEOPLE)) members.push(await world.member())
  const projects: string[] = []
  for (const _ of numbers(PROJECTS)) projects.push(await world.project())
  const custom = {
    workspace: await world.customRole('workspace'),
    project: await world.customRole('project'),
  }
  const inGroup = await change(world.world, (context) =>
    createGroup(context, { name: 'In', externalReferenceId: null, metadata: {} }),
  )
  const target = { kind: 'workspace', id: world.workspaceId } as const
  const roleId = await world.roleId('workspace', through)
  await world.configure({ autoRemove: true })
  await change(world.world, (context) =>
    assignRole(context, { subject: { kind: 'group', id: inGroup.id }, roleId, target }),
  )
  return { world, members, projects, custom, groupId: inGroup.id }
}
type Run = Awaited<ReturnType<typeof openRun>>

function roleOf({ custom }: Run, isWorkspace: boolean, nth: number): string {
  const names = isWorkspace ? WORKSPACE_ROLES : PROJECT_ROLES
  const name = names[nth % names.length]!
  return name === 'custom' ? custom[isWorkspace ? 'workspace' : 'project'] : name
}

async function readState(run: Run): Promise<ModelState> {
  const { world, custom } = run
  const { organizationId, workspaceId } = world
  const customs = Object.values(custom)
  const named = (name: string) => (customs.includes(name) ? 'custom' : name)
  const rows = await opened.database.rows(sql<{
    member: string
    place: string
    role: string
    is_synced: boolean
  }>`
    select g.member_id as member, coalesce(g.project_id::text, 'workspace') as place,
      coalesce(r.key, 'custom') as role, s.kind = 'group_sync' as is_synced
    from role_grant g
    join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id
    join role r on r.organization_id = g.organization_id and r.id = g.role_id
    where g.organization_id = ${organizationId} and g.member_id is not null and g.ended_change is null
      and (g.workspace_id is not null or g.project_id is not null)`)
  const grants = rows.map(({ is_synced: isSynced, ...grant }): ModelGrant => ({ ...grant, isSynced }))
  const facts = (await opened.database.row(sql<{
    auto_remove: boolean
    default_role: string | null
    seats: number | null
    active: string[]
    through: { member: string; role: string }[]
    projects: { id: string; isArchived: boolean }[]
  }>`
    select c.auto_remove, (select coalesce(r.key, 'custom') from role r
        where r.organization_id = c.organization_id and r.id = c.default_workspace_role_id) as default_role,
      w.purchased_seats as seats,
      array(select id::text from member where organization_id = c.organization_id and status = 'active') as active,
      (select coalesce(json_agg(json_build_object('member', gm.member_id, 'role', r.key)), '[]')
        from role_grant g join role r on r.organization_id = g.organization_id and r.id = g.role_id
        join group_membership gm on gm.organization_id = g.organization_id and gm.group_id = g.group_id
        where g.organization_id = c.organization_id and g.ended_change is null) as through,
      (select json_agg(json_build_object('id', p.id, 'isArchived', p.archived_at is not null) order by p.id)
        from project p where p.organization_id = c.organization_id) as projects
    from group_sync_config c
    join workspace w on w.organization_id = c.organization_id and w.id = c.workspace_id
    where c.organization_id = ${organizationId}`))!
  const all = { afterId: null, limit: 1000, project: null }
  const mappings = [
    ...(await listMappings(world.reading, workspaceId, 'workspace', all)),
    ...(await listMappings(world.reading, workspaceId, 'projects', all)),
  ]
  return {
    autoRemove: facts.auto_remove,
    defaultRole: facts.default_role,
    seats: facts.seats,
    projects: facts.projects,
    active: new Set(facts.active),
    through: new Map(facts.through.map(({ member, role: name }) => [member, [name]])),
    grants,
    mappings: mappings.map((mapping) => ({
      group: mapping.idp_group_name,
      role: mapping.role_key ?? named(mapping.role_id),
      on: mapping.kind === 'workspace' ? 'workspace' : (mapping.project_id ?? 'all'),
    })),
  }
}

const nameOf = (nth: number) => `g${nth}`

/** Does a step that is no sync; what a rule refuses is not done. */
async function prepare(run: Run, one: Exclude<Step, { do: 'sync' | 'reapply' }>): Promise<void> {
  const { world, members, projects, groupId } = run
  const { workspaceId } = world
  const doing = (work: Parameters<typeof change>[1]) => change(world.world, work)
  switch (one.do) {
    case 'map': {
      const on = one.on === -1 ? 'workspace' : one.on === PROJECTS ? 'all' : projects[one.on]!
      await world.map(nameOf(one.group), roleOf(run, one.on === -1, one.role), on)
      return
    }
    case 'unmap': {
      for (const list of ['workspace', 'projects'] as const) {
        const page = { afterId: null, limit: 1000, project: null }
        const found = (await listMappings(world.reading, workspaceId, list, page))[one.nth]
        if (found !== undefined) await doing((context) => removeMapping(context, workspaceId, list, found.id))
      }
      return
    }
    case 'give': {
      const isWorkspace = one.place === -1
      const on = isWorkspace ? undefined : projects[one.place]
      await world.give(members[one.person]!, roleOf(run, isWorkspace, one.role), on)
      return
    }
    case 'revoke': {
      const found = await opened.database.rows(sql<{ id: string }>`
        select g.id from role_grant g
        join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id and s.kind = 'manual'
        where g.organization_id = ${world.organizationId} and g.ended_change is null and g.member_id is not null
          and (g.workspace_id is not null or g.project_id is not null) order by g.id`)
      const grant = found[one.nth]
      if (grant !== undefined) await doing((context) => revokeAssignment(context, grant.id))
      return
    }
    case 'configure': {
      const key = one.defaultRole === null ? null : roleOf(run, true, one.defaultRole)
      const defaultWorkspaceRoleId = key === null ? null : await world.roleId('workspace', key)
      await world.configure({ autoRemove: one.autoRemove, defaultWorkspaceRoleId })
      return
    }
    case 'seats':
      await doing((context) => updateWorkspace(context, world.slug, { purchasedSeats: one.seats }))
      return
    case 'archive': {
      const id = projects[one.nth]!
      const isArchived = (await readState(run)).projects.find((project) => project.id === id)!.isArchived
      await doing((context) => (isArchived ? unarchiveProject(context, id) : archiveProject(context, id)))
      return
    }
    case 'suspend': {
      const id = members[one.person]!
      const isActive = (await readState(run)).active.has(id)
      await doing((context) => (isActive ? suspendMember(context, id) : reactivateMember(context, id)))
      return
    }
    case 'group': {
      const id = members[one.person]!
      const isIn = (await readState(run)).through.has(id)
      await doing((context) =>
        isIn ? removeGroupMember(context, groupId, id) : addGroupMember(context, groupId, id, null),
      )
    }
  }
}

const syncedOf = (state: ModelState) =>
  state.grants
    .filter(({ isSynced }) => isSynced)
    .map(({ member, place: on, role: name }) => `${member} ${on} ${name}`)
    .toSorted()
const byHandOf = (state: ModelState) =>
  state.grants
    .filter(({ isSynced }) => !isSynced)
    .map((grant) => JSON.stringify(grant))
    .toSorted()

async function sync(run: Run, said: Map<string, readonly string[]>, isReapplied: boolean): Promise<void> {
  const { world } = run
  const before = await readState(run)
  const foretold = foretellSync(before, said)
  const result = isReapplied ? await world.reapply() : await world.sync([...said])
  const after = await readState(run)
  assert.deepEqual(syncedOf(after), foretold.grants)
  assert.deepEqual(byHandOf(after), byHandOf(before), 'what others gave is untouched')
  const skipped = Object.fromEntries(result.members.map((member) => [member.memberId, member.skipped]))
  assert.deepEqual(skipped, foretold.skipped)
  const kept = result.members.flatMap((member) =>
    member.kept.map(({ project_id: on, reason }) => `${member.memberId} ${on ?? 'workspace'} ${reason}`),
  )
  assert.deepEqual(kept.toSorted(), foretold.kept)
  const [had, has] = [new Set(syncedOf(before)), new Set(syncedOf(after))]
  assert.equal(result.opened, [...has].filter((grant) => !had.has(grant)).length)
  assert.equal(result.ended, [...had].filter((grant) => !has.has(grant)).length)
}

async function play(run: Run, steps: readonly Step[]): Promise<void> {
  const told = new Map<string, readonly string[]>()
  for (const one of steps) {
    if (one.do === 'sync') {
      const said = new Map(one.claims.map(([who, names]) => [run.members[who]!, names.map(nameOf)]))
      await sync(run, said, false)
      for (const [who, names] of said) told.set(who, names)
    } else if (one.do === 'reapply') await sync(run, told, true)
    else {
      await prepare(run, one).catch((error: unknown) => {
        if (!(error instanceof DirectoryError)) throw error
      })
    }
  }
}

test('every sync does what the rules say, and tells it, whatever came before', async () => {
  const runs = Number(process.env.GROUP_SYNC_RUNS ?? 50)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('guest' as const, 'member' as const),
      fc.array(map, { minLength: 4, maxLength: 10 }),
      fc.array(step, { minLength: 8, maxLength: 30 }),
      async (through, mappings, steps) => play(await openRun(through), [...mappings, ...steps]),
    ),
    { numRuns: runs, ...(process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) }) },
  )
})
