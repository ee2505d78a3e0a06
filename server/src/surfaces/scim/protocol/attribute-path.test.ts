import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { findAttribute } from './attribute-path.ts'
import { groupType, userType } from './registry.ts'

const core = 'urn:ietf:params:scim:schemas:core:2.0:User'
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** The canonical writing of what a path names, or the kind of what it does not. */
function shown(path: string, type = userType): string {
  const found = findAttribute(type, path)
  if (found.kind === 'schema') return found.schema.id
  if (found.kind !== 'attribute') return found.kind
  const prefix = found.extension === null ? '' : `${found.extension.id}:`
  return prefix + found.attribute.name + (found.sub === null ? '' : `.${found.sub.name}`)
}

describe('findAttribute', () => {
  const cases: [row: string, path: string, means: string][] = [
    ['B-11', 'USERNAME', 'userName'],
    ['B-11', `${core}:userName`, 'userName'],
    ['B-16', 'meta.lastmodified', 'meta.lastModified'],
    ['B-15', 'manager', `${enterprise}:manager`],
    ['B-61', `${enterprise}:manager`, `${enterprise}:manager`],
    ['B-71', `${core.toLowerCase()}:Name.FamilyName`, 'name.familyName'],
    ['B-60', enterprise, enterprise],
    ['B-60', enterprise.toUpperCase(), enterprise],
    ['B-72', 'urn:ietf:params:scim:schemas:extension:custom:2.0:User:tags', 'unknownExtension'],
    ['B-38', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0User', 'unknownExtension'],
    ['B-38', `${enterprise}:shoeSize`, 'unknownAttribute'],
    ['RFC 7644 3.10', `${core}:externalId`, 'externalId'],
    ['RFC 7644 3.10', `${enterprise}:MANAGER.Value`, `${enterprise}:manager.value`],
    ['RFC 7644 3.10', `${enterprise}:userName`, 'unknownAttribute'],
    ['unknown', 'shoeSize', 'unknownAttribute'],
    ['unknown', 'name.shoeSize', 'unknownAttribute'],
    ['unknown', 'userName.value', 'unknownAttribute'],
    ['unknown', 'name.givenName.x', 'unknownAttribute'],
    ['unknown', '', 'unknownAttribute'],
    ['unknown', '.', 'unknownAttribute'],
    ['unknown', `${core}:`, 'unknownAttribute'],
    ['unknown', 'emails[type eq "work"]', 'unknownAttribute'],
    ['SCIM-13', '__proto__', 'unknownAttribute'],
    ['SCIM-13', 'constructor.prototype', 'unknownAttribute'],
    ['SCIM-13', 'name.toString', 'unknownAttribute'],
  ]
  for (const [row, path, means] of cases) {
    test(`${row}: ${JSON.stringify(path)} names ${means}`, () => assert.equal(shown(path), means))
  }

  test('a group has no attribute of users', () => {
    assert.equal(shown('members.VALUE', groupType), 'members.value')
    assert.equal(shown('userName', groupType), 'unknownAttribute')
    assert.equal(shown(`${core}:userName`, groupType), 'unknownExtension')
  })
})
