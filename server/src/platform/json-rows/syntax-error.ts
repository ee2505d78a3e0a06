/** What may come next in the text: the whole state of the grammar besides the open brackets. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing'

// "true", "false", "null" and every number (RFC 8259 section 6).
const literal = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/**
 * Finds where bytes stop being a JSON text (RFC 8259): what `JSON.parse` knows and does not tell reliably.
 * Run only on what `JSON.parse` refused, to say where; it costs some ten times as much.
 *
 * @param bytes the text in UTF-8, which is not checked here; any nesting, since open brackets are kept on a
 *   list
 * @returns the index of the token that cannot stand where it stands, `bytes.length` if more was expected at
 *   the end, or -1 if the text is valid
 */
export function findJsonSyntaxError(bytes: Buffer): number {
  // In Latin-1 an index into the text is an index into the bytes, and all that JSON gives a meaning to is
  // ASCII.
  const text = bytes.toString('latin1')
  const closers: string[] = []
  let expected: Expected = 'value'
  let at = skipWhitespace(text, 0)

  while (at < text.length) {
    const char = text[at]!
    let end = at + 1
    if (expected.endsWith('or end') && char === closers.at(-1)) {
      closers.pop()
      expected = afterValue(closers)
    } else if (expected === 'value' || expected === 'value or end') {
      if (char === '{' || char === '[') {
        closers.push(char === '{' ? '}' : ']')
        expected = char === '{' ? 'key or end' : 'value or end'
      } else {
        end = char === '"' ? stringEnd(text, at) : match(literal, text, at)
        expected = afterValue(closers)
      }
    } else if (expected === 'key' || expected === 'key or end') {
      end = char === '"' ? stringEnd(text, at) : -1
      expected = 'colon'
    } else if (expected === 'colon') {
      end = char === ':' ? end : -1
      expected = 'value'
    } else {
      end = expected === 'comma or end' && char === ',' ? end : -1
      expected = closers.at(-1) === '}' ? 'key' : 'value'
    }
    if (end === -1) return at
    at = skipWhitespace(text, end)
  }
  return expected === 'nothing' ? -1 : text.length
}

const afterValue = (closers: string[]): Expected => (closers.length === 0 ? 'nothing' : 'comma or end')

/** The index after the string that begins at `at`, or -1 if it is none. */
function stringEnd(text: string, at: number): number {
  let index = at + 1
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code === 0x22) return index + 1
    if (code < 0x20) return -1
    index = code === 0x5c ? match(escapeSequence, text, index) : index + 1
    if (index === -1) return -1
  }
  return -1
}

function match(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at
  return expression.test(text) ? expression.lastIndex : -1
}

function skipWhitespace(text: string, at: number): number {
  let index = at
  while (index < text.length && ' \t\n\r'.includes(text[index]!)) index += 1
  return index
}
