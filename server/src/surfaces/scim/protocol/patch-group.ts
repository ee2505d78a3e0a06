import type { Filter } from './filter-syntax.ts'
import { readMemberIds } from './group-members.ts'
import type { PatchOperation } from './patch-request.ts'
import { type AttributeChange, findChanges } from './patch-target.ts'
import { refuseMissing } from './read-resource.ts'
import { readValue } from './read-value.ts'
import { groupType } from './registry.ts'
import { ScimError } from './scim-error.ts'
import { membersMax } from './value-limits.ts'

/** What a PATCH comes to, whoever is in the group. */
export interface GroupPatch {
  readonly displayName?: string
  /** Null: it has none any more. */
  readonly externalId?: string | null
  readonly members: {
    /** The members become `added` and no other; `removed` is empty then. */
    readonly replaces: boolean
    readonly added: readonly string[]
    readonly removed: readonly string[]
  }
}

/**
 * Folds the operations of a PATCH into one change, in their order, without reading the group's members: groups have
 * tens of thousands. Members come as `{"value": id}` or bare ids, in a removal as values or as `members[value eq "id"]`.
 *
 * A removal with values, even with an empty list, never removes anyone else; only a removal without any, or a
 * replacement by a list, empties a group. Null members are no members.
 *
 * @throws ScimError 400: as `findChanges`; `invalidFilter` for a filter of members other than `value eq "id"`, joined
 *   by `or`; `mutability` for a change inside a member, and a removal of the name; `invalidValue`; 413 for more than
 *   10,000 members in all operations
 */
export function readGroupPatch(operations: readonly PatchOperation[]): GroupPatch {
  const members = new MemberFold()
  let displayName: string | undefined
  let externalId: string | null | undefined
  for (const change of findChanges(groupType, operations)) {
    const { op, attribute } = change
    if (attribute.name === 'members') {
      members.apply(change)
    } else if (attribute.name === 'externalId') {
      externalId = op === 'remove' ? null : (readName(change) ?? null)
    } else {
      if (op === 'remove')
        throw new ScimError(400, 'mutability', 'displayName is required and cannot be removed.')
      displayName = readName(change)
      refuseMissing(attribute, displayName)
    }
  }
  return {
    ...(displayName === undefined ? {} : { displayName }),
    ...(externalId === undefined ? {} : { externalId }),
    members: members.result(),
  }
}

const readName = ({ attribute, value }: AttributeChange) =>
  readValue(attribute, value, attribute.name) as string | undefined

/** The sum of the changes of members so far; no id is both added and removed. */
class MemberFold {
  #replaces = false
  readonly #added = new Set<string>()
  readonly #removed = new Set<string>()
  #named = 0

  /** @throws ScimError as `readGroupPatch` */
  apply({ op, where, sub, value }: AttributeChange): void {
    if (sub !== null || (where !== null && op !== 'remove')) {
      throw new ScimError(400, 'mutability', 'A member cannot be changed: remove it and add another.')
    }
    if (op === 'remove' && where === null && value === undefined) {
      this.#empty()
      return
    }
    const ids = where === null ? readMemberIds(value) : idsOf(where)
    this.#named += Array.isArray(value) ? value.length : ids.length
    if (this.#named > membersMax) {
      throw new ScimError(413, undefined, `A PATCH must name at most ${membersMax} members.`)
    }
    if (op === 'replace' && value !== null) this.#empty()
    for (const id of ids) {
      if (op === 'remove') this.#remove(id)
      else this.#add(id)
    }
  }

  result(): GroupPatch['members'] {
    return { replaces: this.#replaces, added: [...this.#added], removed: [...this.#removed] }
  }

  #empty(): void {
    this.#replaces = true
    this.#added.clear()
    this.#removed.clear()
  }

  #add(id: string): void {
    this.#removed.delete(id)
    this.#added.add(id)
  }

  #remove(id: string): void {
    this.#added.delete(id)
    if (!this.#replaces) this.#removed.add(id)
  }
}

/** The ids that a filter of members names. */
function idsOf(where: Filter): readonly string[] {
  if (where.kind === 'or') return where.of.flatMap(idsOf)
  const isId = where.kind === 'compare' && where.op === 'eq' && where.path.toLowerCase() === 'value'
  if (!isId)
    throw new ScimError(400, 'invalidFilter', 'Members are found by value eq "id" only, joined by or.')
  return readMemberIds(where.value)
}
