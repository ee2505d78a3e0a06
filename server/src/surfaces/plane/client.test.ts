import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { HttpError, PlaneClient } from '@makeplane/plane-node-sdk'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import {
  addressOf,
  openPlaneWorld,
  type PlaneSpace,
  type PlaneWorld,
  planeClient,
} from '../../../test/plane-client.ts'

const UNKNOWN = '01990000-0000-7000-8000-00000000abcd'

let app: TestApp
let world: PlaneWorld
let space: PlaneSpace
let plane: PlaneClient
let slug: string
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
  space = await world.workspace()
  slug = space.slug
  plane = await planeClient(app, space.owner.key)
})

/** Asserts that a call of the client fails with this status and text, and answers the body. */
async function assertRefused(call: Promise<unknown>, status: number, message: RegExp): Promise<unknown> {
  const error = await call.then(
    () => assert.fail(`this was not refused with ${status}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof HttpError, String(error))
  assert.equal(error.statusCode, status, error.message)
  assert.match(error.message, message)
  return error.response
}

/** Every key of a page, whatever is on it. */
const ENVELOPE = [
  'grouped_by',
  'sub_grouped_by',
  'total_count',
  'next_cursor',
  'prev_cursor',
  'next_page_results',
  'prev_page_results',
  'count',
  'total_pages',
  'total_results',
  'extra_stats',
  'results',
]

describe('the vendor’s client', () => {
  it('reads who it acts as', async () => {
    const me = await plane.users.me()
    assert.deepEqual(Object.keys(me), [
      ...['id', 'first_name', 'last_name', 'email', 'avatar', 'avatar_url', 'display_name'],
    ])
    assert.deepEqual([me.id, me.email], [space.owner.id, space.owner.email])
  })

  it('lists the members of a workspace, whole and in pages', async () => {
    const guest = await space.person('guest')
    const members = await plane.workspace.getMembers(slug)
    assert.deepEqual(
      members.map(({ id, role, role_slug }) => [id, role, role_slug]),
      [
        [space.owner.id, 20, 'owner'],
        [guest.id, 5, 'guest'],
      ],
    )
    const first = await plane.workspace.getMembersLite(slug, { per_page: 1 })
    assert.deepEqual(Object.keys(first), ENVELOPE)
    assert.deepEqual([first.count, first.total_count, first.next_page_results], [1, 2, true])
    const second = await plane.workspace.getMembersLite(slug, { per_page: 1, cursor: first.next_cursor! })
    assert.deepEqual([...first.results, ...second.results], members)
    assert.deepEqual([second.next_page_results, second.prev_page_results], [false, true])
  })

  it('creates, reads, lists, updates, archives, brings back and deletes a project', async () => {
    const created = await plane.projects.create(slug, { name: 'Web Site', network: 0 })
    assert.deepEqual(
      [created.identifier, created.network, created.is_member, created.member_role, created.total_members],
      ['WEBSI', 0, true, 20, 1],
    )
    assert.deepEqual(await plane.projects.retrieve(slug, created.id), created)
    const update = { name: 'Site', description: 'Ours', network: 2, timezone: 'Europe/Berlin', emoji: null }
    const updated = await plane.projects.update(slug, created.id, update)
    assert.deepEqual({ ...updated, ...update }, updated)
    const listed = await plane.projects.list(slug)
    assert.deepEqual(Object.keys(listed), ENVELOPE)
    assert.deepEqual(listed.results, [updated])

    await plane.projects.archive(slug, created.id)
    assert.equal((await plane.projects.list(slug)).total_count, 0)
    const lite = await plane.projects.listLite(slug, { include_archived: true, order_by: '-name' })
    assert.equal(lite.results[0]?.id, created.id)
    assert.notEqual(lite.results[0]?.archived_at, null)
    await plane.projects.unArchive(slug, created.id)
    assert.equal((await plane.projects.listLite(slug)).results[0]?.identifier, 'WEBSI')

    await plane.projects.delete(slug, created.id)
    await assertRefused(plane.projects.retrieve(slug, created.id), 404, /no project/)
    assert.equal((await plane.projects.listLite(slug, { include_archived: true })).total_count, 0)
  })

  it('lists the members of a project, whole and in pages, and counts them by role', async () => {
    const [{ id }, { id: member }] = [await space.project('COUNT'), await space.person('member')]
    await space.ok('POST', `/projects/${id}/project-members/`, { member, role: 15 })
    const members = await plane.projects.getMembers(slug, id)
    assert.deepEqual(
      members.map((row) => [row.id, row.role, row.role_slug]),
      [
        [space.owner.id, 20, 'admin'],
        [member, 15, 'contributor'],
      ],
    )
    const page = await plane.projects.getMembersLite(slug, id, { per_page: 1, cursor: '1:1:0' })
    assert.deepEqual(page.results, [members[1]])
    const { roles, ...totals } = await plane.workspace.getProjectRoleDistribution(slug)
    assert.deepEqual(totals, { total_memberships: 2, total_distinct_members: 2 })
    assert.deepEqual(
      roles.map((row) => [row.slug, row.is_system, row.membership_count, row.distinct_member_count]),
      [
        ['admin', true, 1, 1],
        ['contributor', true, 1, 1],
      ],
    )
  })

  it('reads and switches features of a workspace and of a project', async () => {
    const none = {
      project_grouping: false,
      initiatives: false,
      teams: false,
      customers: false,
      wiki: false,
      pi: false,
    }
    assert.deepEqual(await plane.workspace.retrieveFeatures(slug), none)
    assert.deepEqual(await plane.workspace.updateFeatures(slug, { wiki: true }), { ...none, wiki: true })
    assert.deepEqual(await plane.workspace.retrieveFeatures(slug), { ...none, wiki: true })
    const { id } = await space.project('FEAT')
    const before = await plane.projects.retrieveFeatures(slug, id)
    assert.deepEqual(Object.keys(before), [
      ...['epics', 'modules', 'cycles', 'views', 'pages', 'intakes', 'work_item_types'],
    ])
    const after = await plane.projects.updateFeatures(slug, id, { cycles: true, pages: false })
    assert.deepEqual(after, { ...before, cycles: true, pages: false })
    const shown = await plane.projects.retrieve(slug, id)
    assert.deepEqual([shown.cycle_view, shown.page_view], [true, false])
  })

  it('lists and reads roles', async () => {
    const all = await plane.roles.list(slug)
    assert.deepEqual(
      all.results.map((role) => `${role.namespace} ${role.slug}`),
      [
        ...['admin', 'contributor', 'commenter', 'viewer', 'guest'].map((name) => `project ${name}`),
        ...['owner', 'admin', 'member', 'guest'].map((name) => `workspace ${name}`),
      ],
    )
    const { results } = await plane.roles.list(slug, { namespace: 'workspace', per_page: 1, cursor: '1:1:0' })
    assert.deepEqual([results.length, results[0]?.slug, results[0]?.is_system], [1, 'admin', true])
    assert.deepEqual(await plane.roles.retrieve(slug, results[0]!.id!), results[0])
  })

  it('creates, reads, lists, updates and deletes a teamspace, and says who is in it and on which projects', async () => {
    const { id: member } = await space.person('member')
    const project = await space.project('TEAM')
    const logo_props = { in_use: 'emoji', emoji: { value: '128512' } } as const
    const created = await plane.teamspaces.create(slug, {
      ...{ name: 'Team', description_html: '<p>Ours</p>', lead: member, logo_props },
    })
    assert.deepEqual(
      [created.name, created.description_stripped, created.lead, created.logo_props, created.workspace],
      ['Team', 'Ours', member, logo_props, project.workspace],
    )
    const { id } = created
    const updated = await plane.teamspaces.update(slug, id, { name: 'Crew' })
    assert.deepEqual({ ...updated, name: 'Team', updated_at: created.updated_at }, created)
    assert.deepEqual(await plane.teamspaces.retrieve(slug, id), updated)
    // The client sends limit and offset, which the vendor's server does not know either.
    assert.deepEqual((await plane.teamspaces.list(slug, { limit: 1, offset: 5 })).results, [updated])

    const added = await plane.teamspaces.members.add(slug, id, { member_ids: [member, space.owner.id] })
    assert.deepEqual(
      (added as unknown as { id: string }[]).map((row) => row.id),
      [space.owner.id, member],
    )
    assert.deepEqual((await plane.teamspaces.members.list(slug, id)).total_count, 2)
    await plane.teamspaces.members.remove(slug, id, { member_ids: [member] })
    const left = await plane.teamspaces.members.list(slug, id)
    assert.deepEqual(
      left.results.map((row) => row.id),
      [space.owner.id],
    )

    const linked = await plane.teamspaces.projects.add(slug, id, { project_ids: [project.id] })
    assert.equal((linked as unknown as { id: string }[])[0]?.id, project.id)
    const projects = await plane.teamspaces.projects.list(slug, id)
    assert.deepEqual([projects.total_count, projects.results[0]?.id], [1, project.id])
    await plane.teamspaces.projects.remove(slug, id, { project_ids: [project.id] })
    assert.equal((await plane.teamspaces.projects.list(slug, id)).total_count, 0)

    await plane.teamspaces.delete(slug, id)
    await assertRefused(plane.teamspaces.retrieve(slug, id), 404, /no teamspace/)
  })

  it('works with a base URL that ends in a slash, and with an access token', async () => {
    const slashed = await planeClient(app, space.owner.key, '/')
    assert.equal((await slashed.users.me()).id, space.owner.id)
    assert.ok((await slashed.workspace.getMembers(slug)).length > 0)
    await assertRefused(slashed.projects.retrieve(slug, UNKNOWN), 404, /no project/)
    await assertRefused(slashed.cycles.list(slug, UNKNOWN), 404, /Page not found/)
    const baseUrl = await addressOf(app)
    const withToken = new PlaneClient({ baseUrl, accessToken: space.owner.key })
    assert.equal((await withToken.users.me()).id, space.owner.id)
  })

  it('shows the text of every refusal, whatever shape the body has', async () => {
    const stranger = await planeClient(app, 'plane_api_unknown')
    const outside = await planeClient(app, (await space.person(null)).key)
    const cases: [() => Promise<unknown>, number, RegExp, string][] = [
      [() => stranger.users.me(), 401, /unknown, expired or revoked/, 'detail'],
      [() => outside.workspace.getMembers(slug), 403, /not a member of this workspace/, 'detail'],
      [() => plane.workspace.getMembers('nowhere'), 404, /no workspace with this slug/, 'error'],
      [
        () => plane.projects.create(slug, { name: '', identifier: 'X' }),
        400,
        /name must not be empty/,
        'name',
      ],
      [() => plane.roles.list(slug, { per_page: 5000 }), 400, /per_page/, 'detail'],
      [() => plane.cycles.list(slug, UNKNOWN), 404, /Page not found/, 'error'],
    ]
    for (const [call, status, message, key] of cases) {
      const body = await assertRefused(call(), status, message)
      assert.deepEqual(Object.keys(body as object), [key, 'message'])
    }
  })

  it('is answered 404 for every other part of the vendor’s product', async () => {
    await assertRefused(plane.labels.list(slug, UNKNOWN), 404, /Page not found/)
    await assertRefused(plane.customers.list(slug), 404, /Page not found/)
    await assertRefused(plane.initiatives.list(slug), 404, /Page not found/)
  })
})
