import { bulkOperationsMax } from './discovery.ts'
import { isJsonObject, memberOf } from './json-object.ts'
import { ScimError } from './scim-error.ts'

/** One operation of a bulk request (RFC 7644 section 3.7). */
export interface BulkOperation {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly endpoint: 'Users' | 'Groups'
  /** Of the resource; undefined for a POST. It may be a `bulkId:` reference. */
  readonly id: string | undefined
  readonly bulkId: string | undefined
  readonly version: string | undefined
  readonly data: unknown
}

export interface BulkRequest {
  /** In an order in which what they refer to comes first. */
  readonly operations: readonly BulkOperation[]
  /** Stop after so many errors; undefined: never. */
  readonly failOnErrors: number | undefined
}

/** Stands before the `bulkId` that a value refers to. */
export const BULK_ID = 'bulkId:'
const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const
/** Levels of a body that are looked into for references; bodies are limited to fewer. */
const DEPTH_MAX = 64

const invalidSyntax = (detail: string) => new ScimError(400, 'invalidSyntax', detail)

/**
 * Reads a bulk request and puts its operations into an order: as they were sent, but what others refer to by `bulkId`
 * before these.
 *
 * @throws ScimError 400 `invalidSyntax` for another shape, a `bulkId` that stands twice or for nothing, and references
 *   in a circle; 413 for more than 1,000 operations
 */
export function readBulkRequest(body: unknown): BulkRequest {
  if (!isJsonObject(body)) throw invalidSyntax('The body must be a JSON object.')
  const given = memberOf(body, 'Operations')
  if (!Array.isArray(given)) throw invalidSyntax('Operations must be a list.')
  if (given.length > bulkOperationsMax) {
    throw new ScimError(413, undefined, `A bulk request must have at most ${bulkOperationsMax} operations.`)
  }
  const operations = given.map(readOperation)
  return { operations: inOrder(operations), failOnErrors: readFailOnErrors(memberOf(body, 'failOnErrors')) }
}

function readFailOnErrors(given: unknown): number | undefined {
  if (given === undefined || given === null) return undefined
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) {
    return given === 0 ? undefined : given
  }
  throw new ScimError(400, 'invalidValue', 'failOnErrors must be a whole number of 0 or more.')
}

function readOperation(operation: unknown, index: number): BulkOperation {
  const place = `Operations[${index}]`
  if (!isJsonObject(operation)) throw invalidSyntax(`${place} must be an object.`)
  const word = memberOf(operation, 'method')
  const method = METHODS.find((one) => typeof word === 'string' && one === word.toUpperCase())
  if (method === undefined) throw invalidSyntax(`${place}.method must be POST, PUT, PATCH or DELETE.`)
  const { endpoint, id } = readPath(memberOf(operation, 'path'), place)
  if ((id === undefined) !== (method === 'POST')) {
    throw invalidSyntax(`${place}.path must ${method === 'POST' ? 'not ' : ''}name a resource for ${method}.`)
  }
  const bulkId = readText(operation, 'bulkId', place)
  if (method === 'POST' && bulkId === undefined) throw invalidSyntax(`${place}.bulkId is required for POST.`)
  return {
    method,
    endpoint,
    id,
    bulkId,
    version: readText(operation, 'version', place),
    data: memberOf(operation, 'data'),
  }
}

function readText(
  operation: Readonly<Record<string, unknown>>,
  name: string,
  place: string,
): string | undefined {
  const value = memberOf(operation, name)
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw invalidSyntax(`${place}.${name} must be a text.`)
}

function readPath(path: unknown, place: string): Pick<BulkOperation, 'endpoint' | 'id'> {
  const [, word, id, ...rest] = typeof path === 'string' ? path.split('/') : []
  const endpoint = (['Users', 'Groups'] as const).find((one) => one === word)
  if (endpoint === undefined || rest.length > 0) {
    throw invalidSyntax(`${place}.path must be /Users, /Groups, or one of these and an id.`)
  }
  return { endpoint, id: id === '' ? undefined : id }
}

/** The texts of a value that refer to other operations. */
function referencesIn(value: unknown, depth = 0, found: string[] = []): string[] {
  if (typeof value === 'string' && value.startsWith(BULK_ID)) found.push(value.slice(BULK_ID.length))
  if (typeof value === 'object' && value !== null && depth < DEPTH_MAX) {
    for (const one of Object.values(value)) referencesIn(one, depth + 1, found)
  }
  return found
}

function inOrder(operations: readonly BulkOperation[]): BulkOperation[] {
  const byBulkId = new Map<string, BulkOperation>()
  for (const operation of operations) {
    if (operation.bulkId === undefined) continue
    if (byBulkId.has(operation.bulkId))
      throw invalidSyntax(`The bulkId ${quote(operation.bulkId)} stands twice.`)
    byBulkId.set(operation.bulkId, operation)
  }
  const ordered: BulkOperation[] = []
  const state = new Map<BulkOperation, 'waiting' | 'placed'>()
  const place = (operation: BulkOperation): void => {
    if (state.get(operation) === 'placed') return
    if (state.get(operation) === 'waiting') {
      throw invalidSyntax(
        `The bulkId ${quote(operation.bulkId ?? '')} refers to itself, through others or directly.`,
      )
    }
    state.set(operation, 'waiting')
    for (const reference of referencesIn([operation.id, operation.data])) {
      const target = byBulkId.get(reference)
      if (target === undefined) throw invalidSyntax(`No operation has the bulkId ${quote(reference)}.`)
      place(target)
    }
    state.set(operation, 'placed')
    ordered.push(operation)
  }
  operations.forEach(place)
  return ordered
}

const quote = (text: string) => JSON.stringify(text.slice(0, 100))

/**
 * A value with its references replaced by the ids of what was created.
 *
 * @throws ScimError 400 `invalidValue` where the operation that is referred to failed
 */
export function resolveBulkIds(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string' && value.startsWith(BULK_ID)) {
    const id = ids.get(value.slice(BULK_ID.length))
    if (id !== undefined) return id
    throw new ScimError(400, 'invalidValue', `The operation that ${quote(value)} refers to has failed.`)
  }
  if (Array.isArray(value)) return value.map((one) => resolveBulkIds(one, ids))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolveBulkIds(one, ids)]))
}
