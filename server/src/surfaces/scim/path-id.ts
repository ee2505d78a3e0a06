import { DirectoryError } from '../../directory/errors.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The id of a path; one that is none of ours is an unknown one. @throws {DirectoryError} not_found */
export function idOf(kind: 'user' | 'group', id: string): string {
  if (UUID.test(id)) return id
  throw new DirectoryError(`scim_${kind}.not_found`, `There is no ${kind} with this id.`)
}
