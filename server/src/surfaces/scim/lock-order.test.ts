import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { type Held, holdOpen, untilWaiting, untilWaitingOrOver } from '../../../test/campaigns/pauses.ts'
import { openConnection, openScim, PATCH, type ScimTestClient, uuidOf } from '../../../test/scim-client.ts'

let app: TestApp
let scim: ScimTestClient
let organizationId: string
before(async () => {
  app = await startTestApp({ withoutTasks: true, poolSize: 16 })
  scim = await openScim(app, 'acme')
  const [row] = await rows<{ id: string }>(
    'select organization_id as id from scim_roster where connection_id = $1',
    scim.connectionId,
  )
  organizationId = row!.id
})

async function rows<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
  return await app.database.rows<Row>({ name: '', text, values })
}
const replace = (path: string, value: unknown) => ({
  body: { schemas: [PATCH], Operations: [{ op: 'replace', path, value }] },
})
const post = (client: ScimTestClient, userName: string) =>
  client.call('POST', '/Users', { body: { userName } })

/** Another change of the organization: it does something first, and takes the number that every change takes last. */
async function otherChange(text: string, ...values: unknown[]): Promise<Held & { finish(): Promise<void> }> {
  const held = await holdOpen(app.connectionString)
  await held.query(text, values)
  return {
    ...held,
    async finish() {
      await held.query('update change_counter set last_seq = last_seq where organization_id = $1', [
        organizationId,
      ])
      await held.rollback()
    },
  }
}
const memberBeingMade = (...emails: string[]) =>
  otherChange(
    `insert into member (organization_id, id, email, email_key, created_at, updated_at)
     select $1, gen_random_uuid(), email, email, now(), now() from unnest($2::text[]) e (email)`,
    organizationId,
    emails,
  )

/** PostgreSQL ends one of those who wait for each other: then the other change fails, or the count rises. */
async function withoutDeadlock(work: () => Promise<void>): Promise<void> {
  const deadlocks = async () => {
    await app.database.run({ name: '', text: 'select pg_stat_force_next_flush()', values: [] })
    const [row] = await rows<{ count: number }>(
      'select deadlocks::integer as count from pg_stat_database where datname = current_database()',
    )
    return row!.count
  }
  const before = await deadlocks()
  await work()
  // A session tells its counts when it is idle, within a second.
  await setTimeout(1100)
  assert.equal(await deadlocks(), before)
}

describe('a change of users that is committed with others waits for nobody while it holds the number', () => {
  it('neither for who revokes a key of somebody who is deactivated', async () => {
    const { id, userName } = await scim.user()
    const { data } = await scim.directory.get(`/members?email=${userName}`)
    await scim.directory.key(['*'], { member_id: data[0].id })
    await withoutDeadlock(async () => {
      const revocation = await otherChange(
        `update api_key set revoked_at = now()
         where member_id = (select member_id from scim_user where id = $1)`,
        id,
      )
      const deactivation = scim.call('PATCH', `/Users/${id}`, replace('active', false))
      await untilWaiting(app.database, 1)
      await revocation.finish()
      assert.equal((await deactivation).status, 200)
    })
  })

  it('nor for who changes the identity provider while users are created', async () => {
    await withoutDeadlock(async () => {
      const settings = await otherChange(
        'select 1 from identity_provider where organization_id = $1 and id = $2 for update',
        organizationId,
        scim.connectionId,
      )
      const creation = post(scim, 'provider@order.example')
      await untilWaitingOrOver(app.database, creation)
      await settings.finish()
      assert.equal((await creation).status, 201)
    })
  })

  it('nor for who makes a member with the address that somebody gets, and others do not wait either', async () => {
    const [first, second] = (await Promise.all([scim.user(), scim.user()])).map(({ id }) => id)
    await withoutDeadlock(async () => {
      const making = await memberBeingMade('wanted@order.example')
      const emails = [{ value: 'wanted@order.example' }]
      const waiting = scim.call('PATCH', `/Users/${second}`, replace('emails', emails))
      await untilWaiting(app.database, 1)
      assert.equal((await scim.call('PATCH', `/Users/${first}`, replace('title', 'Lead'))).status, 200)
      await making.finish()
      assert.equal((await waiting).status, 200)
    })
  })

  it('nor for another connection that provisions the same people in another order', async () => {
    const second = await openConnection(app, scim.directory)
    await withoutDeadlock(async () => {
      const lists = await holdOpen(app.connectionString)
      await lists.query('select 1 from scim_roster where organization_id = $1 for update', [organizationId])
      const making = await memberBeingMade('m1@order.example', 'm2@order.example')
      // Each connection has a creation under way, behind which the others gather.
      const under = [post(scim, 'under-1@order.example'), post(second, 'under-2@order.example')]
      await untilWaiting(app.database, 2)
      const gathered = [
        ...['x', 'm1', 'y'].map((name) => post(scim, `${name}@order.example`)),
        ...['y', 'm2', 'x'].map((name) => post(second, `${name}@order.example`)),
      ]
      await setTimeout(200)
      await lists.rollback()
      await Promise.all(under)
      await untilWaiting(app.database, 2)
      await making.rollback()
      const statuses = (await Promise.all(gathered)).map(({ status }) => status)
      assert.deepEqual(statuses.toSorted(), [201, 201, 201, 201, 409, 409])
    })
  })

  it('nor for who deletes the connection: what was created before is forgotten with it', async () => {
    const gone = await openConnection(app, scim.directory)
    await withoutDeadlock(async () => {
      const other = await otherChange(
        'select 1 from change_counter where organization_id = $1 for update',
        organizationId,
      )
      const creation = post(gone, 'gone@order.example')
      await untilWaiting(app.database, 1)
      const deletion = scim.directory.send('DELETE', `/identity_providers/${gone.providerId}`)
      await untilWaiting(app.database, 2)
      await other.finish()
      assert.deepEqual([(await creation).status, (await deletion).status], [201, 204])
    })
    assert.deepEqual(await rows('select 1 from scim_user where connection_id = $1', gone.connectionId), [])
  })

  it('nor for who gives somebody the address and the userName that a user is created with', async () => {
    const { id, userName } = await scim.user()
    const { data } = await scim.directory.get(`/members?email=${userName}`)
    await scim.directory.key(['*'], { member_id: data[0].id })
    const name = 'both@order.example'
    await withoutDeadlock(async () => {
      // Held where the change has its user already, and takes the address and the userName next or has them.
      const keys = await holdOpen(app.connectionString)
      await keys.query('select 1 from api_key where member_id = $1::uuid for update', [uuidOf(data[0].id)])
      const changing = scim.call('PATCH', `/Users/${id}`, {
        body: {
          schemas: [PATCH],
          Operations: [
            {
              op: 'replace',
              value: { userName: name, active: false, emails: [{ value: name, primary: true }] },
            },
          ],
        },
      })
      await untilWaiting(app.database, 1)
      const creation = post(scim, name)
      // By then it waits alone, for as long as it takes.
      await setTimeout(300)
      await untilWaiting(app.database, 2)
      await keys.rollback()
      assert.deepEqual([(await changing).status, (await creation).status], [200, 409])
    })
  })

  it('and no deactivation and no other creation waits for a creation that waits', async () => {
    const { id } = await scim.user()
    const making = await memberBeingMade('slow@order.example')
    const creation = post(scim, 'slow@order.example')
    // By then it has left those it came with, and waits alone.
    await setTimeout(300)
    await untilWaiting(app.database, 1)
    assert.equal((await post(scim, 'quick@order.example')).status, 201)
    assert.equal((await scim.call('PATCH', `/Users/${id}`, replace('active', false))).status, 200)
    await making.finish()
    assert.equal((await creation).status, 201)
  })
})
