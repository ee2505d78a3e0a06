import type { Attribute, ResourceType, Schema } from './attribute.ts'

/** What an attribute path names; told apart by `kind`. */
export type FoundAttribute =
  | {
      readonly kind: 'attribute'
      /** The extension that the attribute is of; null: the core schema, or common. */
      readonly extension: Schema | null
      readonly attribute: Attribute
      readonly sub: Attribute | null
    }
  /** A schema's URN alone. */
  | { readonly kind: 'schema'; readonly schema: Schema }
  /** A URN that is registered for no schema of the resource: clients' own extensions, which are ignored. */
  | { readonly kind: 'unknownExtension' }
  | { readonly kind: 'unknownAttribute' }

const noAttributes: readonly Attribute[] = []
const unknownAttribute = { kind: 'unknownAttribute' } as const

/**
 * Resolves `name`, `name.sub`, `urn:…:name`, `urn:…:name.sub` or a schema's URN alone (RFC 7644 section 3.10).
 * URNs and names ignore case (RFC 7643 section 2.1). A bare name that the core schema does not have is looked
 * for in the extensions, as Entra writes `manager`.
 *
 * @param path without brackets; text that is no path at all names an unknown attribute
 */
export function findAttribute(type: ResourceType, path: string): FoundAttribute {
  const lower = path.toLowerCase()
  for (const schema of [type.schema, ...type.extensions]) {
    const urn = schema.id.toLowerCase()
    if (lower === urn) return { kind: 'schema', schema }
    if (lower.startsWith(`${urn}:`)) {
      return schema === type.schema
        ? findIn(coreAttributes(type), null, lower.slice(urn.length + 1))
        : findIn(schema.attributes, schema, lower.slice(urn.length + 1))
    }
  }
  if (lower.startsWith('urn:')) return { kind: 'unknownExtension' }
  const found = findIn(coreAttributes(type), null, lower)
  if (found.kind === 'attribute') return found
  for (const extension of type.extensions) {
    const ofExtension = findIn(extension.attributes, extension, lower)
    if (ofExtension.kind === 'attribute') return ofExtension
  }
  return unknownAttribute
}

function findIn(attributes: readonly Attribute[], extension: Schema | null, path: string): FoundAttribute {
  const dot = path.indexOf('.')
  const attribute = findByName(attributes, dot === -1 ? path : path.slice(0, dot))
  if (attribute === undefined) return unknownAttribute
  if (dot === -1) return { kind: 'attribute', extension, attribute, sub: null }
  const sub = findByName(attribute.subAttributes ?? noAttributes, path.slice(dot + 1))
  return sub === undefined ? unknownAttribute : { kind: 'attribute', extension, attribute, sub }
}

const byLowerName = new WeakMap<readonly Attribute[], ReadonlyMap<string, Attribute>>()

/** The attribute of this name, whatever its letter case (RFC 7643 section 2.1). */
export function findByName(attributes: readonly Attribute[], name: string): Attribute | undefined {
  let known = byLowerName.get(attributes)
  if (known === undefined) {
    known = new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), attribute]))
    byLowerName.set(attributes, known)
  }
  return known.get(name.toLowerCase())
}

const coreOf = new WeakMap<ResourceType, readonly Attribute[]>()

/** The attributes of a resource that need no URN: those of its core schema, and the common ones. */
export function coreAttributes(type: ResourceType): readonly Attribute[] {
  const known = coreOf.get(type) ?? [...type.common, ...type.schema.attributes]
  coreOf.set(type, known)
  return known
}
