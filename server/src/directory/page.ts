import { DirectoryError } from './errors.ts'

/** A page of a list in the order of creation, either way round, after one of its rows. */
export interface OrderedPage {
  readonly afterId: string | null
  readonly limit: number
  readonly order: 'asc' | 'desc'
}

/** The refusal of a page after something that never was in the organization. */
export function unknownAfter(): DirectoryError {
  return new DirectoryError('request.invalid', 'after is not an id of this list.', { field: 'after' })
}
