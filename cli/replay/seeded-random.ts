/** Random numbers that a seed repeats. */
export interface SeededRandom {
  /** From 0 up to, without, 1. */
  next(): number
  /** A whole number from 0 up to, without, `limit`. */
  below(limit: number): number
  pick<Item>(items: readonly Item[]): Item
}

/** The generator mulberry32: 32 bits of state, good enough to choose moments and groups. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return { next, below, pick: (items) => items[below(items.length)]! }
}
