import {
  closeBrace,
  closeBracket,
  closingQuote,
  jsonDepthMax,
  openBrace,
  openBracket,
  quote,
  tooDeep,
} from './json-rows/json-text.ts'

/**
 * Refuses a body nested too deep before anything parses it: what later walks a value (a schema, `JSON.stringify`) does
 * so with one frame of the stack per level. It reads every byte once, and tells only strings from brackets: whether
 * they are JSON is for `JSON.parse` to say.
 *
 * @throws {JsonRowsError} too_deep, beyond `jsonDepthMax`
 */
export function requireDepth(body: Buffer): void {
  let depth = 0
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!
    if (byte === quote) at = closingQuote(body, at + 1, body.length)
    else if (byte === openBrace || byte === openBracket) {
      depth += 1
      if (depth > jsonDepthMax) throw tooDeep()
    } else if (byte === closeBrace || byte === closeBracket) depth -= 1
  }
}
