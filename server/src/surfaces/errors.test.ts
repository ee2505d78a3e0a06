import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { directoryErrorCodes } from '#src/directory/errors.ts'
import { problems } from './directory/errors.ts'
import { openaiErrors } from './openai/errors.ts'
import { planeErrors } from './plane/errors.ts'
import { posthogErrors } from './posthog/errors.ts'
import { scimErrors } from './scim/errors.ts'
import { vitableStatus } from './vitable/errors.ts'

test('docs/errors.md lists every error code with the status of each surface, and no other', async () => {
  const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  const row =
    /^\| `([^`]+)` \| (\d+) \| (\d+) \| (\d+) `(\w+)` \| (\d+) `(\w+)` \| (\d+) `(\w+)` \| (\d+)(?: `(\w+)`)? \|/gm
  const rows = [...page.matchAll(row)].map(
    ([, code, own, vitable, openai, openaiCode, plane, shape, posthog, posthogCode, scim, scimType]) => ({
      code,
      own: Number(own),
      vitable: Number(vitable),
      openai: [Number(openai), openaiCode],
      plane: [Number(plane), shape],
      posthog: [Number(posthog), posthogCode],
      scim: scimType === undefined ? [Number(scim)] : [Number(scim), scimType],
    }),
  )
  assert.deepEqual(
    rows,
    directoryErrorCodes.map((code) => ({
      code,
      own: problems[code].status,
      vitable: vitableStatus[code],
      openai: openaiErrors[code],
      plane: planeErrors[code].slice(0, 2),
      posthog: posthogErrors[code],
      scim: scimErrors[code],
    })),
  )
})
