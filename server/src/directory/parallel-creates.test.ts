import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../test/app.ts'

const PARALLEL = 100

describe('a reference id that 100 requests want at the same time', () => {
  let app: TestApp
  before(async () => {
    app = await startTestApp({ withoutTasks: true })
  })
  after(() => app.close())

  /** One answer is 201, every other one is a conflict. */
  function assertOne(answers: Answer[]): void {
    const made = answers.filter((answer) => answer.status === 201)
    assert.equal(made.length, 1)
    const conflicts = answers.filter((answer) => answer.status === 409)
    assert.equal(
      conflicts.length,
      PARALLEL - 1,
      JSON.stringify(answers.find((one) => one.status >= 500)?.body),
    )
  }

  async function all(send: (n: number) => Promise<Answer>): Promise<Answer[]> {
    return await Promise.all(Array.from({ length: PARALLEL }, (_, n) => send(n)))
  }

  test('makes one group through the Directory API', async () => {
    const { path, key } = await app.organization('groups')
    const body = { name: 'Group', external_reference_id: 'one' }
    assertOne(await all(() => app.call('POST', `${path}/groups`, { key, body })))
    const { body: list } = await app.call('GET', `${path}/groups`, { key })
    assert.equal(list.data.length, 1)
  })

  test('makes one group through Vitable’s dialect', async () => {
    const { key } = await app.organization('vitable')
    const body = { name: 'Group', external_reference_id: 'one' }
    assertOne(await all(() => app.call('POST', '/v1/groups', { key, body })))
    const { body: list } = await app.call('GET', '/v1/groups', { key })
    assert.equal(list.pagination.total, 1)
  })

  test('makes one group through both at once', async () => {
    const { path, key } = await app.organization('both')
    const body = { name: 'Group', external_reference_id: 'one' }
    assertOne(
      await all((n) => app.call('POST', n % 2 === 0 ? '/v1/groups' : `${path}/groups`, { key, body })),
    )
  })

  test('makes one member', async () => {
    const { path, key } = await app.organization('members')
    const body = { display_name: 'Ann', external_reference_id: 'one' }
    assertOne(await all(() => app.call('POST', `${path}/members`, { key, body })))
  })

  test('and one address make one member', async () => {
    const { path, key } = await app.organization('addresses')
    const body = (n: number) => ({
      email: n % 2 === 0 ? 'ann@x.co' : 'ANN@x.co',
      external_reference_id: `r${n}`,
    })
    assertOne(await all((n) => app.call('POST', `${path}/members`, { key, body: body(n) })))
  })
})
