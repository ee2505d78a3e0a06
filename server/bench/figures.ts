/** The value below which a share of the measured ones lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Milliseconds that some work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** The result of one comparison. */
export interface Figure {
  readonly name: string
  readonly ours: number
  readonly floor: number
  /** Ours divided by the floor at most; absent: for information. */
  readonly limit?: number
  /** What is aimed at, printed beside the limit. */
  readonly aim?: number
  readonly unit?: string
}

/** Prints a comparison; true if it is within its limit. */
export function report(figure: Figure): boolean {
  const ratio = figure.ours / figure.floor
  const ok = figure.limit === undefined || ratio <= figure.limit
  const unit = figure.unit ?? 'ms'
  const aim = figure.aim === undefined ? '' : `, aim ${figure.aim}`
  const line = [
    ok ? 'ok  ' : 'MISS',
    figure.name.padEnd(48),
    `ours ${figure.ours.toFixed(1)} ${unit}`.padEnd(18),
    `floor ${figure.floor.toFixed(1)} ${unit}`.padEnd(20),
    `ratio ${ratio.toFixed(2)}${figure.limit === undefined ? '' : ` (at most ${figure.limit}${aim})`}`,
  ]
  process.stdout.write(`${line.join(' ')}\n`)
  return ok
}
