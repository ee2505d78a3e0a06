import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A server that runs on a data directory. */
export interface RunningServer {
  readonly pid: number
  /** The live Rollcall that started it; undefined for an orphan whose Rollcall was killed. */
  readonly owner: number | undefined
}

// PostgreSQL accepts any setting with a dot in its name, so the owner stands in the server's own command line.
const OWNER_SETTING = 'rollcall.owner_pid='

/** The setting that makes a server recognizable to `findRunningServer`. */
export const ownerSetting = () => `${OWNER_SETTING}${process.pid}`

/**
 * The server that runs on `pgdata` (a real path), from its lock file and the process table. Undefined as well
 * when the lock file is stale and its process id now belongs to something else.
 */
export async function findRunningServer(pgdata: string): Promise<RunningServer | undefined> {
  const pid = await lockFilePid(pgdata)
  const found = pid === undefined ? undefined : await inspect(pid)
  if (pid === undefined || !found?.command.includes(`-D ${pgdata} `)) return undefined
  const owner = new RegExp(`${OWNER_SETTING}(\\d+)`).exec(found.command)?.[1]
  // An orphan is handed to another parent, so a recycled process id of its old owner does not deceive.
  return { pid, owner: owner !== undefined && Number(owner) === found.parent ? found.parent : undefined }
}

/** The process id in the lock file of a server, whether that one still lives or not. */
export async function lockFilePid(pgdata: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => ''), 10)
  return pid > 0 ? pid : undefined
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function inspect(pid: number): Promise<{ command: string; parent: number } | undefined> {
  try {
    if (process.platform !== 'linux') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=,command=', '-p', String(pid)])
      return { command: stdout, parent: Number.parseInt(stdout, 10) }
    }
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return { command, parent: Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]) }
  } catch {
    return undefined
  }
}
