import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { digestRows } from '../../../test/campaigns/snapshot.ts'
import { change } from '../../../test/campaigns/world.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { freshDatabase, type TestDatabase } from '../../../test/harness.ts'
import { openTeamspaceWorld, type TeamspaceWorld } from '../../../test/teamspace-world.ts'
import type { Actor } from '../access/permission.ts'
import type { Context } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import { removeFromWorkspace } from '../workspaces/offboarding.ts'
import {
  createTeamspace,
  deleteTeamspace,
  getTeamspace,
  listTeamspaces,
  pageTeamspaces,
  updateTeamspace,
} from './teamspace.ts'
import { listTeamspaceMembers, pageTeamspaceMembers, removeTeamspaceMembers } from './teamspace-members.ts'
import { listTeamspaceProjects, pageTeamspaceProjects, unlinkProjects } from './teamspace-projects.ts'

let opened: TestDatabase
let ours: TeamspaceWorld
let theirs: TeamspaceWorld
before(async () => {
  opened = await freshDatabase()
  ours = await openTeamspaceWorld(opened.database)
  theirs = await openTeamspaceWorld(opened.database)
})

const refusedAs = (code: string) => (error: unknown) => error instanceof DirectoryError && error.code === code
const FIRST = { afterId: null, limit: 100 }
const NEW = { name: 'New', leadId: null, description: {}, logo: {} }

const membersOf = async (id: string) =>
  (await listTeamspaceMembers(ours.reading(), ours.workspaceId, id, FIRST)).map((row) => row.id)
const projectsOf = async (id: string) =>
  (await listTeamspaceProjects(ours.reading(), ours.workspaceId, id, FIRST)).map((row) => row.id)

/** Does something as somebody in our workspace. */
const as = <T>(actor: Actor, work: (context: Context, workspaceId: string) => Promise<T>) =>
  change(ours.world, (context) => work(context, ours.workspaceId), actor)

describe('teamspaces', () => {
  test('are paged by number with the number of all, in the order of their creation', async () => {
    const world = await openTeamspaceWorld(opened.database)
    const ids = [await world.teamspace(), await world.teamspace(), await world.teamspace()]
    await change(world.world, (context) => deleteTeamspace(context, world.workspaceId, ids[0]!))
    const { rows, total } = await pageTeamspaces(world.reading(), world.workspaceId, 1, 1)
    assert.deepEqual([rows.map((row) => row.id), total], [[ids[2]], 2])
    const members = await world.members(3)
    const projects = [await world.project(), await world.project()]
    await world.add(ids[1]!, members)
    await world.link(ids[1]!, projects)
    const place = [world.reading(), world.workspaceId, ids[1]!] as const
    const second = await pageTeamspaceMembers(...place, 1, 1)
    assert.deepEqual([second.rows.map((row) => row.id), second.total], [[members[1]], 3])
    const last = await pageTeamspaceProjects(...place, 1, 5)
    assert.deepEqual([last.rows.map((row) => row.id), last.total], [[projects[1]], 2])
  })

  test('of another organization are unknown, and so are its members, projects and roles', async () => {
    const [mine, foreign] = [await ours.teamspace(), await theirs.teamspace()]
    const [member, project] = [await theirs.member(), await theirs.project()]
    const role = await theirs.roleId('project', 'admin')
    const own = await ours.project()
    const digests = async () => [await digestRows(ours.world), await digestRows(theirs.world)]
    const before = await digests()
    const unknown = (work: (context: Context, workspaceId: string) => Promise<unknown>, code: string) =>
      assert.rejects(as(ours.world.root, work), refusedAs(code))
    await unknown((context, id) => getTeamspace(context, id, foreign), 'teamspace.not_found')
    await unknown((context) => getTeamspace(context, theirs.workspaceId, foreign), 'teamspace.not_found')
    await unknown(
      (context, id) => updateTeamspace(context, id, foreign, { name: 'X' }),
      'teamspace.not_found',
    )
    await unknown((context, id) => deleteTeamspace(context, id, foreign), 'teamspace.not_found')
    await unknown(
      (context, id) => removeTeamspaceMembers(context, id, foreign, [member]),
      'teamspace.not_found',
    )
    await unknown((context, id) => unlinkProjects(context, id, foreign, [project]), 'teamspace.not_found')
    await unknown((context, id) => listTeamspaceMembers(context, id, foreign, FIRST), 'teamspace.not_found')
    await unknown((context, id) => listTeamspaceProjects(context, id, foreign, FIRST), 'teamspace.not_found')
    await unknown(
      (context, id) => createTeamspace(context, id, { ...NEW, leadId: member }),
      'workspace.not_member',
    )
    await assert.rejects(ours.add(mine, [member]), refusedAs('workspace.not_member'))
    await assert.rejects(ours.link(mine, [own, project]), refusedAs('project.not_found'))
    await assert.rejects(ours.link(mine, [own], role), refusedAs('role.not_found'))
    assert.deepEqual(await listTeamspaces(ours.reading(), theirs.workspaceId, FIRST), [])
    assert.deepEqual(await digests(), before)
  })

  test('are read by every member, and changed by who may change those of the workspace', async () => {
    const id = await ours.teamspace()
    const [member, admin] = [ours.keyOf(await ours.member()), ours.keyOf(await ours.member('admin'))]
    await getTeamspace(ours.reading(member), ours.workspaceId, id)
    const works: ((context: Context, workspaceId: string) => Promise<unknown>)[] = [
      (context, workspaceId) => createTeamspace(context, workspaceId, NEW),
      (context, workspaceId) => updateTeamspace(context, workspaceId, id, { name: 'Renamed' }),
      (context, workspaceId) => removeTeamspaceMembers(context, workspaceId, id, []),
      (context, workspaceId) => unlinkProjects(context, workspaceId, id, []),
      (context, workspaceId) => deleteTeamspace(context, workspaceId, id),
    ]
    const reader = ours.keyOf(await ours.member('admin'), ['teamspaces:read'])
    for (const work of works) {
      for (const actor of [member, reader]) {
        await assert.rejects(as(actor, work), refusedAs('permission.denied'))
      }
      await as(admin, work)
    }
    const none = ours.keyOf(await ours.member('admin'), ['groups:read'])
    await assert.rejects(
      listTeamspaces(ours.reading(none), ours.workspaceId, FIRST),
      refusedAs('permission.denied'),
    )
  })

  test('cost as many statements, however many members and projects are added and removed', async () => {
    const members = await ours.members(30)
    const projects = []
    for (let n = 0; n < 10; n++) projects.push(await ours.project())
    const key = ours.keyOf(await ours.member('admin'))
    const costOf = async (memberIds: string[], projectIds: string[]) => {
      const id = await ours.teamspace()
      return await countStatements(opened.database, async () => {
        await ours.link(id, projectIds, undefined, key)
        await ours.add(id, memberIds, key)
        await as(key, (context, workspaceId) => removeTeamspaceMembers(context, workspaceId, id, memberIds))
        await as(key, (context, workspaceId) => unlinkProjects(context, workspaceId, id, projectIds))
      })
    }
    // What is looked up once and kept is looked up here.
    await costOf(members.slice(0, 2), projects.slice(0, 2))
    assert.equal(await costOf(members, projects), await costOf(members.slice(0, 1), projects.slice(0, 1)))
  })
})

describe('the lead of a teamspace', () => {
  test('says who is in it and on which projects, and nothing else of it or of others', async () => {
    const [leadId, member, project] = [await ours.member(), await ours.member(), await ours.project()]
    const [id, other] = [await ours.teamspace(leadId), await ours.teamspace()]
    const admin = await ours.roleId('project', 'admin')
    await ours.assign({ kind: 'member', id: leadId }, admin, { kind: 'project', id: project })
    const lead = ours.keyOf(leadId)
    await ours.add(id, [member, leadId], lead)
    await ours.link(id, [project], undefined, lead)
    assert.deepEqual([(await membersOf(id)).length, await projectsOf(id)], [2, [project]])
    await as(lead, (context, workspaceId) => unlinkProjects(context, workspaceId, id, [project]))
    await as(lead, (context, workspaceId) => removeTeamspaceMembers(context, workspaceId, id, [member]))
    assert.deepEqual([await membersOf(id), await projectsOf(id)], [[leadId], []])
    const denied = refusedAs('permission.denied')
    await assert.rejects(ours.add(other, [member], lead), denied)
    await assert.rejects(ours.add(id, [member], ours.keyOf(leadId, ['teamspaces:read'])), denied)
    await assert.rejects(ours.add(id, [leadId], ours.keyOf(member)), denied)
    const rename = (context: Context, workspaceId: string) =>
      updateTeamspace(context, workspaceId, id, { name: 'Mine' })
    await assert.rejects(as(lead, rename), denied)
    await assert.rejects(
      as(lead, (context, workspaceId) => deleteTeamspace(context, workspaceId, id)),
      denied,
    )
  })

  test('gives no role that the lead does not hold on every one of the projects', async () => {
    const [leadId, member] = [await ours.member(), await ours.member()]
    const [held, foreign] = [await ours.project(), await ours.project()]
    const custom = await ours.customRole('project', ['app.deploy'])
    await ours.assign({ kind: 'member', id: leadId }, custom, { kind: 'project', id: held })
    const id = await ours.teamspace(leadId)
    const lead = ours.keyOf(leadId)
    await ours.link(id, [held], custom, lead)
    const exceeded = refusedAs('role.permission_exceeded')
    await assert.rejects(ours.link(id, [held, foreign], custom, lead), exceeded)
    await assert.rejects(ours.link(id, [held], await ours.roleId('project', 'admin'), lead), exceeded)
    await ours.add(id, [member], lead)
    await ours.link(id, [foreign], custom)
    await assert.rejects(ours.add(id, [await ours.member()], lead), exceeded)
  })

  test('is none who left the workspace', async () => {
    const [leadId, member] = [await ours.member(), await ours.member()]
    const id = await ours.teamspace(leadId)
    await change(ours.world, (context) =>
      removeFromWorkspace(context, ours.workspaceId, leadId, { removeSeat: false }),
    )
    const { lead_id: shown } = await getTeamspace(ours.reading(), ours.workspaceId, id)
    assert.equal(shown, null)
    await assert.rejects(ours.add(id, [member], ours.keyOf(leadId)), refusedAs('permission.denied'))
  })
})
