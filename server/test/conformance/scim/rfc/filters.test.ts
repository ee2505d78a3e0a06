import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

let scim: IdentityProvider
before(async () => {
  scim = await startIdentityProvider()
})

const refused = (filter: string) =>
  scim.refused(400, 'invalidFilter', 'GET', `/Users?filter=${encodeURIComponent(filter)}`)

describe('filters', () => {
  it('B-10: a userName is found in any letter case, and comes back as it was sent', async () => {
    const user = await scim.user({ userName: 'Ann@acme.example' })
    const filter = encodeURIComponent('userName eq "ANN@ACME.EXAMPLE"')
    const { Resources } = await scim.expect(200, 'GET', `/Users?filter=${filter}`)
    assert.deepEqual([Resources[0].id, Resources[0].userName], [user.id, 'Ann@acme.example'])
  })

  it('B-18: a value has JSON escapes in percent-encoding, and "+" stands for a space', async () => {
    const displayName = 'R&D "core" (EU) / 100%'
    const [user, group] = [await scim.user({ displayName }), await scim.group(displayName)]
    const filter = `displayName eq ${JSON.stringify(displayName)}`
    assert.deepEqual(await scim.find(filter), [user.id])
    assert.deepEqual(await scim.find(filter, '/Groups'), [group.id])
    const plus = encodeURIComponent(filter).replaceAll('%20', '+')
    const { Resources } = await scim.expect(200, 'GET', `/Users?filter=${plus}`)
    assert.equal(Resources[0].id, user.id)
    const escaped = filter.replace('R&D', '\\u0052&D').replace('/', '\\/')
    assert.deepEqual(await scim.find(escaped), [user.id])
  })

  it('B-19: a quote is no SQL, and a percent-encoded "+" is one', async () => {
    const user = await scim.user({ userName: "o'brien+x@acme.example" })
    assert.deepEqual(await scim.find('userName eq "o\'brien+x@acme.example"'), [user.id])
    const { totalResults } = await scim.expect(
      200,
      'GET',
      "/Users?filter=userName+eq+%22o'brien%2Bx@acme.example%22",
    )
    assert.equal(totalResults, 1)
  })

  it('B-20: "and" binds before "or", and "not" takes parentheses', async () => {
    const at = (name: string) => `${name}@b20.example`
    const user = (name: string, fields: object) =>
      scim.user({ userName: at(name), emails: [{ value: at(name) }], ...fields })
    const boss = await user('boss', { title: 'Boss' })
    const aside = await user('xaside', { title: 'A' })
    const off = await user('boff', { title: 'Off', active: false })
    const untitled = await user('buntitled', {})
    const ids = async (filter: string) =>
      (await scim.find(filter)).filter((id) => [boss.id, aside.id, off.id, untitled.id].includes(id))
    const parts = '(emails co "aside" or userName sw "b")'
    assert.deepEqual(await ids(`title pr and ${parts} and not (active eq false)`), [boss.id, aside.id])
    const all = [boss.id, aside.id, off.id, untitled.id]
    assert.deepEqual(await ids('userName ew "@b20.example"'), all)
    const loose = `userName ew "@b20.example" and title pr and active eq false or userName eq "${at('boss')}"`
    assert.deepEqual(await ids(loose), [boss.id, off.id])
    const tight = `userName ew "@b20.example" and title pr and (active eq false or userName eq "${at('boss')}")`
    assert.deepEqual(await ids(tight), [boss.id, off.id])
    assert.deepEqual(await ids(`userName eq "${at('boss')}" or title pr and active eq false`), [
      boss.id,
      off.id,
    ])
    assert.deepEqual(await ids(`(userName eq "${at('boss')}" or title pr) and active eq false`), [off.id])
    await refused('not active eq false')
  })

  it('B-21: what is no filter of ours is 400 invalidFilter, and never an empty list', async () => {
    for (const filter of [
      ...['foo zz "x"', 'foo eq "x"', 'userName eq', 'userName', 'active gt true', '', ' ', 'and', '()'],
      ...['userName eq "x" and', 'userName eq "x" or or title pr', 'userName eq "x', "userName eq 'x'"],
      ...['emails[type eq "work"', 'emails[foo eq "x"]', 'name eq "x"', 'password eq "x"', 'name.foo pr'],
      ...['userName[value eq "x"]', 'meta.lastModified gt "yesterday"', 'userName eq 1', 'active eq 2'],
    ]) {
      await refused(filter)
    }
    await scim.refused(400, 'invalidFilter', 'GET', '/Users?filter=')
    await scim.refused(400, 'invalidFilter', 'GET', '/Groups?filter=userName+eq+%22x%22')
  })

  it('B-26: users of a group are found by it', async () => {
    const [one, two] = [await scim.user(), await scim.user()]
    const group = await scim.group('B-26', [one.id, two.id])
    assert.deepEqual(await scim.find(`groups.value eq "${group.id}"`), [one.id, two.id])
    assert.deepEqual(await scim.find(`groups eq "${group.id}" and id eq "${two.id}"`), [two.id])
    assert.deepEqual(await scim.find(`groups[value eq "${one.id}"]`), [])
  })
})
