import type { Comparison } from '../../../directory/scim/criteria.ts'

/**
 * A filter of RFC 7644 section 3.4.2.2 as it was written: names are not looked up yet. `some` is
 * `path[where]`; the paths inside `where` are sub-attributes.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  | { readonly kind: 'present'; readonly path: string }
  | {
      readonly kind: 'compare'
      readonly path: string
      readonly op: Comparison
      readonly value: string | number | boolean | null
    }
  | { readonly kind: 'some'; readonly path: string; readonly where: Filter }
