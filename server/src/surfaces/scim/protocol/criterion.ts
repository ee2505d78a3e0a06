import type { Criterion } from '../../../directory/scim/criteria.ts'
import type { Attribute, ResourceType } from './attribute.ts'
import { type FoundAttribute, findAttribute, findByName } from './attribute-path.ts'
import { always, compare, type Named, never, refuse } from './comparison.ts'
import { quoted } from './filter-scanner.ts'
import type { Filter } from './filter-syntax.ts'
import { placeOf } from './place.ts'

type Compare = Extract<Filter, { kind: 'compare' }>
/** A comparison with null is a presence by then. */
type Term = Extract<Filter, { kind: 'present' }> | (Compare & { readonly value: string | number | boolean })

/**
 * What a filter asks of the users or groups of a connection.
 *
 * - A complex attribute alone means its `value`, where it has one: `emails`, `manager`.
 * - Of an attribute with several values one has to fit (RFC 7644 section 3.4.2.2), `ne` included.
 * - What has no value is different from every value: `ne` holds, all others do not. Null is no value: `eq null` is
 *   `not (… pr)`, `ne null` is `pr` (RFC 7643 section 2.5).
 * - Members of groups and groups of users are compared by `value`, with `eq` and `pr`.
 *
 * @throws ScimError 400 `invalidFilter` for what is not known here, whatever is asked of it: an empty list would make
 *   an identity provider create its users again
 */
export function toCriterion(type: ResourceType, filter: Filter): Criterion {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, of: filter.of.map((one) => toCriterion(type, one)) }
    case 'not':
      return { kind: 'not', of: toCriterion(type, filter.of) }
    case 'some':
      return ofBracket(type, filter.path, filter.where)
    default:
      return isTerm(filter) ? ofTerm(type, filter) : toCriterion(type, presenceOf(filter))
  }
}

const isTerm = (filter: Compare | Term): filter is Term => filter.kind === 'present' || filter.value !== null

function presenceOf({ path, op }: Compare): Filter {
  const present = { kind: 'present', path } as const
  if (op === 'ne') return present
  if (op === 'eq') return { kind: 'not', of: present }
  throw refuse(`"${path}" cannot be compared with null by "${op}": only eq and ne can.`)
}

function ofTerm(type: ResourceType, term: Term): Criterion {
  const found = findAttribute(type, term.path)
  if (found.kind === 'schema' && term.kind === 'present') return hasSchema(type, found.schema.id)
  const { extension, attribute, sub } = known(type, term.path, found)
  if (extension === null) {
    if (attribute.name === 'schemas') return ofSchemas(type, term)
    if (attribute.name === 'meta') return ofMeta(type, term, sub)
    if (isLink(type, attribute)) return ofLink(term, sub ?? attribute)
  }
  const place = placeOf(type, extension, attribute)
  if (sub === null && (term.kind === 'present' || attribute.type !== 'complex')) {
    return ofSimple({ name: term.path, attribute, on: place }, term)
  }
  const compared = sub ?? findByName(attribute.subAttributes ?? [], 'value')
  if (compared === undefined || place.kind === 'column') {
    throw refuse(`"${term.path}" has parts: name one of them, as in ${example(attribute)}.`)
  }
  const within = attribute.multiValued ? [] : place.path
  const on = { kind: 'path', path: [...within, compared.name] } as const
  const criterion = ofSimple({ name: term.path, attribute: compared, on }, term)
  return attribute.multiValued ? ofList(place.path, term, criterion) : criterion
}

/** One of the entries has to fit; without entries there is no value. */
function ofList(path: readonly string[], term: Term, where: Criterion): Criterion {
  const some: Criterion = { kind: 'some', path, where }
  if (term.kind === 'present' || term.op !== 'ne') return some
  return { kind: 'or', of: [some, { kind: 'not', of: { kind: 'some', path, where: always } }] }
}

function ofBracket(type: ResourceType, path: string, where: Filter): Criterion {
  const { extension, attribute, sub } = known(type, path, findAttribute(type, path))
  if (sub !== null || !attribute.multiValued || attribute.type !== 'complex') {
    throw refuse(`"${path}" is no list of entries: only those are followed by a bracket.`)
  }
  if (isLink(type, attribute)) return ofLinkBracket(attribute, where)
  const place = placeOf(type, extension, attribute)
  if (place.kind === 'column') throw new TypeError(`the list ${attribute.name} is no column`)
  return { kind: 'some', path: place.path, where: ofEntry(attribute, where) }
}

function ofEntry(list: Attribute, where: Filter): Criterion {
  switch (where.kind) {
    case 'and':
    case 'or':
      return { kind: where.kind, of: where.of.map((one) => ofEntry(list, one)) }
    case 'not':
      return { kind: 'not', of: ofEntry(list, where.of) }
    case 'some':
      throw refuse('A bracket inside a bracket is not allowed.')
    default: {
      if (!isTerm(where)) return ofEntry(list, presenceOf(where))
      const sub = subOf(list, where.path)
      return ofSimple({ name: where.path, attribute: sub, on: { kind: 'path', path: [sub.name] } }, where)
    }
  }
}

function subOf(list: Attribute, name: string): Attribute {
  const sub = findByName(list.subAttributes ?? [], name)
  if (sub === undefined) throw refuse(`"${list.name}" has no sub-attribute ${quoted(name)}.`)
  return sub
}

function ofSimple(named: Named, term: Term): Criterion {
  refuseUnstored(named)
  return term.kind === 'present' ? { kind: 'present', on: named.on } : compare(named, term.op, term.value)
}

/** Members of a group and groups of a user are rows of their own, in no document. */
const isLink = (type: ResourceType, attribute: Attribute) =>
  attribute.name === (type.name === 'User' ? 'groups' : 'members')

function ofLink(term: Term, compared: Attribute): Criterion {
  const byId = compared.name === 'value' || compared.type === 'complex'
  if (byId && term.kind === 'present') return anyLink
  if (byId && term.kind === 'compare' && term.op === 'eq' && typeof term.value === 'string') {
    return { kind: 'linked', id: term.value }
  }
  throw refuse(`"${term.path}" can be looked up by the id of one, with eq, and with pr.`)
}

const anyLink: Criterion = { kind: 'linked', id: null }

/** `or` alone can be asked of each entry apart. */
function ofLinkBracket(attribute: Attribute, where: Filter): Criterion {
  if (where.kind === 'or') return { kind: 'or', of: where.of.map((one) => ofLinkBracket(attribute, one)) }
  if ((where.kind === 'present' || where.kind === 'compare') && isTerm(where)) {
    return ofLink(where, subOf(attribute, where.path))
  }
  throw refuse(`"${attribute.name}[…]" can have "value eq" and the id of one, or several of them with "or".`)
}

function ofMeta(type: ResourceType, term: Term, sub: Attribute | null): Criterion {
  const part = sub?.name
  if (sub !== null && (part === 'created' || part === 'lastModified')) {
    const on = { kind: 'column', column: part } as const
    return ofSimple({ name: term.path, attribute: sub, on }, term)
  }
  if (term.kind === 'present' && part !== 'version') return always
  if (term.kind === 'compare' && part === 'resourceType') {
    return (constant(term) === type.name) === (term.op === 'eq') ? always : never
  }
  throw refuse(`"${term.path}" cannot be filtered by; meta.created and meta.lastModified can, and the id.`)
}

function ofSchemas(type: ResourceType, term: Term): Criterion {
  if (term.kind === 'present') return always
  const wanted = constant(term)
  const ids = [type.schema, ...type.extensions].map(({ id }) => id)
  const fitting = ids.filter((id) => (id === wanted) === (term.op === 'eq'))
  return { kind: 'or', of: fitting.map((id) => hasSchema(type, id)) }
}

/** The value that something is compared with that no user writes. */
function constant({ path, op, value }: Extract<Term, { kind: 'compare' }>): string {
  if (op !== 'eq' && op !== 'ne') throw refuse(`"${path}" can be compared with eq and ne only.`)
  if (typeof value !== 'string') throw refuse(`"${path}" is compared with a text, in double quotes.`)
  return value
}

/** Every resource has its core schema, and an extension's when there are values of it. */
const hasSchema = (type: ResourceType, id: string): Criterion =>
  id === type.schema.id ? always : { kind: 'present', on: { kind: 'path', path: [id] } }

const example = (attribute: Attribute) => `${attribute.name}.${attribute.subAttributes?.[0]?.name}`

/** An attribute that can be filtered by; others are told from those that exist nowhere. */
function known(type: ResourceType, path: string, found: FoundAttribute) {
  if (found.kind === 'attribute') return found
  if (found.kind === 'unknownAttribute') throw refuse(`A ${type.name} has no attribute ${quoted(path)}.`)
  if (found.kind === 'schema') throw refuse(`${quoted(path)} is a schema: name one of its attributes.`)
  throw refuse(`${quoted(path)} is of no schema that a ${type.name} has here.`)
}

/** What only an answer has, or what is kept nowhere. */
function refuseUnstored({ name, attribute, on }: Named): void {
  const isShownOnly = attribute.mutability === 'readOnly' && on.kind === 'path'
  if (isShownOnly || attribute.returned === 'never') throw refuse(`"${name}" cannot be filtered by.`)
}
