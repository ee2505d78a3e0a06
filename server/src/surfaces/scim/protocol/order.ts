import type { Order } from '../../../directory/scim/criteria.ts'
import type { ResourceType } from './attribute.ts'
import { findAttribute, findByName } from './attribute-path.ts'
import { quoted } from './filter-scanner.ts'
import { placeOf } from './place.ts'
import { ScimError } from './scim-error.ts'

/**
 * What `sortBy` and `sortOrder` ask for (RFC 7644 section 3.4.2.3): any single value that can be filtered by, and of
 * a list the value of its primary entry, else of its first. Case counts where the attribute says so.
 *
 * @param sortOrder `ascending` or `descending`, in any letter case; without it ascending
 * @throws ScimError 400 `invalidValue`
 */
export function toOrder(type: ResourceType, sortBy: string, sortOrder: string | undefined): Order {
  return { by: sortValue(type, sortBy), descending: isDescending(sortOrder) }
}

function isDescending(sortOrder = 'ascending'): boolean {
  const word = sortOrder.toLowerCase()
  if (word === 'ascending' || word === 'descending') return word === 'descending'
  throw new ScimError(400, 'invalidValue', '"sortOrder" is ascending or descending.')
}

function sortValue(type: ResourceType, sortBy: string): Order['by'] {
  const found = findAttribute(type, sortBy)
  const refusal = new ScimError(400, 'invalidValue', `A ${type.name} cannot be sorted by ${quoted(sortBy)}.`)
  if (found.kind !== 'attribute') throw refusal
  const { extension, attribute, sub } = found
  if (attribute.name === 'meta' && (sub?.name === 'created' || sub?.name === 'lastModified')) {
    return { kind: 'column', column: sub.name }
  }
  const place = placeOf(type, extension, attribute)
  if (place.kind === 'column') return place
  const compared = sub ?? findByName(attribute.subAttributes ?? [], 'value') ?? attribute
  const isStored = attribute.mutability !== 'readOnly' && compared.mutability !== 'readOnly'
  const isText = compared.type === 'string' || compared.type === 'reference'
  const isLink = attribute.name === 'members'
  if (!isStored || !isText || isLink || compared.returned === 'never') throw refusal
  if (compared === attribute) return place
  if (attribute.multiValued) return { kind: 'primary', path: place.path, sub: compared.name }
  return { kind: 'path', path: [...place.path, compared.name] }
}
