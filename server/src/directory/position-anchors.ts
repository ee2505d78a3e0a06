/**
 * Where pages by number start, for lists too long to be skipped through: each page leaves an anchor (a position and the
 * number of the row before it) from which later pages start. The lists grow at their end only; whatever moves a
 * position otherwise raises `moves`, which retires the anchors of the list.
 */
interface Anchors {
  moves: number
  /** Position (rows before) to the number of the last row before it. */
  seqBefore: Map<number, number>
}

/** Lists whose anchors this process keeps, and anchors each: about 100 bytes an anchor. */
const LISTS_MAX = 500
const ANCHORS_MAX = 20_000

export interface Anchor {
  /** Rows before it. */
  readonly position: number
  /** The number of the last row before it. */
  readonly seq: number
}

export class PositionAnchors {
  readonly #lists = new Map<string, Anchors>()

  /** The best place to start from for a position of a list. */
  nearest(list: string, moves: number, position: number): Anchor {
    const { seqBefore } = this.#anchorsOf(list, moves)
    const exact = seqBefore.get(position)
    if (exact !== undefined) return { position, seq: exact }
    let best = 0
    for (const candidate of seqBefore.keys()) if (candidate <= position && candidate > best) best = candidate
    return { position: best, seq: seqBefore.get(best) ?? 0 }
  }

  /** Keeps the two ends of a page that was read. */
  keep(list: string, moves: number, page: { position: number; seqs: readonly number[] }): void {
    const [first] = page.seqs
    const last = page.seqs.at(-1)
    const { seqBefore } = this.#anchorsOf(list, moves)
    if (first === undefined || last === undefined || seqBefore.size >= ANCHORS_MAX) return
    seqBefore.set(page.position, first - 1)
    seqBefore.set(page.position + page.seqs.length, last)
  }

  /** Keeps anchors that were read on purpose. */
  lay(list: string, moves: number, anchors: readonly Anchor[]): void {
    const { seqBefore } = this.#anchorsOf(list, moves)
    for (const { position, seq } of anchors) if (seqBefore.size < ANCHORS_MAX) seqBefore.set(position, seq)
  }

  #anchorsOf(list: string, moves: number): Anchors {
    let anchors = this.#lists.get(list)
    if (anchors === undefined || anchors.moves !== moves) anchors = { moves, seqBefore: new Map([[0, 0]]) }
    this.#lists.delete(list)
    this.#lists.set(list, anchors)
    if (this.#lists.size > LISTS_MAX) this.#lists.delete(this.#lists.keys().next().value!)
    return anchors
  }
}
