import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'

let app: TestApp
let acme: DirectoryClient
/** Every single resource, with a change of it. */
let resources: [tail: string, change: (value: string) => object][]
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  acme = directoryClient(app, (await app.organization('acme')).path)
  const [member, group] = [await acme.member(), await acme.group()]
  await acme.post('/workspaces', { name: 'W', slug: 'acme-space' })
  const project = await acme.post('/workspaces/acme-space/projects', { name: 'P', identifier: 'PRO' })
  const own = await acme.post('/projects', { name: 'Own' })
  resources = [
    ['', (name) => ({ name })],
    [`/members/${member.id}`, (name) => ({ display_name: name })],
    [`/groups/${group.id}`, (name) => ({ name })],
    ['/workspaces/acme-space', (name) => ({ name })],
    [`/workspaces/acme-space/projects/${project.id}`, (name) => ({ name })],
    [`/projects/${own.id}`, (name) => ({ name })],
  ]
})

const patch = (tail: string, body: object, ifMatch?: string) =>
  acme.send('PATCH', tail, { body, ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }) })
const etag = async (tail: string) => String((await acme.send('GET', tail)).headers.etag)

describe('an ETag', () => {
  it('is given with every single resource, and moves with every change of it', async () => {
    for (const [tail, change] of resources) {
      const first = await etag(tail)
      assert.match(first, /^"\d+"$/, tail)
      const changed = await patch(tail, change('Moved'))
      assert.notEqual(changed.headers.etag, first)
      assert.equal(await etag(tail), changed.headers.etag)
      assert.equal((await patch(tail, change('Moved'))).headers.etag, changed.headers.etag)
    }
  })
})

describe('If-Match', () => {
  it('lets a change of that version through, and refuses one of another with 412, changing nothing', async () => {
    for (const [tail, change] of resources) {
      const stale = await etag(tail)
      const changed = await patch(tail, change('Second'), stale)
      assert.equal(changed.status, 200, tail)
      const before = await databaseState(app.database)
      const refusal = await patch(tail, change('Third'), stale)
      assert.deepEqual([refusal.status, refusal.body.code], [412, 'version.mismatch'], tail)
      // Even a change that would be none was asked for on a version that is gone.
      assert.equal((await patch(tail, change('Second'), stale)).status, 412)
      assert.deepEqual(await databaseState(app.database), before)
    }
  })

  it('of * asks for nothing, and of another form is refused by name', async () => {
    for (const [tail, change] of resources) {
      assert.equal((await patch(tail, change('Any'), '*')).status, 200)
      for (const header of ['3', '"x"', 'W/"1"', '"1", "2"', '""', '"-1"', '"99999999999999999999"']) {
        const refusal = await patch(tail, change('No'), header)
        assert.deepEqual([refusal.status, refusal.body.field], [400, 'If-Match'], header)
      }
    }
  })

  it('lets exactly one of many changes of the same version through', async () => {
    for (const [tail, change] of resources) {
      const version = await etag(tail)
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, index) => patch(tail, change(`Racer ${index} ${version}`), version)),
      )
      const statuses = answers.map((answer) => answer.status).sort()
      assert.deepEqual(statuses, [200, 412, 412, 412, 412, 412], tail)
    }
  })

  it('guards a removal as well', async () => {
    for (const [create, path] of [
      [() => acme.member(), 'members'],
      [() => acme.group(), 'groups'],
    ] as const) {
      const { id } = await create()
      const tail = `/${path}/${id}`
      const stale = await etag(tail)
      await patch(tail, path === 'members' ? { display_name: 'Moved' } : { name: 'Moved' })
      for (const query of ['?preview=true', '']) {
        const headers = { 'if-match': stale }
        await acme.refused('DELETE', `${tail}${query}`, 'version.mismatch', 412, { headers })
      }
      const headers = { 'if-match': await etag(tail) }
      assert.ok((await acme.send('DELETE', tail, { headers })).status < 300)
    }
    const other = directoryClient(app, (await app.organization('guarded')).path)
    const headers = { 'if-match': '"7"' }
    await other.refused('DELETE', '', 'version.mismatch', 412, { headers })
  })
})
