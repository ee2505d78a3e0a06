import { availableParallelism } from 'node:os'
import { relative } from 'node:path'
import { run } from 'node:test'
import { inspect } from 'node:util'

export interface RunResult {
  readonly title: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const PARALLEL_FILES = Math.min(2, availableParallelism())

/** Runs each file in a process of its own and prints one line for it, and every failure in full. */
export async function runTestFiles(title: string, files: readonly string[]): Promise<RunResult> {
  let result: RunResult = { title, passed: 0, failed: 0, skipped: 0 }
  const stream = run({ files: [...files], concurrency: PARALLEL_FILES })
  for await (const event of stream) {
    switch (event.type) {
      case 'test:fail': {
        // A suite or file fails because a test in it failed: that one is reported.
        const { name, file, line, details } = event.data
        const { error } = details
        if ('failureType' in error && error.failureType === 'subtestsFailed') break
        console.log(`FAILED ${relative('.', file ?? '')}:${line ?? ''} ${name}`)
        console.log(indent(inspect(error.cause ?? error)))
        break
      }
      case 'test:stderr':
        process.stderr.write(event.data.message)
        break
      case 'test:summary': {
        const { file, counts, duration_ms: duration } = event.data
        // Cancelled: its file ended, or a hook failed, before it was done.
        const failed = counts.tests - counts.passed - counts.skipped - counts.todo
        const seconds = `${(duration / 1000).toFixed(1)} s`
        if (file === undefined) {
          result = { title, passed: counts.passed, failed, skipped: counts.skipped + counts.todo }
        } else {
          const verdict = failed > 0 ? `${failed} failed` : 'ok'
          console.log(`${relative('.', file)}: ${counts.passed} passed, ${verdict} (${seconds})`)
        }
        break
      }
    }
  }
  return result
}

const indent = (text: string) => text.replaceAll(/^/gm, '    ')
