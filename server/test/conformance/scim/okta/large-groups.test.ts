import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { USER } from '../../../scim-client.ts'
import { type IdentityProvider, OKTA, startIdentityProvider } from '../identity-provider.ts'

let okta: IdentityProvider
let users: string[]
before(async () => {
  okta = await startIdentityProvider(OKTA)
  users = await createMany(400)
})

const valuesOf = (some: readonly string[]) => some.map((value) => ({ value, display: 'someone' }))
const add = (path: string, some: readonly string[]) =>
  okta.patch(path, { op: 'add', path: 'members', value: valuesOf(some) })

async function createMany(count: number): Promise<string[]> {
  const Operations = Array.from({ length: count }, (_, at) => {
    const data = { schemas: [USER], userName: `many-${at}@acme.example` }
    return { method: 'POST', path: '/Users', bulkId: String(at), data }
  })
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest']
  const body = await okta.expect(200, 'POST', '/Bulk', { schemas, Operations })
  return body.Operations.map(({ location }: { location: string }) => location.replace(/.*\//, ''))
}

describe('Okta pushes large groups', () => {
  it('B-103: of forty PATCHes of 256 members, eight at once, none is lost, and statements do not multiply', async () => {
    const group = await okta.group('B-103')
    const path = `/Groups/${group.id}`
    // Members of a larger group are not in the answer to a change: none is read for it either.
    await add(path, users.slice(0, 101))
    const one = await okta.statementsOf(() => add(path, users.slice(101, 102)))
    const all = await okta.statementsOf(() => add(path, users.slice(102, 358)))
    assert.deepEqual(all, one)
    assert.equal((await okta.memberIdsOf(group.id)).length, 358)
    const slices = Array.from({ length: 40 }, (_, at) => {
      const from = (at * 37) % users.length
      return [...users, ...users].slice(from, from + 256)
    })
    for (let at = 0; at < slices.length; at += 8) {
      await Promise.all(slices.slice(at, at + 8).map((slice) => add(path, slice)))
    }
    assert.deepEqual(await okta.memberIdsOf(group.id), [...users].sort())
    const text = 'select member_count as kept from scim_group where id = $1'
    const row = await okta.app.database.row<{ kept: number }>({ name: '', text, values: [group.id] })
    assert.equal(row?.kept, users.length)
  })

  it('B-104: a group of 50,000 is read in as many statements as one of one, without its members in fewer', async () => {
    const [small, large] = [
      await okta.group('B-104 small', users.slice(0, 1)),
      await okta.group('B-104 large'),
    ]
    await fill(large.id, 50_000)
    const read = (id: string, query = '') =>
      okta.statementsOf(async () => {
        const { members } = await okta.expect(200, 'GET', `/Groups/${id}${query}`)
        assert.equal(members?.length, query !== '' ? undefined : id === large.id ? 50_000 : 1)
      })
    const whole = await read(large.id)
    assert.deepEqual(whole, await read(small.id))
    const without = await read(large.id, '?excludedAttributes=members')
    assert.ok(without.length < whole.length)
    assert.ok(!without.some((text) => text.includes('scim_group_member')))
    const list = await okta.expect(200, 'GET', '/Groups?excludedAttributes=members')
    assert.ok(list.Resources.every((shown: object) => !('members' in shown)))
    const changed = await add(`/Groups/${large.id}`, users.slice(0, 1))
    assert.ok(!('members' in changed), 'the answer to a change of a large group does not list it')
  })
})

/** Puts users into a group as pushes of a day would have. */
async function fill(groupId: string, count: number): Promise<void> {
  const text = `
    with g as (select * from scim_group where id = $1),
    m as (
      insert into member (organization_id, id, email, email_key, created_at, updated_at)
      select g.organization_id, uuid_v7(), 'fill-' || n || '@acme.example', 'fill-' || n || '@acme.example', now(), now()
      from g, generate_series(1, $2::int) n returning organization_id, id, email),
    u as (
      insert into scim_user (organization_id, id, connection_id, member_id, seq, user_name, user_name_key, active,
        document, search, email_keys, created_at, updated_at)
      select m.organization_id, uuid_v7(), g.connection_id, m.id, 1000 + row_number() over (), m.email, m.email, true,
        json_build_object('userName', m.email)::text, '{}', '{}', now(), now() from m, g
      returning organization_id, id),
    r as (insert into scim_group_member select organization_id, $1, id from u)
    update scim_group set member_count = $2 where id = $1`
  await okta.app.database.run({ name: '', text, values: [groupId, count] })
}
