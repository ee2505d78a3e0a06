import { randomFillSync } from 'node:crypto'
import { TextArrayBuilder } from './binary-array.ts'

const ELEMENTS_AT_FIRST = 1024

/** A secret number for each place of an element's bytes; nobody can choose texts that meet in one hash. */
let multipliers = randomFillSync(new Uint32Array(1024))

function multipliersFor(places: number): Uint32Array {
  if (places > multipliers.length) {
    const longer = randomFillSync(new Uint32Array(Math.max(places, multipliers.length * 2)))
    longer.set(multipliers)
    multipliers = longer
  }
  return multipliers
}

/**
 * Builds a `text[]` in which no text stands twice. What it needs to know that is in three arrays of numbers: a Map of a
 * hundred thousand texts costs the garbage collector more than all the rest of reading them
 * (docs/decisions/0018-distinct-texts-without-a-map.md).
 *
 * The hash is the sum of each byte times the secret number of its place, of which the upper bits count: whatever the
 * texts, two of them have the same one with at most twice the chance of two random numbers, up to 2^25 hashes (M.
 * Dietzfelbinger, "Universal hashing and k-wise independent random variables via integer arithmetic without primes",
 * 1996).
 */
export class DistinctTextArrayBuilder extends TextArrayBuilder {
  /** By hash, one more than the index of the last element that has it; 0: there is none. */
  #last = new Uint32Array(2 * ELEMENTS_AT_FIRST)
  /** By index, one more than the index of the element before that has the same hash; 0: there is none. */
  #before = new Uint32Array(ELEMENTS_AT_FIRST)
  /** By index, where the element's length and bytes are. */
  #starts = new Uint32Array(ELEMENTS_AT_FIRST)
  /** How many lower bits of the sum do not count. */
  #shift = Math.clz32(2 * ELEMENTS_AT_FIRST) + 1

  /**
   * Appends a text, unless it is there already.
   *
   * @param value as `TextArrayBuilder.push` takes it
   * @returns undefined: it was appended; otherwise the index at which it is
   * @throws {RangeError} as `TextArrayBuilder.push`
   */
  pushDistinct(value: string): number | undefined {
    const index = this.length
    if (index === this.#starts.length) this.#grow()
    const start = this.end
    this.push(value)
    const hash = this.#hash(start, this.end)
    for (let found = this.#last[hash]!; found !== 0; found = this.#before[found - 1]!) {
      if (!this.#isSame(this.#starts[found - 1]!, start)) continue
      this.end = start
      this.length = index
      return found - 1
    }
    this.#enter(index, start, hash)
    return undefined
  }

  #enter(index: number, start: number, hash: number): void {
    this.#starts[index] = start
    this.#before[index] = this.#last[hash]!
    this.#last[hash] = index + 1
  }

  #grow(): void {
    const starts = this.#starts
    const size = starts.length * 2
    this.#starts = new Uint32Array(size)
    this.#before = new Uint32Array(size)
    this.#last = new Uint32Array(2 * size)
    this.#shift -= 1
    for (let index = 0; index < starts.length; index++) {
      const start = starts[index]!
      this.#enter(index, start, this.#hash(start, start + 4 + this.bytes.readInt32BE(start)))
    }
  }

  /** Of the length, too: without it a text would meet the same one with zeros behind it. */
  #hash(start: number, end: number): number {
    const { bytes } = this
    const factors = multipliersFor(end - start)
    let sum = 0
    for (let at = start; at < end; at++) sum = (sum + Math.imul(factors[at - start]!, bytes[at]!)) | 0
    return sum >>> this.#shift
  }

  /** Compares the lengths first, so it never reads beyond the earlier one. */
  #isSame(earlier: number, start: number): boolean {
    const { bytes, end } = this
    for (let at = start; at < end; at++) if (bytes[earlier + at - start] !== bytes[at]) return false
    return true
  }
}
