import { createHash } from 'node:crypto'

/** One named (prepared) statement with its values; `Row` is what it answers. */
export interface Statement<Row> {
  readonly name: string
  readonly text: string
  readonly values: unknown[]
  /** Carries the row type only; never set. */
  readonly row?: Row
}

/** A constant piece of SQL that several statements share. Never made from input. */
export class SqlFragment {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

interface Compiled {
  readonly name: string
  readonly text: string
  readonly fragmentAt: ReadonlySet<number>
}

const compiled = new WeakMap<TemplateStringsArray, Compiled>()

function compile(parts: TemplateStringsArray, values: readonly unknown[]): Compiled {
  const fragmentAt = new Set<number>()
  let text = ''
  let bound = 0
  for (const [index, part] of parts.entries()) {
    text += part
    if (index === values.length) break
    const value = values[index]
    if (value instanceof SqlFragment) {
      fragmentAt.add(index)
      text += value.text
    } else {
      bound++
      text += `$${bound}`
    }
  }
  return { name: createHash('sha256').update(text).digest('base64url').slice(0, 24), text, fragmentAt }
}

/**
 * Builds a prepared statement: each `${value}` becomes a bound parameter, never SQL text; a `SqlFragment`, which
 * has to be a constant at its place, is copied in. The name is derived from the text, so a statement is prepared
 * once per connection wherever it is called from (named statements are 1.3 to 2.6 times as fast as unnamed ones,
 * docs/decisions/0002-postgres-access.md).
 */
export function sql<Row = never>(parts: TemplateStringsArray, ...values: unknown[]): Statement<Row> {
  let statement = compiled.get(parts)
  if (statement === undefined) {
    statement = compile(parts, values)
    compiled.set(parts, statement)
  }
  const { name, text, fragmentAt } = statement
  if (fragmentAt.size === 0) return { name, text, values }
  return { name, text, values: values.filter((_, index) => !fragmentAt.has(index)) }
}
