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
/** The longest takes 45 seconds; what waits for something that never comes is ended and has failed. */
const TEST_MILLIS_MAX = 180_000
const FILE_MILLIS_MAX = 300_000

/** Runs each file in a process of its own and prints one line for it, and every failure in full. */
export async function runTestFiles(title: string, files: readonly string[]): Promise<RunResult> {
  const result = { title, passed: 0, failed: 0, skipped: 0 }
  const left = [...files]
  const runFromLeft = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const { passed, failed, skipped } = await runTestFile(file)
      result.passed += passed
      result.failed += failed
      result.skipped += skipped
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_FILES }, runFromLeft))
  return result
}

/** A run of its own for each file, because its `timeout` is that of a test: it ends no process that stays. */
async function runTestFile(path: string): Promise<Omit<RunResult, 'title'>> {
  const tooLong = AbortSignal.timeout(FILE_MILLIS_MAX)
  const began = performance.now()
  let result = { passed: 0, failed: 0, skipped: 0 }
  for await (const event of run({ files: [path], timeout: TEST_MILLIS_MAX, signal: tooLong })) {
    switch (event.type) {
      case 'test:fail': {
        // A suite or file fails because a test in it failed: that one is reported.
        const { name, file, line, details } = event.data
        const { error } = details
        if ('failureType' in error && error.failureType === 'subtestsFailed') break
        console.log(`FAILED ${relative('.', file ?? path)}:${line ?? ''} ${name}`)
        console.log(indent(inspect(error.cause ?? error)))
        break
      }
      case 'test:stderr':
        process.stderr.write(event.data.message)
        break
      case 'test:summary': {
        const { file, counts } = event.data
        // The run's own, which also counts what the file did not live to tell.
        if (file !== undefined) break
        const skipped = counts.skipped + counts.todo
        result = { passed: counts.passed, failed: counts.tests - counts.passed - skipped, skipped }
        break
      }
    }
  }
  const verdict = result.failed > 0 ? `${result.failed} failed` : 'ok'
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${path}: ${result.passed} passed, ${verdict} (${seconds} s)`)
  if (tooLong.aborted) console.log(`FAILED ${path}: ended after ${FILE_MILLIS_MAX / 1000} s`)
  return result
}

const indent = (text: string) => text.replaceAll(/^/gm, '    ')
