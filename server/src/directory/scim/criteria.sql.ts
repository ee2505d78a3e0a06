import type { Comparison, Criterion, Operand, Order, Place, ScimColumn } from './criteria.ts'

/** `u` is scim_user, `g` is scim_group. */
export type ScimResource = 'user' | 'group'

const ALIAS = { user: 'u', group: 'g' } as const

const COLUMNS: Record<ScimResource, Partial<Record<ScimColumn, string>>> = {
  user: {
    id: 'u.id',
    userName: 'u.user_name_key',
    externalId: 'u.external_id',
    active: 'u.active',
    created: 'u.created_at',
    lastModified: 'u.updated_at',
  },
  group: {
    id: 'g.id',
    displayName: 'g.display_name_key',
    externalId: 'g.external_id',
    created: 'g.created_at',
    lastModified: 'g.updated_at',
  },
}

const ORDER_SIGNS = { gt: '>', ge: '>=', lt: '<', le: '<=' } as const
const isOrder = (op: Comparison): op is keyof typeof ORDER_SIGNS => op in ORDER_SIGNS

const SQL_TYPES = { text: 'text', boolean: 'boolean', number: 'numeric', moment: 'timestamptz' } as const

/** Something in it has a value, at whatever depth. */
const HAS_VALUE = '$.** ? (@.type() == "string" && @ != "" || @.type() == "number" || @.type() == "boolean")'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * The condition that a criterion is in SQL: a boolean that is never null, about the row `u` (scim_user) or `g`
 * (scim_group). Every value and every path is a parameter; the text is made of constants alone, but differs from
 * criterion to criterion, so its statement must not be named. Equality of `id`, `userName`, `externalId`, a group's
 * `displayName` and a value of `emails` can be served by an index on its column.
 *
 * @param params takes the values: `$n` counts from those that are there already
 */
export function compileCriterion(criterion: Criterion, resource: ScimResource, params: unknown[]): string {
  return new Compiler(resource, params).condition(criterion, documentOf(resource))
}

/**
 * What rows are sorted by (RFC 7644 section 3.4.2.3): the value, and the terms of an `order by` with the id as the last:
 * text in the order of its code points, folded where the column is.
 *
 * @param params as of `compileCriterion`
 */
export function sortOf(
  order: Order,
  resource: ScimResource,
  params: unknown[],
): { value: string; by: string } {
  const value = new Compiler(resource, params).sortValue(order.by)
  const direction = order.descending ? 'desc nulls first' : 'asc nulls last'
  return { value, by: `${value} ${direction}, ${ALIAS[resource]}.id` }
}

/**
 * The condition of the rows that come after one in such an order.
 *
 * @param value what `sortOf` has of that row
 * @param after the value's text and the id of that row
 */
export function startAfter(
  order: Order,
  resource: ScimResource,
  value: string,
  after: { value: string | null; id: string },
  params: unknown[],
): string {
  const bind = (given: unknown, type: string) => `$${params.push(given)}::${type}`
  const id = `${ALIAS[resource]}.id > ${bind(after.id, 'uuid')}`
  if (after.value === null) {
    return order.descending ? `(${value} is not null or ${id})` : `(${value} is null and ${id})`
  }
  const bound = bind(after.value, sortTypeOf(order.by))
  if (order.descending) return `(${value} < ${bound} or ${value} = ${bound} and ${id})`
  return `(${value} > ${bound} or ${value} = ${bound} and ${id} or ${value} is null)`
}

function sortTypeOf(by: Order['by']): string {
  if (by.kind !== 'column') return 'text'
  if (by.column === 'id') return 'uuid'
  if (by.column === 'active') return 'boolean'
  return by.column === 'created' || by.column === 'lastModified' ? 'timestamptz' : 'text'
}

/** Groups have no document: none of their paths has a value. */
const documentOf = (resource: ScimResource) => (resource === 'user' ? 'u.search' : "'{}'::jsonb")

class Compiler {
  readonly #resource: ScimResource
  readonly #params: unknown[]
  #lists = 0

  constructor(resource: ScimResource, params: unknown[]) {
    this.#resource = resource
    this.#params = params
  }

  /** @param root what paths begin at: the document, or an entry of a list */
  condition(criterion: Criterion, root: string): string {
    switch (criterion.kind) {
      case 'and':
      case 'or': {
        if (criterion.of.length === 0) return criterion.kind === 'and' ? 'true' : 'false'
        return `(${criterion.of.map((one) => this.condition(one, root)).join(` ${criterion.kind} `)})`
      }
      case 'not':
        return `(not ${this.condition(criterion.of, root)})`
      case 'present':
        return this.#present(criterion.on, root)
      case 'compare':
        return criterion.on.kind === 'column'
          ? this.#compareColumn(criterion.on.column, criterion.op, criterion.operand)
          : this.#comparePath(this.#at(criterion.on.path, root), criterion.op, criterion.operand)
      case 'some':
        return this.#some(criterion.path, criterion.where, root)
      case 'linked':
        return this.#linked(criterion.id)
      case 'never':
        return 'false'
    }
  }

  sortValue(by: Order['by']): string {
    if (by.kind === 'path') return `${stringOf(this.#at(by.path, documentOf(this.#resource)))} collate "C"`
    if (by.kind === 'column') {
      const column = this.#column(by.column)
      return isText(by.column) ? `${column} collate "C"` : column
    }
    const list = this.#at(by.path, documentOf(this.#resource))
    const sub = this.#bind([by.sub], 'text[]')
    const primary = `jsonb_path_query_first(${list}, '$[*] ? (@.primary == true)')`
    return `${stringOf(`(coalesce(${primary}, ${list} -> 0) #> ${sub})`)} collate "C"`
  }

  #present(on: Place, root: string): string {
    if (on.kind === 'path') {
      return `coalesce(jsonb_path_exists(${this.#at(on.path, root)}, '${HAS_VALUE}', '{}', true), false)`
    }
    const column = this.#column(on.column)
    return isText(on.column) ? `(coalesce(${column}, '') <> '')` : `(${column} is not null)`
  }

  #compareColumn(name: ScimColumn, op: Comparison, operand: Operand): string {
    const column = this.#column(name)
    if (name === 'id') {
      if ((op === 'eq' || op === 'ne') && operand.type === 'text') {
        // No id looks like this one.
        if (!uuid.test(operand.value)) return op === 'ne' ? 'true' : 'false'
        return `(${column} ${op === 'eq' ? '=' : '<>'} ${this.#bind(operand.value, 'uuid')})`
      }
      return this.#compareText(`${column}::text`, op, operand)
    }
    if (operand.type === 'text') return this.#compareText(column, op, operand)
    const value = this.#bind(operand.value, SQL_TYPES[operand.type])
    if (op === 'ne') return `(${column} is distinct from ${value})`
    return `(${column} is not null and ${column} ${signOf(op)} ${value})`
  }

  /** @param text SQL that may be null */
  #compareText(text: string, op: Comparison, operand: Operand): string {
    const value = this.#bind(operand.value, 'text')
    return op === 'ne'
      ? `(${text} is distinct from ${value})`
      : `(${text} is not null and ${textFits(text, op, value)})`
  }

  /** @param at SQL of type jsonb; what is stored there may be of any kind, and null */
  #comparePath(at: string, op: Comparison, operand: Operand): string {
    // A moment of a document is text of one form, so its order is that of the text.
    const type = operand.type === 'moment' ? 'text' : operand.type
    if (op === 'eq' || op === 'ne') {
      const value = `to_jsonb(${this.#bind(operand.value, SQL_TYPES[type])})`
      return op === 'ne' ? `(${at} is distinct from ${value})` : `coalesce(${at} = ${value}, false)`
    }
    if (type === 'text') {
      return `coalesce(${textFits(stringOf(at), op, this.#bind(operand.value, 'text'))}, false)`
    }
    const value = `to_jsonb(${this.#bind(operand.value, SQL_TYPES[type])})`
    return `coalesce(jsonb_typeof(${at}) = '${type}' and ${at} ${signOf(op)} ${value}, false)`
  }

  #some(path: readonly string[], where: Criterion, root: string): string {
    const list = this.#at(path, root)
    const entry = `entry_${++this.#lists}`
    const entries = `jsonb_array_elements(case jsonb_typeof(${list}) when 'array' then ${list} else '[]' end)`
    const found = `exists (select from ${entries} as ${entry} (value) where ${this.condition(where, `${entry}.value`)})`
    const emails = root === 'u.search' && path.length === 1 && path[0] === 'emails' ? neededValues(where) : []
    if (emails.length === 0) return found
    // The index finds the few users with the address; the entry is looked at only there.
    return `(u.email_keys @> ${this.#bind(emails, 'text[]')} and ${found})`
  }

  #linked(id: string | null): string {
    if (id !== null && !uuid.test(id)) return 'false'
    const [own, other] = this.#resource === 'user' ? ['user_id', 'group_id'] : ['group_id', 'user_id']
    const alias = ALIAS[this.#resource]
    const wanted = id === null ? '' : ` and m.${other} = ${this.#bind(id, 'uuid')}`
    return `exists (select from scim_group_member m where m.organization_id = ${alias}.organization_id and m.${own} = ${alias}.id${wanted})`
  }

  #column(name: ScimColumn): string {
    const column = COLUMNS[this.#resource][name]
    if (column === undefined) throw new TypeError(`a ${this.#resource} has no column ${name}`)
    return column
  }

  #at(path: readonly string[], root: string): string {
    return path.length === 0 ? root : `(${root} #> ${this.#bind(path, 'text[]')})`
  }

  #bind(value: unknown, type: string): string {
    this.#params.push(value)
    return `$${this.#params.length}::${type}`
  }
}

const isText = (column: ScimColumn) =>
  column === 'userName' || column === 'displayName' || column === 'externalId'

/** The text of a JSON string, null for what is none. */
const stringOf = (at: string) => `(case jsonb_typeof(${at}) when 'string' then ${at} #>> '{}' end)`

/** Never with `like`, whose pattern would have to be escaped, nor in the order of a locale. */
function textFits(text: string, op: Exclude<Comparison, 'ne'>, value: string): string {
  switch (op) {
    case 'eq':
      return `${text} = ${value}`
    case 'co':
      return `position(${value} in ${text}) > 0`
    case 'sw':
      return `starts_with(${text}, ${value})`
    case 'ew':
      return `right(${text}, char_length(${value})) = ${value}`
    default:
      return `${text} collate "C" ${ORDER_SIGNS[op]} ${value}`
  }
}

function signOf(op: Comparison): string {
  if (op === 'eq') return '='
  if (isOrder(op)) return ORDER_SIGNS[op]
  throw new TypeError(`${op} compares texts alone`)
}

/** The values that an entry's `value` must all equal. */
function neededValues(where: Criterion): string[] {
  if (where.kind === 'and') return where.of.flatMap(neededValues)
  const isValue =
    where.kind === 'compare' &&
    where.op === 'eq' &&
    where.operand.type === 'text' &&
    where.on.kind === 'path' &&
    where.on.path.length === 1 &&
    where.on.path[0] === 'value'
  return isValue && where.operand.type === 'text' ? [where.operand.value] : []
}
