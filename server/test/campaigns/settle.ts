import assert from 'node:assert/strict'
import { DirectoryError, type DirectoryErrorCode } from '#src/directory/errors.ts'

/**
 * Waits for operations done at the same time, and answers `done` or the code of the refusal of each, in their order.
 * Anything else a caller would see as a fault (a deadlock, a broken constraint) fails the test.
 */
export async function settleAll(
  works: readonly Promise<unknown>[],
): Promise<('done' | DirectoryErrorCode)[]> {
  const results = await Promise.allSettled(works)
  return results.map((result) => {
    if (result.status === 'fulfilled') return 'done'
    assert.ok(result.reason instanceof DirectoryError, String(result.reason))
    assert.notEqual(result.reason.code, 'server.busy')
    return result.reason.code
  })
}
