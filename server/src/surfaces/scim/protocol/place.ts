import type { Place, ScimColumn } from '../../../directory/scim/criteria.ts'
import type { Attribute, ResourceType, Schema } from './attribute.ts'

const COLUMNS: Record<ResourceType['name'], Readonly<Partial<Record<string, ScimColumn>>>> = {
  User: { id: 'id', externalId: 'externalId', userName: 'userName', active: 'active' },
  Group: { id: 'id', externalId: 'externalId', displayName: 'displayName' },
}

/** Where the values of an attribute stand: a column of its own, or the document of what can be searched. */
export function placeOf(type: ResourceType, extension: Schema | null, attribute: Attribute): Place {
  if (extension !== null) return { kind: 'path', path: [extension.id, attribute.name] }
  const column = COLUMNS[type.name][attribute.name]
  return column === undefined ? { kind: 'path', path: [attribute.name] } : { kind: 'column', column }
}
