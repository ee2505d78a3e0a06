import type { ReplayCounts } from './replay.ts'

const BAR_WIDTH = 30
const DRAW_EVERY_MILLIS = 100
const LINE_EVERY_MILLIS = 5_000

/** Shows how far a replay is: a bar on a terminal, else a line now and then. */
export class Progress {
  readonly #stepsTotal: number
  readonly #output: NodeJS.WriteStream
  readonly #began = performance.now()
  #shown = performance.now()

  constructor(stepsTotal: number, output: NodeJS.WriteStream = process.stderr) {
    this.#stepsTotal = stepsTotal
    this.#output = output
  }

  show(counts: Readonly<ReplayCounts>): void {
    const now = performance.now()
    const every = this.#output.isTTY ? DRAW_EVERY_MILLIS : LINE_EVERY_MILLIS
    if (now - this.#shown < every) return
    this.#shown = now
    if (this.#output.isTTY) this.#output.write(`\r${this.#bar(counts)} ${this.#text(counts)}\u001b[K`)
    else this.#output.write(`${this.#text(counts)}\n`)
  }

  /** Takes the bar off the terminal. */
  end(): void {
    if (this.#output.isTTY) this.#output.write('\r\u001b[K')
  }

  #bar({ steps }: Readonly<ReplayCounts>): string {
    const filled = Math.round((steps / this.#stepsTotal) * BAR_WIDTH)
    return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  }

  #text({ steps, syncs }: Readonly<ReplayCounts>): string {
    const seconds = (performance.now() - this.#began) / 1000
    const remaining = (seconds / steps) * (this.#stepsTotal - steps)
    return (
      `step ${steps} of ${this.#stepsTotal}, ${(steps / seconds).toFixed(1)} steps/s, ` +
      `${(syncs / seconds).toFixed(1)} syncs/s, ${duration(remaining)} left`
    )
  }
}

/** `1:05` for 65 seconds. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
