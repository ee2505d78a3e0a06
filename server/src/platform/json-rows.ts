import { setImmediate } from 'node:timers/promises'
import { JsonRowsError } from './json-rows/json-text.ts'
import { OutsideText } from './json-rows/outside-text.ts'
import { RowSlices, type RowsWanted } from './json-rows/row-slices.ts'

export { JsonRowsError, type JsonRowsReason } from './json-rows/json-text.ts'

export interface JsonRowsOptions extends RowsWanted {
  /** Most bytes of the whole body. */
  readonly bytesMax: number
  /** Bytes parsed between two turns of the event loop; 64 KiB holds it for a fraction of a millisecond. */
  readonly sliceBytes?: number
}

export interface JsonRows {
  /**
   * The other top-level members, as `JSON.parse` gives them; `rowsKey` is among them only when it is no
   * array.
   */
  readonly rest: Record<string, unknown>
  /** Undefined when there was no top-level array of that name. */
  readonly rowCount: number | undefined
}

/**
 * Reads `{"members": [row, row, …], …}` row by row without ever holding the event loop for more than a slice,
 * however large the body is and even if it arrives as one buffer
 * (docs/decisions/0004-streaming-member-rows.md).
 *
 * It accepts what `JSON.parse` accepts (RFC 8259), within the limits. Rows come before the end of the body
 * has been seen, so the caller acts on them only after the promise has resolved. When it rejects, it stops
 * reading at once and ends the source's iterator; give `request.iterator({ destroyOnReturn: false })` for a
 * request that is still to be answered.
 *
 * @param source the body's bytes, cut anywhere
 * @throws {JsonRowsError} `syntax`, also for a top level that is no object; `encoding` for a byte order mark
 *   or anything but UTF-8; `too_large` beyond `bytesMax`, `jsonRowBytesMax` or `jsonRestBytesMax`;
 *   `too_many_rows`; `too_deep` beyond `jsonDepthMax`; `duplicate_key` if `rowsKey` is there twice
 */
export async function readJsonRows(
  source: AsyncIterable<Buffer>,
  options: JsonRowsOptions,
): Promise<JsonRows> {
  const sliceBytes = options.sliceBytes ?? 64 * 1024
  const outside = new OutsideText(options.rowsKey, sliceBytes)
  let rows: RowSlices | undefined
  let bytesRead = 0
  let bytesThisTurn = 0

  for await (const chunk of source) {
    if (bytesRead + chunk.length > options.bytesMax) {
      throw new JsonRowsError('too_large', `must have at most ${options.bytesMax} bytes`)
    }
    let from = 0
    while (from < chunk.length) {
      const before = from
      if (rows === undefined || rows.closed) {
        from = outside.take(chunk, from)
        if (outside.atRows) {
          outside.checkBeforeRows()
          rows = new RowSlices(options, sliceBytes, bytesRead + from)
        }
      } else {
        from = rows.take(chunk, from)
        if (rows.closed) outside.returnAt(bytesRead + from)
      }
      bytesThisTurn += from - before
      // Half, since a slice that begins with the rest of the last one takes fewer new bytes.
      if (bytesThisTurn >= sliceBytes / 2) {
        bytesThisTurn = 0
        await setImmediate()
      }
    }
    bytesRead += chunk.length
    // Chunks that were already waiting come without a turn of the loop in between, and each costs about as
    // much time as a few hundred bytes: a body that dribbles in byte by byte must not hold the loop either.
    bytesThisTurn += 512
  }
  if (rows?.closed === false) rows.parseUnfinished()
  return { rest: outside.parse(), rowCount: rows?.count }
}
