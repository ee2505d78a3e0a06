import { foldText } from '../../../directory/scim/fold.ts'
import type { Attribute, ResourceDocument, ResourceType } from './attribute.ts'
import { coreAttributes } from './attribute-path.ts'
import type { JsonObject } from './json-object.ts'

/**
 * What filters look at: the document under the same names, with texts folded (fold.ts) where the attribute ignores
 * letter case, everything else as it is. No attribute that clients write is a moment.
 *
 * @param document canonical, as `readResource` or `patchUser` makes it
 */
export function searchDocument(type: ResourceType, document: ResourceDocument): JsonObject {
  const folded = new Map(Object.entries(foldMembers(coreAttributes(type), document)))
  for (const { id, attributes } of type.extensions) {
    const values = document[id]
    if (values !== undefined) folded.set(id, foldMembers(attributes, values as JsonObject))
  }
  return Object.fromEntries(folded)
}

/** The folded e-mail addresses of a user's document, each once: what a look-up by address compares. */
export function emailKeys(document: ResourceDocument): readonly string[] {
  const emails = (document.emails ?? []) as readonly { readonly value?: string }[]
  return [...new Set(emails.flatMap(({ value }) => (value === undefined ? [] : foldText(value))))]
}

function foldMembers(attributes: readonly Attribute[], object: JsonObject): JsonObject {
  const folded = attributes.flatMap((attribute): readonly [string, unknown][] => {
    const value = object[attribute.name]
    return value === undefined ? [] : [[attribute.name, foldValue(attribute, value)]]
  })
  return Object.fromEntries(folded)
}

function foldValue(attribute: Attribute, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => foldValue(attribute, entry))
  if (attribute.type === 'complex') return foldMembers(attribute.subAttributes ?? [], value as JsonObject)
  return typeof value === 'string' && !attribute.caseExact ? foldText(value) : value
}
