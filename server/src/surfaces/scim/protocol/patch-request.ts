import { isJsonObject, memberOf } from './json-object.ts'
import { ScimError } from './scim-error.ts'

/** One operation of a PATCH, its values not looked at yet (RFC 7644 section 3.5.2). */
export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly path: string | undefined
  /** Undefined: none, or null in a removal. */
  readonly value: unknown
}

const operationsMax = 1000

const invalidSyntax = (detail: string) => new ScimError(400, 'invalidSyntax', detail)

/**
 * Reads the body of a PATCH. Names and `op` ignore letter case; no operations are allowed, and change nothing.
 *
 * @throws ScimError 400 `invalidSyntax` for another shape or `op`, 400 `invalidPath` for a path that is no text, 400
 *   `noTarget` for a removal without a path, 413 for more than 1,000 operations
 */
export function readPatchRequest(body: unknown): readonly PatchOperation[] {
  if (!isJsonObject(body)) throw invalidSyntax('The body must be a JSON object.')
  const operations = memberOf(body, 'Operations')
  if (!Array.isArray(operations)) throw invalidSyntax('Operations must be a list.')
  if (operations.length > operationsMax) {
    throw new ScimError(413, undefined, `A PATCH must have at most ${operationsMax} operations.`)
  }
  return operations.map(readOperation)
}

function readOperation(operation: unknown): PatchOperation {
  if (!isJsonObject(operation)) throw invalidSyntax('Each of Operations must be an object.')
  const given = memberOf(operation, 'op')
  const op = typeof given === 'string' ? given.toLowerCase() : undefined
  if (op !== 'add' && op !== 'replace' && op !== 'remove') {
    throw invalidSyntax('op must be add, replace or remove.')
  }
  const path = readPath(memberOf(operation, 'path'))
  const value = memberOf(operation, 'value')
  if (op === 'remove') {
    if (path === undefined) throw new ScimError(400, 'noTarget', 'A removal must have a path.')
    return { op, path, value: value ?? undefined }
  }
  if (value === undefined)
    throw new ScimError(400, 'invalidValue', `An operation with op ${op} must have a value.`)
  return { op, path, value }
}

function readPath(path: unknown): string | undefined {
  if (path === undefined || path === null || path === '') return undefined
  if (typeof path !== 'string') throw new ScimError(400, 'invalidPath', 'path must be a string.')
  return path
}
