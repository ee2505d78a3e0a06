import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { person, vitableClient } from '../../../test/vitable-client.ts'

let app: TestApp
let path: string
let client: ReturnType<typeof vitableClient>
before(async () => {
  app = await startTestApp()
  const organization = await app.organization('acme')
  path = organization.path
  client = vitableClient(app, organization.key)
})

/** A group of people with an address each: `a-1` has `one@a.example` and so on. */
async function groupOf(name: string, count: number) {
  const groupId = await client.group()
  const address = (index: number) => `${name}-${index}@emails.example`
  const row = (index: number, emailOf: number | string, more: object = {}) => {
    const email = typeof emailOf === 'string' ? emailOf : address(emailOf)
    return person(`${name}-${index}`, { email, ...more })
  }
  const indexes = Array.from({ length: count }, (_, index) => index + 1)
  await client.sync(
    groupId,
    indexes.map((index) => row(index, index)),
  )
  /** Whose address each person has now, by number. */
  const holders = async () => {
    const found: (number | string)[] = []
    for (const index of indexes) {
      const query = `external_reference_id=${name}-${index}`
      const email = (await app.call('GET', `${path}/members?${query}`)).body.data[0].email
      found.push(indexes.find((other) => address(other) === email) ?? email)
    }
    return found
  }
  return { groupId, row, holders }
}

const EMPTY = { added_group_member_ids: [], removed_group_member_ids: [], failures: [] }

describe('emails that move within one roster', () => {
  it('can be swapped between two people', async () => {
    const { groupId, row, holders } = await groupOf('swap', 2)
    assert.deepEqual(await client.sync(groupId, [row(1, 2), row(2, 1)]), EMPTY)
    assert.deepEqual(await holders(), [2, 1])
  })

  it('can go round among three people', async () => {
    const { groupId, row, holders } = await groupOf('round', 3)
    assert.deepEqual(await client.sync(groupId, [row(1, 2), row(2, 3), row(3, 1)]), EMPTY)
    assert.deepEqual(await holders(), [2, 3, 1])
  })

  it('can pass along a chain whose last mover takes a new address', async () => {
    const { groupId, row, holders } = await groupOf('chain', 3)
    const roster = [row(1, 2), row(2, 3), row(3, 'fresh-chain@emails.example')]
    assert.deepEqual(await client.sync(groupId, roster), EMPTY)
    assert.deepEqual(await holders(), [2, 3, 'fresh-chain@emails.example'])
  })

  it('can pass to a new person from one who takes another', async () => {
    const { groupId, row, holders } = await groupOf('newcomer', 1)
    const newcomer = person('newcomer-new', { email: 'newcomer-1@emails.example' })
    const results = await client.sync(groupId, [row(1, 'moved@emails.example'), newcomer])
    assert.deepEqual([results.added_group_member_ids.length, results.failures], [1, []])
    assert.deepEqual(await holders(), ['moved@emails.example'])
  })

  it('stay where they are, the whole chain, when its last mover is refused', async () => {
    const { groupId, row, holders } = await groupOf('refused', 3)
    const roster = [row(1, 2), row(2, 3), row(3, 'not an address'), person('refused-other')]
    const results = await client.sync(groupId, roster)
    assert.deepEqual(
      results.failures.map((failure) => failure.reference_id),
      ['refused-1', 'refused-2', 'refused-3'],
    )
    assert.match(results.failures[0]!.reason, /^email belongs to a member whose own row is refused$/)
    assert.match(results.failures[2]!.reason, /^email must/)
    assert.deepEqual(await holders(), [1, 2, 3])
    assert.deepEqual([results.added_group_member_ids.length, results.removed_group_member_ids], [1, []])
  })

  it('stay where they are when the last of the chain runs into somebody outside the roster', async () => {
    const { groupId, row, holders } = await groupOf('blocked', 2)
    const body = { email: 'outsider@emails.example', external_reference_id: 'outsider' }
    assert.equal((await app.call('POST', `${path}/members`, { body })).status, 201)
    const results = await client.sync(groupId, [row(1, 2), row(2, 'outsider@emails.example')])
    assert.deepEqual(
      results.failures.map(({ reference_id, reason }) => [reference_id, reason]),
      [
        ['blocked-1', 'email belongs to a member whose own row is refused'],
        ['blocked-2', 'email belongs to a member with another reference_id'],
      ],
    )
    assert.deepEqual(await holders(), [1, 2])
  })

  it('stay with who does not give them up: a holder named with the same or no address', async () => {
    const { groupId, row, holders } = await groupOf('holder', 2)
    for (const second of [row(2, 2), person('holder-2'), person('holder-2', { email: null })]) {
      const results = await client.sync(groupId, [row(1, 2), second])
      const refused = results.failures.map((failure) => failure.reference_id)
      assert.ok(refused.includes('holder-1'))
      assert.deepEqual(await holders(), [1, 2])
    }
  })

  it('may change their case only, which moves nobody', async () => {
    const { groupId, holders } = await groupOf('case', 1)
    const roster = [person('case-1', { email: 'CASE-1@emails.example' })]
    assert.deepEqual(await client.sync(groupId, roster), EMPTY)
    assert.deepEqual(await holders(), ['CASE-1@emails.example'])
  })
})
