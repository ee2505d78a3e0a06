import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { countScimStatements, openScim, type ScimTestClient, USER } from '../../../test/scim-client.ts'

let app: TestApp
let scim: ScimTestClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  scim = await openScim(app, 'acme')
})

/** Statements of a request, without those that write the request log. */
async function statementsOf(work: () => Promise<unknown>): Promise<number> {
  await work().catch(() => {})
  await app.scim.requestLog.flush()
  return await countScimStatements(app, work)
}

const memberOf = async (count: number) => {
  const users = []
  for (let number = 0; number < count; number++) users.push(await scim.user())
  return users.map((user) => user.id as string)
}

describe('statements of a request', () => {
  it('are one for a read and for a lookup', async () => {
    const user = await scim.user()
    assert.equal(await statementsOf(() => scim.expect(200, 'GET', `/Users/${user.id}`)), 1)
    const filter = encodeURIComponent(`userName eq "${user.userName}"`)
    assert.equal(await statementsOf(() => scim.expect(200, 'GET', `/Users?filter=${filter}`)), 1)
  })

  it('are two for the creation of a user, with its change', async () => {
    let number = 0
    const create = () =>
      scim.expect(201, 'POST', '/Users', { schemas: [USER], userName: `new-${number++}@acme.example` })
    assert.equal(await statementsOf(create), 2)
  })

  it('are two for a change of attributes, a deactivation and an activation, of somebody in groups too', async () => {
    const [id = ''] = await memberOf(1)
    await scim.group('Engineers', [id])
    const set = (path: string, value: unknown) => scim.patch(`/Users/${id}`, { op: 'replace', path, value })
    await statementsOf(() => set('active', false).then(() => set('active', true)))
    assert.equal(await countScimStatements(app, () => set('title', 'Lead')), 2)
    assert.equal(await countScimStatements(app, () => set('active', false)), 2)
    assert.equal(await countScimStatements(app, () => set('active', true)), 2)
    assert.equal(await countScimStatements(app, () => set('active', true)), 2, 'nothing to change')
    const both = { active: false, title: 'Was lead' }
    assert.equal(await countScimStatements(app, () => set('', both)), 3, 'read, written, keys ended')
  })

  it('are as many for a group whatever is in it, and at most six', async () => {
    const ids = await memberOf(40)
    const counts = []
    for (const members of [0, 30]) {
      const group = await scim.group(`Group of ${members}`, ids.slice(0, members))
      const change = async (op: string, some: readonly string[]) => {
        const value = some.map((id) => ({ value: id }))
        await scim.expect(200, 'PATCH', `/Groups/${group.id}?excludedAttributes=members`, {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op, path: 'members', value }],
        })
      }
      counts.push(
        await statementsOf(() => change('add', ids.slice(30)).then(() => change('remove', ids.slice(30)))),
      )
    }
    assert.equal(counts[0], counts[1])
    assert.ok(counts[0]! <= 12, String(counts))
  })
})
