import type { Attribute, ResourceDocument, ResourceType } from './attribute.ts'
import { coreAttributes } from './attribute-path.ts'
import { isJsonObject } from './json-object.ts'
import { invalidValue } from './read-text.ts'
import { assigned, readMembers } from './read-value.ts'
import { ScimError } from './scim-error.ts'

/**
 * Reads the body of a POST or PUT: canonical names, real booleans, texts byte for byte as sent. Unknown attributes and
 * extensions, null, empty lists, read-only attributes and the password are left out; which extensions there are is
 * seen in the body itself, whatever `schemas` says.
 *
 * @throws ScimError 400: `invalidSyntax` when the body is no object, `invalidValue` for a value of the wrong type, too
 *   long, or missing although required (`userName` of a user, `displayName` of a group)
 */
export function readResource(type: ResourceType, body: unknown): ResourceDocument {
  if (!isJsonObject(body)) throw new ScimError(400, 'invalidSyntax', 'The body must be a JSON object.')
  const document: Record<string, unknown> = { ...readMembers(coreAttributes(type), body, '') }
  for (const key of Object.keys(body)) {
    const lower = key.toLowerCase()
    const extension = type.extensions.find(({ id }) => id.toLowerCase() === lower)
    const values = body[key]
    if (extension === undefined || values === null) continue
    if (!isJsonObject(values)) throw invalidValue(`${extension.id} must be an object.`)
    document[extension.id] = assigned(readMembers(extension.attributes, values, `${extension.id}:`))
  }
  for (const attribute of type.schema.attributes) {
    if (attribute.required) refuseMissing(attribute, document[attribute.name])
  }
  return assigned(document) ?? {}
}

/** @throws ScimError 400 `invalidValue` when the value of a required attribute is missing or blank */
export function refuseMissing(attribute: Attribute, value: unknown): void {
  if (value !== undefined && !(typeof value === 'string' && value.trim() === '')) return
  throw invalidValue(`${attribute.name} is required and must not be empty.`)
}
