/**
 * How a value of a resource is compared (RFC 7644 section 3.4.2.2). A value that is not there is different from
 * every other (`ne` holds) and fits nothing else.
 */
export type Comparison = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'

/** Columns of the users and groups of a connection that can be looked up; a user's displayName is in its document. */
export type ScimColumn =
  | 'id'
  | 'userName'
  | 'displayName'
  | 'externalId'
  | 'active'
  | 'created'
  | 'lastModified'

/** Where a compared value stands. */
export type Place =
  | { readonly kind: 'column'; readonly column: ScimColumn }
  /** In the document of what can be searched; inside `some`, in the entry of the list. */
  | { readonly kind: 'path'; readonly path: readonly string[] }

export type Operand =
  /** Folded (fold.ts) where the attribute ignores case. */
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'number'; readonly value: number }
  /** RFC 3339 in UTC with microseconds. */
  | { readonly type: 'moment'; readonly value: string }

/** Which users or groups of a connection are wanted; what an attribute's name means is settled already. */
export type Criterion =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Criterion[] }
  | { readonly kind: 'not'; readonly of: Criterion }
  /** There is a value, not empty; of what is made of others, at least one of them has one. */
  | { readonly kind: 'present'; readonly on: Place }
  | { readonly kind: 'compare'; readonly on: Place; readonly op: Comparison; readonly operand: Operand }
  /** At least one entry of a list fits; places inside it that are paths begin at the entry. */
  | { readonly kind: 'some'; readonly path: readonly string[]; readonly where: Criterion }
  /** Users in a group with this id, groups with a member of this id; null: in any, with any. */
  | { readonly kind: 'linked'; readonly id: string | null }
  | { readonly kind: 'never' }

/** What users or groups are sorted by; without a value they are last, or first when descending. */
export interface Order {
  readonly by:
    | Place
    /** Of the entry of a list that is primary, else of its first. */
    | { readonly kind: 'primary'; readonly path: readonly string[]; readonly sub: string }
  readonly descending: boolean
}
