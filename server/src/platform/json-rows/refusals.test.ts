import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { refusal } from '../../../test/json-rows-reading.ts'
import type { JsonRowsReason } from '../json-rows.ts'

describe('readJsonRows', () => {
  const refused: [what: string, reason: JsonRowsReason, body: string | Buffer, message: RegExp][] = [
    ['an empty body', 'syntax', '', /at byte 0$/],
    ['white space only', 'syntax', ' \n', /at byte 2$/],
    [
      'a top level that is an array',
      'syntax',
      ' [1]',
      /must be a JSON object, which does not begin at byte 1$/,
    ],
    ['a top level that is a string', 'syntax', '"members"', /must be a JSON object/],
    ['text after the object', 'syntax', '{"members":[1]} x', /at byte 16$/],
    ['a second object', 'syntax', '{"members":[1]}{}', /at byte 15$/],
    ['an empty element', 'syntax', '{"members":[1,,2]}', /at byte 14$/],
    ['only a comma', 'syntax', '{"members":[,]}', /at byte 12$/],
    ['a comma at the end of the rows', 'syntax', '{"members":[1,]}', /at byte 14$/],
    ['a comma at the end of the object', 'syntax', '{"members":[1],}', /at byte 15$/],
    ['a missing comma', 'syntax', '{"members":[{} {}]}', /at byte 15$/],
    ['a missing comma after the rows', 'syntax', '{"members":[1]"a":1}', /at byte 14$/],
    ['a wrong bracket', 'syntax', '{"members":[{]}]}', /at byte 13$/],
    ['a brace that ends the rows', 'syntax', '{"members":[1}}', /at byte 13$/],
    ['rows where a key belongs', 'syntax', '{"members":1,[2]}', /at byte 13$/],
    ['rows without a colon', 'syntax', '{"members" [2]}', /at byte 11$/],
    ['a broken member before the rows', 'syntax', '{"a":01,"members":[2]}', /at byte 6$/],
    ['a body that ends in a row', 'syntax', '{"members":[1,{"a"', /at byte 18$/],
    ['a body that ends after the rows', 'syntax', '{"members":[1]', /at byte 14$/],
    ['a control character in a string', 'syntax', '{"members":["a\nb"]}', /at byte 12$/],
    ['a bad escape', 'syntax', '{"members":["\\x"]}', /at byte 12$/],
    ['a byte order mark', 'encoding', '\ufeff{"members":[1]}', /byte order mark/],
    [
      'invalid UTF-8 in a row',
      'encoding',
      Buffer.from('{"members":["\xff"]}', 'latin1'),
      /not valid UTF-8 at byte 13$/,
    ],
    [
      'a surrogate in UTF-8',
      'encoding',
      Buffer.from('{"members":["\xed\xa0\x80"]}', 'latin1'),
      /at byte 13$/,
    ],
    [
      'a cut character after a replacement one',
      'encoding',
      Buffer.from('{"a":"\xef\xbf\xbd\xef\xbf"}', 'latin1'),
      /at byte 9$/,
    ],
    [
      'invalid UTF-8 beside the rows',
      'encoding',
      Buffer.from('{"members":[1],"a":"\xc3"}', 'latin1'),
      /at byte 20$/,
    ],
    ['a row nested too deep', 'too_deep', `{"members":[${'['.repeat(31)}${']'.repeat(31)}]}`, /32 deep/],
    ['a member nested too deep', 'too_deep', `{"a":${'['.repeat(32)}${']'.repeat(32)}}`, /32 deep/],
    ['endless nesting', 'too_deep', '{"members":['.repeat(10_000), /32 deep/],
  ]
  for (const [what, reason, body, message] of refused) {
    test(`refuses ${what}`, async () => {
      const error = await refusal(body)
      assert.equal(error.reason, reason)
      assert.match(error.message, message)
    })
  }
})
