import type { Comparison, Criterion, Operand, Place } from '../../../directory/scim/criteria.ts'
import { foldText } from '../../../directory/scim/fold.ts'
import type { Attribute } from './attribute.ts'
import { toBoolean } from './boolean-text.ts'
import { parseMoment } from './moment.ts'
import { ScimError } from './scim-error.ts'

type Value = string | number | boolean

/** An attribute as a filter wrote it, what it is, and where its value stands. */
export interface Named {
  readonly name: string
  readonly attribute: Attribute
  readonly on: Place
}

export const always: Criterion = { kind: 'and', of: [] }
export const never: Criterion = { kind: 'never' }

/** @param detail a sentence that names the attribute */
export const refuse = (detail: string) => new ScimError(400, 'invalidFilter', detail)

/**
 * One comparison of an attribute that is not complex, checked against its type (RFC 7644 section 3.4.2.2).
 *
 * @throws ScimError 400 `invalidFilter`
 */
export function compare(named: Named, op: Comparison, value: Value): Criterion {
  const { attribute, on } = named
  if (attribute.type === 'dateTime') return compareMoment(named, op, value)
  const operand = operandOf(named, op, value)
  // An entry that does not say whether it is primary is not (RFC 7643 section 2.4).
  if (attribute.name === 'primary' && operand.type === 'boolean') {
    const isPrimary: Criterion = { kind: 'compare', on, op: 'eq', operand: { type: 'boolean', value: true } }
    return operand.value === (op === 'eq') ? isPrimary : { kind: 'not', of: isPrimary }
  }
  return { kind: 'compare', on, op, operand }
}

function operandOf({ name, attribute }: Named, op: Comparison, value: Value): Operand {
  switch (attribute.type) {
    case 'boolean': {
      if (op !== 'eq' && op !== 'ne') throw refuse(`"${name}" is true or false: only eq and ne compare it.`)
      const truth = toBoolean(value)
      if (truth === undefined) throw refuse(`"${name}" is compared with true or false.`)
      return { type: 'boolean', value: truth }
    }
    case 'integer':
    case 'decimal':
      if (isPartial(op)) throw refuse(`"${name}" is a number: "${op}" compares texts.`)
      if (typeof value !== 'number') throw refuse(`"${name}" is compared with a number.`)
      return { type: 'number', value }
    case 'binary':
      if (op !== 'eq' && op !== 'ne') throw refuse(`"${name}" is binary: only eq and ne compare it.`)
  }
  if (typeof value !== 'string') throw refuse(`"${name}" is compared with a text, in double quotes.`)
  return { type: 'text', value: attribute.caseExact ? value : foldText(value) }
}

function compareMoment({ name, on }: Named, op: Comparison, value: Value): Criterion {
  if (isPartial(op)) throw refuse(`"${name}" is a moment: "${op}" compares texts.`)
  const moment = typeof value === 'string' ? parseMoment(value) : null
  if (moment === null) {
    throw refuse(`"${name}" is compared with a moment, such as "2026-01-31T12:00:00Z".`)
  }
  const operand = { type: 'moment', value: moment.micros } as const
  if (!moment.later) return { kind: 'compare', on, op, operand }
  // Between two microseconds is nothing that is stored.
  if (op === 'eq') return never
  if (op === 'ne') return always
  return { kind: 'compare', on, op: op === 'gt' || op === 'ge' ? 'gt' : 'le', operand }
}

const isPartial = (op: Comparison) => op === 'co' || op === 'sw' || op === 'ew'
