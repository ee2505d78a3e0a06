/**
 * A filter as it is written (RFC 7644 section 3.4.2.2), before any name in it is looked up: every `path` is
 * the text of an attribute path, inside `some` of a sub-attribute.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  | { readonly kind: 'present'; readonly path: string }
  | {
      readonly kind: 'compare'
      readonly path: string
      readonly op: 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'
      readonly value: string | number | boolean | null
    }
  | ValuePath

/** `path[where].sub`: entries of a list, or one sub-attribute of each of them. */
export interface ValuePath {
  readonly kind: 'some'
  readonly path: string
  readonly where: Filter
  readonly sub: string | null
}
