import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { openPlaneWorld, type PlaneSpace, type PlaneWorld } from '../../../test/plane-client.ts'

/** Few, to be quick: longer versions of such races are campaigns. */
const ROUNDS = 12

let app: TestApp
let world: PlaneWorld
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  world = await openPlaneWorld(app, 'acme')
})

const removal = async (space: PlaneSpace, email: string, key: string, body: object = {}) =>
  (await space.call('POST', '/members/remove/', { key, body: { email, ...body } })).status

describe('of parallel removals', () => {
  it('none leaves a project without an admin: of its two admins one stays', async () => {
    const space = await world.workspace()
    for (let round = 0; round < ROUNDS; round++) {
      const [one, two] = [await space.person('admin'), await space.person('admin')]
      const { id } = await space.project(`R${round}`, one.key)
      await space.ok('POST', `/projects/${id}/project-members/`, { member: two.id, role: 20 }, one.key)
      const statuses = await Promise.all([
        removal(space, one.email, space.owner.key),
        removal(space, two.email, world.key),
      ])
      assert.deepEqual(statuses.toSorted(), [204, 400], `round ${round}`)
      const admins = await space.ok('GET', `/projects/${id}/project-members/`)
      assert.equal(admins.length, 1)
      // So that the next round's projects are the only ones in doubt.
      await space.ok('DELETE', `/projects/${id}/`)
    }
  })

  it('none leaves a workspace without an owner, whoever removes whom', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const space = await world.workspace()
      const other = await space.person('owner')
      const statuses = await Promise.all([
        removal(space, other.email, space.owner.key),
        removal(space, space.owner.email, other.key),
      ])
      // The second may find itself outside already, or the last one in.
      assert.equal(statuses.filter((status) => status === 204).length, 1, `${statuses}`)
      assert.equal((await space.emails()).length, 1)
    }
  })

  it('of the same person one succeeds, and takes one seat off', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const space = await world.workspace(undefined, { purchased_seats: 5 })
      const { email } = await space.person('member')
      const statuses = await Promise.all(
        [1, 2, 3].map(() => removal(space, email, space.owner.key, { remove_seat: true })),
      )
      assert.deepEqual(statuses.toSorted(), [204, 404, 404])
      assert.equal((await space.seats()).purchased, 4)
    }
  })

  it('none takes a seat off that somebody takes at the same time', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const space = await world.workspace(undefined, { purchased_seats: 2 })
      const [guest, joining] = [await space.person('guest'), await world.directory.member()]
      const body = { role: world.roles['workspace member'], member: joining.id, target: space.id }
      const [status, joined] = await Promise.all([
        removal(space, guest.email, space.owner.key, { remove_seat: true }),
        world.directory.send('POST', '/role_assignments', { body }),
      ])
      assert.equal(status, 204)
      const { purchased, used } = await space.seats()
      const expected = joined.status === 201 ? [2, 2] : [1, 1]
      assert.deepEqual([purchased, used], expected, `${joined.status}`)
    }
  })

  it('each takes a seat off as long as there are unused ones', async () => {
    for (let round = 0; round < ROUNDS / 2; round++) {
      const space = await world.workspace(undefined, { purchased_seats: 3 })
      const people = [await space.person('guest'), await space.person('guest'), await space.person('member')]
      const statuses = await Promise.all(
        people.map(({ email }) => removal(space, email, space.owner.key, { remove_seat: true })),
      )
      assert.deepEqual(statuses, [204, 204, 204])
      const { purchased, used } = await space.seats()
      assert.deepEqual([purchased, used], [1, 1])
    }
  })
})
