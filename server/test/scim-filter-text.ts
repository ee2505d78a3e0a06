import type { Question } from './scim-filter-evaluator.ts'

/** Decides between writings that mean the same: 0 to `below` - 1. */
export type Choose = (below: number) => number

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User'

/** A question as a client may write it: letter case, spaces, URNs, escapes and needless parentheses vary. */
export function filterText(question: Question, choose: Choose): string {
  switch (question.ask) {
    case 'or':
    case 'and': {
      const of = question.of.map((one) => {
        const text = filterText(one, choose)
        // `and` binds before `or`: only an `or` inside an `and` needs its parentheses.
        const needed = one.ask === 'or' && question.ask === 'and'
        return needed || choose(4) === 0 ? `(${text})` : text
      })
      return of.join(` ${cased(question.ask, choose)} `)
    }
    case 'not':
      return `${cased('not', choose)}${choose(2) === 0 ? ' ' : ''}( ${filterText(question.of, choose)})`
    case 'pr':
      return `${pathText(question.path, choose)} ${cased('pr', choose)}`
    case 'entry':
      return entryText(question, choose)
    default:
      return `${pathText(question.path, choose)} ${cased(question.ask, choose)} ${valueText(question.value, choose)}`
  }
}

/** `list[where]`, or `list[where].sub op value` when the last of an `and` can stand behind. */
function entryText({ list, where }: Extract<Question, { ask: 'entry' }>, choose: Choose): string {
  if (where.ask === 'and' && choose(2) === 0) {
    const last = where.of.at(-1)!
    const before: Question = { ask: 'and', of: where.of.slice(0, -1) }
    const simple = last.ask !== 'and' && last.ask !== 'or' && last.ask !== 'not' && last.ask !== 'entry'
    if (simple) return `${cased(list, choose)}[${filterText(before, choose)}].${filterText(last, choose)}`
  }
  return `${cased(list, choose)}[${filterText(where, choose)}]`
}

function pathText(path: readonly string[], choose: Choose): string {
  const [first = '', ...rest] = path
  const isExtension = first.startsWith('urn:')
  if (isExtension && rest.length === 0) return cased(first, choose)
  if (isExtension)
    return `${choose(3) === 0 ? '' : `${cased(first, choose)}:`}${cased(rest.join('.'), choose)}`
  const core = ['userName', 'title', 'emails', 'name'].includes(first) && choose(6) === 0
  return (core ? `${CORE}:` : '') + cased(path.join('.'), choose)
}

function valueText(value: string | boolean | null, choose: Choose): string {
  if (typeof value !== 'string') return String(value)
  const literal = JSON.stringify(value)
  if (choose(3) > 0) return literal
  // Escapes of the whole text, each half of a pair apart, as JSON writes them.
  const units = [...Array(value.length).keys()].map((at) =>
    value.charCodeAt(at).toString(16).padStart(4, '0'),
  )
  return `"${units.map((hex) => `\\u${hex}`).join('')}"`
}

function cased(word: string, choose: Choose): string {
  const kind = choose(5)
  return kind === 0 ? word.toUpperCase() : kind === 1 ? word.toLowerCase() : word
}
