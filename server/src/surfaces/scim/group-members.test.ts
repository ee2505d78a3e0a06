import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { databaseState } from '../../../test/database-state.ts'
import { openConnection, openScim, PATCH, type ScimTestClient } from '../../../test/scim-client.ts'

let app: TestApp
let scim: ScimTestClient
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  scim = await openScim(app, 'acme')
})

/** All that is stored, but for the log of requests. */
async function state(): Promise<object> {
  const { scim_request: _, ...rest } = await databaseState(app.database)
  return rest
}

describe('a change of members', () => {
  it('with unknown users, or those of another connection or organization, is refused whole and names them', async () => {
    const known = (await scim.user()).id
    const group = await scim.group('Everybody', [known])
    const second = await openConnection(app, scim.directory)
    const other = await openScim(app, 'other')
    const unknown = [
      (await second.user()).id,
      (await other.user()).id,
      '01990000-0000-7000-8000-00000000abcd',
      'no-id-at-all',
    ]
    const before = await state()
    for (const id of unknown) {
      const members = [known, id].map((value) => ({ value }))
      const refusals = [
        await scim.refused(400, 'invalidValue', 'POST', '/Groups', { displayName: 'New', members }),
        await scim.refused(400, 'invalidValue', 'PUT', `/Groups/${group.id}`, {
          displayName: 'Everybody',
          members,
        }),
        await scim.refused(400, 'invalidValue', 'PATCH', `/Groups/${group.id}`, {
          schemas: [PATCH],
          Operations: [
            { op: 'replace', path: 'displayName', value: 'Renamed' },
            { op: 'add', path: 'members', value: members },
          ],
        }),
      ]
      for (const detail of refusals) assert.ok(detail.includes(id) && !detail.includes(known), detail)
    }
    const all = await scim.refused(400, 'invalidValue', 'POST', '/Groups', {
      displayName: 'New',
      members: Array.from({ length: 30 }, (_, n) => ({
        value: `01990000-0000-7000-8000-0000000000${n + 10}`,
      })),
    })
    assert.match(all, /and 20 more/)
    assert.deepEqual(await state(), before)
  })
})
