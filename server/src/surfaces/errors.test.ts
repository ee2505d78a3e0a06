import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { directoryErrorCodes } from '#src/directory/errors.ts'
import { problems } from './directory/errors.ts'
import { vitableStatus } from './vitable/errors.ts'

test('docs/errors.md lists every error code with the status of each surface, and no other', async () => {
  const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `([^`]+)` \| (\d+) \| (\d+) \|/gm)].map(([, code, own, vitable]) => ({
    code,
    own: Number(own),
    vitable: Number(vitable),
  }))
  assert.deepEqual(
    rows,
    directoryErrorCodes.map((code) => ({ code, own: problems[code].status, vitable: vitableStatus[code] })),
  )
})
