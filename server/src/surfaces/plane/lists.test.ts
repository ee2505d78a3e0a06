import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { countStatements } from '../../../test/count-statements.ts'
import { openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'

let app: TestApp
let world: PlaneWorld
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
})

const give = (space: PlaneSpace, role: string, member: string, more: object = {}) =>
  world.directory.post('/role_assignments', { role, member, target: space.id, ...more })

describe('the list of members', () => {
  it('has everybody once, with the highest role, given directly or through a group', async () => {
    const space = await world.workspace()
    const [both, via] = [await space.person('guest'), await space.person(null)]
    const group = await world.directory.group()
    for (const { memberId } of [both, via]) await world.directory.add(group.id, memberId)
    const role = world.roles['workspace member']!
    await world.directory.post('/role_assignments', { role, group: group.id, target: space.id })
    const rows = await space.ok('GET', '/members/')
    assert.deepEqual(
      rows.map((row: Record<string, unknown>) => [
        row.id,
        row.role,
        row.role_slug,
        row.is_active,
        row.is_bot,
      ]),
      [
        [space.owner.id, 20, 'owner', true, false],
        [both.id, 15, 'member', true, false],
        [via.id, 15, 'member', true, false],
      ],
    )
  })

  it('shows custom roles as 15 with a slug made of their name, and the workspace admin as 20', async () => {
    const space = await world.workspace()
    const [custom, admin] = [await space.person(null), await space.person('admin')]
    const input = { name: 'Béste  Helfer!', permissions: [], resource: 'workspace' }
    await give(space, (await world.directory.post('/roles', input)).id, custom.memberId)
    const rows = await space.ok('GET', '/members/')
    assert.deepEqual(
      rows.slice(1).map((row: Record<string, unknown>) => [row.id, row.role, row.role_slug]),
      [
        [custom.id, 15, 'beste-helfer'],
        [admin.id, 20, 'admin'],
      ],
    )
    const found = await space.ok('GET', '/members/?role_slug=beste-helfer')
    assert.deepEqual([found.length, found[0].id], [1, custom.id])
  })

  it('is narrowed by texts that are contained in any case, by role, and by who is active', async () => {
    const space = await world.workspace()
    const make = async (more: Record<string, unknown>) => {
      const { id } = await world.directory.member(more)
      await give(space, world.roles['workspace member']!, id)
      return id as string
    }
    await make({
      email: 'ada@math.example',
      first_name: 'Ada',
      last_name: 'Lovelace',
      display_name: 'countess',
    })
    await make({ email: 'alan@math.example', first_name: 'Alan', last_name: 'Turing' })
    const gone = await make({ email: 'grace@navy.example', first_name: 'Grace', last_name: '100% Hopper' })
    await world.directory.post(`/members/${gone}/suspend`)
    const found = async (query: string) =>
      (await space.ok('GET', `/members/?${query}`)).map((row: { first_name: string }) => row.first_name)
    assert.deepEqual(await found('first_name=A'), ['Ada', 'Alan'])
    assert.deepEqual(await found('first_name=a&last_name=TUR'), ['Alan'])
    assert.deepEqual(await found('email=%40MATH'), ['Ada', 'Alan'])
    assert.deepEqual(await found('display_name=count'), ['Ada'])
    assert.deepEqual(await found('last_name=%25'), [])
    assert.deepEqual(await found('is_active=false'), ['Grace'])
    assert.deepEqual(await found('is_active=false&last_name=100%25'), ['Grace'])
    assert.deepEqual(await found('role_slug=member&is_active=true'), ['Ada', 'Alan'])
    assert.deepEqual(await found('role_slug=owner'), [''])
    assert.deepEqual(await found('role_slug=nonsense'), [])
    assert.deepEqual(await found('is_bot=true'), [])
    assert.deepEqual(await found('is_bot=false&email=alan&unknown=1'), ['Alan'])
    for (const query of ['is_active=True', 'is_bot=1', 'is_active=']) {
      const answer = await space.call('GET', `/members/?${query}`)
      assert.deepEqual([answer.status, Object.keys(answer.body)], [400, [query.split('=')[0], 'message']])
    }
  })

  it('may be read by every member of the workspace, guests too', async () => {
    const space = await world.workspace()
    const { key } = await space.person('guest')
    assert.equal((await space.ok('GET', '/members/', undefined, key)).length, 2)
  })

  it('costs the same number of statements whatever its length', async () => {
    const space = await world.workspace()
    const count = () => countStatements(app.database, () => space.ok('GET', '/members/'))
    const few = await count()
    for (let n = 0; n < 5; n++) await space.person('member')
    assert.equal(await count(), few)
    assert.ok(few <= 4, `${few} statements`)
  })
})

describe('a page', () => {
  it('goes by its cursors to the end and back, each of them a text', async () => {
    const space = await world.workspace()
    for (let n = 0; n < 4; n++) await space.person('member')
    const whole = (await space.ok('GET', '/members/')).map((row: { id: string }) => row.id)
    const seen: string[] = []
    let query = 'per_page=2'
    for (let pages = 0; ; pages++) {
      const page = await space.ok('GET', `/members-lite/?${query}`)
      seen.push(...page.results.map((row: { id: string }) => row.id))
      assert.deepEqual([page.total_count, page.total_results, page.total_pages], [5, 5, 3])
      assert.deepEqual([page.next_cursor, page.prev_cursor], [`2:${pages + 1}:0`, `2:${pages - 1}:1`])
      assert.equal(page.prev_page_results, pages > 0)
      if (!page.next_page_results) break
      query = `per_page=2&cursor=${page.next_cursor}`
    }
    assert.deepEqual(seen, whole)
    const back = await space.ok('GET', '/members-lite/?cursor=2:0:1')
    assert.deepEqual([back.count, back.results[0].id], [2, whole[0]])
    const before = await space.ok('GET', '/members-lite/?cursor=2:-1:1')
    assert.deepEqual([before.results[0].id, before.prev_page_results], [whole[0], false])
  })

  it('behind the last one is empty and still tells how many there are', async () => {
    const space = await world.workspace()
    for (const path of ['/members-lite/', '/projects/', '/projects-lite/', '/roles/', '/teamspaces/']) {
      const first = await space.ok('GET', path)
      const page = await space.ok('GET', `${path}?cursor=10:900000:0`)
      assert.deepEqual([page.results, page.total_count], [[], first.total_count], path)
      assert.deepEqual([page.extra_stats, page.grouped_by, page.sub_grouped_by], [null, null, null])
    }
  })

  it('of a size that is none, or by a cursor that is none, is refused as the framework does', async () => {
    const space = await world.workspace()
    const queries = ['per_page=0', 'per_page=x', 'per_page=1001', 'per_page=-1', 'per_page=1.5', 'per_page=']
    const cursors = ['x', '1', '1:2', '1:2:3', '1:2:0:0', 'a:b:c', '10:99999999999:0', '']
    for (const query of [...queries, ...cursors.map((cursor) => `cursor=${cursor}`)]) {
      const answer = await space.call('GET', `/members-lite/?${query}`)
      assert.deepEqual([answer.status, Object.keys(answer.body)], [400, ['detail', 'message']], query)
    }
    const answer = await space.call('GET', '/members-lite/?cursor=x')
    assert.equal(answer.body.detail, 'Invalid cursor parameter.')
  })
})

describe('the list of roles', () => {
  it('has those of the organization and the workspace, by kind, rank and name, and no other’s', async () => {
    const [space, other] = [await world.workspace(), await world.workspace()]
    const make = (name: string, resource: string, of?: string) =>
      world.directory.post('/roles', { name, resource, permissions: [], ...(of === undefined ? {} : { of }) })
    await make('Shared', 'project')
    await make('Own', 'workspace', space.id)
    const { id: foreign } = await make('Foreign', 'workspace', other.id)
    const project = await space.project('ROLES')
    const projectId = (await world.directory.get(`/workspaces/${space.slug}/projects`)).data[0].id
    await make('Of one project', 'project', projectId)
    const names = async (tail: string) =>
      (await space.ok('GET', tail)).results.map((role: { name: string }) => role.name)
    assert.equal(project.identifier, 'ROLES')
    const ofProjects = await names('/roles/?namespace=project')
    assert.deepEqual(ofProjects.slice(0, 1), ['Admin'])
    assert.ok(ofProjects.includes('Shared') && !ofProjects.includes('Of one project'))
    assert.ok((await names('/roles/?namespace=workspace')).includes('Own'))
    assert.ok(!(await names('/roles/?per_page=1000')).includes('Foreign'))
    const { data } = await world.directory.get('/roles?limit=100')
    assert.ok(data.some((role: { id: string }) => role.id === foreign))
    assert.equal((await space.call('GET', '/roles/?namespace=organization')).status, 400)
  })
})
