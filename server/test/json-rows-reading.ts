import assert from 'node:assert/strict'
import { JsonRowsError, readJsonRows } from '#src/platform/json-rows.ts'

/** Limits that no body of a test comes near. */
export const limits = { rowsKey: 'members', bytesMax: 64e6, rowsMax: 1e6, sliceBytes: 65536 }

/** Cuts a body into chunks of these lengths, over and over. */
export async function* chunks(body: Buffer, lengths: number[]): AsyncGenerator<Buffer> {
  let from = 0
  for (let turn = 0; from < body.length; turn += 1) {
    const length = lengths[turn % lengths.length]!
    yield body.subarray(from, from + length)
    from += length
  }
}

/** Reads a body cut into chunks of these lengths: its rows, undefined if there are none, and what is beside them. */
export async function read(body: string | Buffer, options: Partial<typeof limits> = {}, lengths = [65536]) {
  const rows: unknown[] = []
  const onRows = (more: unknown[], firstIndex: number) => {
    assert.ok(more.length > 0)
    assert.equal(firstIndex, rows.length)
    rows.push(...more)
  }
  const source = chunks(Buffer.from(body as string), lengths)
  const { rest, rowCount } = await readJsonRows(source, { ...limits, ...options, onRows })
  assert.equal(rowCount ?? 0, rows.length)
  return { rows: rowCount === undefined ? undefined : rows, rest }
}

/** Why a body is refused. */
export async function refusal(
  body: string | Buffer,
  options: Partial<typeof limits> = {},
): Promise<JsonRowsError> {
  // In one piece and byte by byte, with slices as small as they get: the answer must not depend on it.
  const errors: JsonRowsError[] = []
  for (const [lengths, sliceBytes] of [
    [[1e9], 65536],
    [[1], 1],
  ] as const) {
    const outcome = await read(body, { ...options, sliceBytes }, [...lengths]).catch(
      (error: unknown) => error,
    )
    if (!(outcome instanceof JsonRowsError))
      assert.fail(`${body} was answered with ${JSON.stringify(outcome)}`)
    errors.push(outcome)
  }
  assert.equal(errors[0]!.reason, errors[1]!.reason)
  return errors[0]!
}
