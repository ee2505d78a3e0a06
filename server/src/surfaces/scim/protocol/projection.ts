import type { Attribute, ResourceType, Schema } from './attribute.ts'
import { coreAttributes, findAttribute } from './attribute-path.ts'
import type { JsonObject } from './json-object.ts'

/** Parameters of a query, or members of a `.search` body: lists, or texts of paths with commas between them. */
export interface ProjectionQuery {
  readonly attributes?: string | readonly string[] | undefined
  readonly excludedAttributes?: string | readonly string[] | undefined
}

/** Which attributes an answer has. */
export interface Projection {
  /** Whether an attribute of the core schema, or a common one, appears at all; if not, it need not be loaded. */
  keeps(name: string): boolean
  /** The resource, all names in it canonical, with those attributes only. */
  project(resource: JsonObject): JsonObject
}

/** What is shown of a value. */
type Show = (value: unknown) => unknown

/**
 * Reads which attributes are wanted (RFC 7644 section 3.9). Without `attributes` all are that are returned by default;
 * `excludedAttributes` are taken from them; `id` and `schemas` always stay, the password never does. A URN alone means
 * all of its schema; a filter in brackets counts for nothing; unknown names are ignored.
 */
export function parseProjection(type: ResourceType, query: ProjectionQuery): Projection {
  const only = splitPaths(query.attributes)
  const wanted = only.length === 0 ? undefined : new NamedAttributes(type, only)
  const excluded = new NamedAttributes(type, splitPaths(query.excludedAttributes))
  const showsOf = (schema: Schema, attributes: readonly Attribute[]) =>
    new Map(
      attributes.flatMap((attribute): readonly [string, Show][] => {
        const show = showOf(schema, attribute, wanted, excluded)
        return show === undefined ? [] : [[attribute.name, show]]
      }),
    )

  const shows = showsOf(type.schema, coreAttributes(type))
  for (const extension of type.extensions) {
    const ofExtension = showsOf(extension, extension.attributes)
    shows.set(extension.id, (values) => project(values as JsonObject, ofExtension))
  }
  return {
    keeps: (name) => shows.has(name),
    project: (resource) => project(resource, shows) ?? {},
  }
}

/** Undefined: the attribute is not shown. */
function showOf(
  schema: Schema,
  attribute: Attribute,
  wanted: NamedAttributes | undefined,
  excluded: NamedAttributes,
): Show | undefined {
  if (attribute.returned === 'never') return undefined
  if (attribute.returned === 'always') return (value) => value
  if (excluded.hasWhole(schema, attribute)) return undefined
  const isWhole = wanted === undefined ? attribute.returned === 'default' : wanted.hasWhole(schema, attribute)
  const subs = (attribute.subAttributes ?? []).filter(
    (sub) => (isWhole || wanted?.hasSub(sub)) && !excluded.hasSub(sub),
  )
  if (isWhole && subs.length === (attribute.subAttributes ?? []).length) return (value) => value
  if (subs.length === 0) return undefined
  const shows = new Map<string, Show>(subs.map(({ name }) => [name, (value) => value]))
  return (value) =>
    Array.isArray(value)
      ? value.flatMap((entry: JsonObject) => project(entry, shows) ?? [])
      : project(value as JsonObject, shows)
}

/** Undefined when nothing of the object is shown. */
function project(object: JsonObject, shows: ReadonlyMap<string, Show>): JsonObject | undefined {
  const shown: [string, unknown][] = []
  for (const [name, value] of Object.entries(object)) {
    const part = shows.get(name)?.(value)
    if (part !== undefined) shown.push([name, part])
  }
  return shown.length === 0 ? undefined : Object.fromEntries(shown)
}

/** The attributes that a list of paths names. */
class NamedAttributes {
  readonly #schemas = new Set<Schema>()
  /** Attributes and sub-attributes; the registry has an object of its own for each. */
  readonly #attributes = new Set<Attribute>()

  constructor(type: ResourceType, paths: readonly string[]) {
    for (const path of paths) {
      const found = findAttribute(type, path)
      if (found.kind === 'schema') this.#schemas.add(found.schema)
      if (found.kind === 'attribute') this.#attributes.add(found.sub ?? found.attribute)
    }
  }

  hasWhole(schema: Schema, attribute: Attribute): boolean {
    return this.#schemas.has(schema) || this.#attributes.has(attribute)
  }

  hasSub(sub: Attribute): boolean {
    return this.#attributes.has(sub)
  }
}

/** Paths without their filters in brackets, which may hold commas. */
function splitPaths(given: string | readonly string[] | undefined): readonly string[] {
  const texts = typeof given === 'string' ? [given] : (given ?? [])
  return texts.flatMap((text) => withoutBrackets(text).split(',')).flatMap((path) => path.trim() || [])
}

function withoutBrackets(text: string): string {
  let outside = ''
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (isQuoted && character === '\\') at++
    else if (depth > 0 && character === '"') isQuoted = !isQuoted
    else if (isQuoted) continue
    else if (character === '[') depth++
    else if (character === ']') depth--
    else if (depth <= 0) outside += character
  }
  return outside
}
