import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Starts a floor of `floors/` as a process of its own, on the database that the server has. */
export async function startFloor(
  name: string,
  connectionString: string,
): Promise<{ url: string; process: ChildProcess }> {
  const file = fileURLToPath(new URL(`./floors/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [file], {
    env: { DATABASE_URL: connectionString },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (line: string) => resolve(line.trim()))
    child.once('exit', (code) => reject(new Error(`the floor ended with ${code}`)))
  })
  return { url, process: child }
}
