import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import { fromIdField } from './wire.ts'

/** Ids in a body. */
export function idSet(max: number) {
  return z.array(z.string()).min(1, 'must name at least one').max(max, `must name at most ${max}`)
}

/** The same in a query, one or several times by the same name. */
export const idSetQuery = z.union([z.string(), z.array(z.string())]).optional()

/** @throws {DirectoryError} request.invalid (there are none), not_found, naming the one that is no id */
export function fromIdSet(
  noun: 'member' | 'project',
  ids: string | readonly string[] | undefined,
  field: string,
): string[] {
  if (ids === undefined) throw new DirectoryError('request.invalid', `${field} is required.`, { field })
  return [ids].flat().map((id, index) => fromIdField(noun, id, `${field}[${index}]`))
}
