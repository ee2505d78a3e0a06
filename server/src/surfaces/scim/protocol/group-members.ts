import { groupMemberId } from './group-schema.ts'
import { isJsonObject, memberOf } from './json-object.ts'
import { invalidValue, readText } from './read-text.ts'
import { refuseTooMany } from './read-value.ts'

const place = 'members.value'

/**
 * Reads the ids of members: `{"value": id}` in any letter case, or the id alone, one or a list, null for none. What
 * else a client says of a member (`display`, `$ref`) is ignored.
 *
 * @returns each id once, in the order sent, as sent
 * @throws ScimError 400 `invalidValue`: a member without an id, a group as a member, more than 10,000
 */
export function readMemberIds(given: unknown): readonly string[] {
  if (given === undefined || given === null) return []
  const list = Array.isArray(given) ? given : [given]
  refuseTooMany(list, 'members')
  return [...new Set(list.map(readMemberId))]
}

function readMemberId(member: unknown): string {
  const value = isJsonObject(member) ? memberOf(member, 'value') : member
  if (value === undefined || value === null || value === '')
    throw invalidValue('A member must have a value: its id.')
  const id = readText(groupMemberId, value, place)
  const type = isJsonObject(member) ? memberOf(member, 'type') : undefined
  if (typeof type === 'string' && type.toLowerCase() === 'group') {
    throw invalidValue(`Groups inside groups are not supported: member ${JSON.stringify(id)} is a group.`)
  }
  return id
}
