import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ProjectionQuery, parseProjection } from './projection.ts'
import { groupType, userType } from './registry.ts'

const core = userType.schema.id
const enterprise = userType.extensions[0]!.id

const ann = {
  schemas: [core, enterprise],
  id: 'u1',
  externalId: 'x1',
  userName: 'ann',
  active: true,
  name: { givenName: 'Ann', familyName: 'A' },
  emails: [
    { value: 'ann@acme.example', type: 'work', primary: true },
    { value: 'ann@home.example', type: 'home' },
    { display: 'no address' },
  ],
  groups: [{ value: 'g1', display: 'Sales' }],
  [enterprise]: { department: 'Eng', manager: { value: 'm1', displayName: 'Max' } },
  meta: { resourceType: 'User', version: 'W/"1"' },
}
const always = { schemas: ann.schemas, id: 'u1' }
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(ann).filter(([name]) => !names.includes(name)))

describe('parseProjection', () => {
  const cases: [name: string, query: ProjectionQuery, shown: object][] = [
    ['without parameters all is shown', {}, ann],
    ['empty parameters are none', { attributes: '', excludedAttributes: ' , ' }, ann],
    ['B-15: the id alone', { attributes: 'id' }, always],
    [
      'B-25: two attributes',
      { attributes: 'userName, EMAILS' },
      { ...always, userName: 'ann', emails: ann.emails },
    ],
    [
      'B-25: a filter in brackets counts for nothing',
      { attributes: 'emails[type eq "work"]' },
      { ...always, emails: ann.emails },
    ],
    [
      'B-25: a filter with commas, brackets and escaped quotes in it',
      { attributes: 'emails[value eq "a,]\\"],b"].type,userName' },
      { ...always, userName: 'ann', emails: [{ type: 'work' }, { type: 'home' }] },
    ],
    [
      'a filter that does not end',
      { attributes: 'userName,emails[type eq "x' },
      { ...always, userName: 'ann', emails: ann.emails },
    ],
    [
      'RFC 7644 3.9: sub-attributes',
      { attributes: 'Name.GivenName,emails.value,meta.resourcetype' },
      {
        ...always,
        name: { givenName: 'Ann' },
        emails: [{ value: 'ann@acme.example' }, { value: 'ann@home.example' }],
        meta: { resourceType: 'User' },
      },
    ],
    [
      'parts of an attribute beside the whole of it',
      { attributes: 'name.givenName,name' },
      { ...always, name: ann.name },
    ],
    [
      'RFC 7644 3.10: an attribute by its URN',
      { attributes: `${core}:userName` },
      { ...always, userName: 'ann' },
    ],
    [
      'an extension by its URN',
      { attributes: enterprise.toLowerCase() },
      { ...always, [enterprise]: ann[enterprise] },
    ],
    [
      'an attribute of an extension',
      { attributes: `${enterprise}:department` },
      { ...always, [enterprise]: { department: 'Eng' } },
    ],
    [
      'a sub-attribute of an extension, without its URN',
      { attributes: 'manager.value' },
      { ...always, [enterprise]: { manager: { value: 'm1' } } },
    ],
    [
      'unknown names are ignored',
      { attributes: '__proto__,constructor,toString,shoeSize,urn:x:y,urn:x' },
      always,
    ],
    ['B-24: excluded', { excludedAttributes: 'groups,NAME' }, without('groups', 'name')],
    ['what is always shown is not excluded', { excludedAttributes: 'id,schemas' }, ann],
    ['an extension is excluded', { excludedAttributes: enterprise }, without(enterprise)],
    [
      'sub-attributes are excluded',
      { excludedAttributes: 'emails.value,emails.display,name.familyName' },
      { ...ann, name: { givenName: 'Ann' }, emails: [{ type: 'work', primary: true }, { type: 'home' }] },
    ],
    [
      'both: the excluded are taken from the wanted',
      { attributes: 'name,userName', excludedAttributes: 'name' },
      { ...always, userName: 'ann' },
    ],
    [
      'lists, as in a search body',
      { attributes: ['userName', 'active'] },
      { ...always, userName: 'ann', active: true },
    ],
  ]
  for (const [name, query, shown] of cases) {
    test(name, () => assert.deepEqual(parseProjection(userType, query).project(ann), shown))
  }

  test('SCIM-19: a password is never shown', () => {
    const leaky = { ...ann, password: 's3cret' }
    assert.deepEqual(parseProjection(userType, {}).project(leaky), ann)
    assert.deepEqual(parseProjection(userType, { attributes: 'password' }).project(leaky), always)
  })

  test('B-24: it says beforehand whether members are kept', () => {
    const keeps = (query: ProjectionQuery) => parseProjection(groupType, query).keeps('members')
    assert.equal(keeps({}), true)
    assert.equal(keeps({ attributes: 'members.value' }), true)
    assert.equal(keeps({ attributes: 'Members' }), true)
    assert.equal(keeps({ excludedAttributes: 'members.display' }), true)
    assert.equal(keeps({ attributes: 'displayName' }), false)
    assert.equal(keeps({ excludedAttributes: 'MEMBERS' }), false)
    assert.equal(keeps({ excludedAttributes: `${groupType.schema.id}:members` }), false)
    assert.equal(keeps({ excludedAttributes: groupType.schema.id }), false)
  })
})
