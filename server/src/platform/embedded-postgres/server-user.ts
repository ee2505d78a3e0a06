import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { StartupError } from '#src/config.ts'

export interface UserId {
  readonly uid: number
  readonly gid: number
}

/**
 * How the programs of PostgreSQL are started. The server refuses to run as root, must end when Rollcall is
 * killed, and must be alone on its data directory. Each is done by a small program that replaces itself with
 * the next (exec), so the process id that Node sees is the server's own.
 */
export interface ServerUser {
  /** Set when root hands over to another user: what is below the data directory then belongs to it. */
  readonly handOver: UserId | undefined
  /** The whole command for `argv`; with `lockFile` it ends with LOCKED_EXIT_CODE while another holds the lock. */
  command(argv: readonly string[], lockFile?: string): readonly [program: string, argv: string[]]
  /** Whether `lockFile` has an effect. */
  readonly canLock: boolean
  /** Whether the user may run `path`, or pass through it when it is a directory. */
  canReach(path: string): Promise<boolean>
}

export const LOCKED_EXIT_CODE = 73

/** The whole environment of the server's programs: what the caller has set (PG*, LC_*) must not reach them. */
export const SERVER_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

// A user namespace in which root is nobody: the files stay root's, below /root too.
const IN_NAMESPACE = ['unshare', '-U', '--map-user=65534', '--map-group=65534']
// INT asks PostgreSQL for a fast shutdown. Without it a kill -9 of Rollcall leaves an orphan server behind.
const END_WITH_PARENT = ['setpriv', '--pdeathsig', 'INT']
// Also holds between containers that share the directory, where the process id in postmaster.pid means nothing.
const UNDER_LOCK = ['flock', '--no-fork', '--nonblock', '--conflict-exit-code', String(LOCKED_EXIT_CODE)]

/** `owner` is who owns an existing cluster: root goes on the way it was made. */
export async function chooseServerUser(owner: UserId | undefined): Promise<ServerUser> {
  const isRoot = process.geteuid?.() === 0
  const ownedByRoot = owner === undefined || owner.uid === 0
  const inNamespace = isRoot && ownedByRoot && (await exitCode([...IN_NAMESPACE, 'true'])) === 0
  const handOver = isRoot && !inNamespace ? (ownedByRoot ? await unprivilegedUser() : owner) : undefined
  const canEndWithParent = (await exitCode([...END_WITH_PARENT, 'true'])) === 0
  const lockProbe = await exitCode([...UNDER_LOCK, '/dev/null', 'true'])
  const canLock = lockProbe === 0 || lockProbe === LOCKED_EXIT_CODE
  return {
    handOver,
    canLock,
    command(argv, lockFile) {
      const [program, ...rest] = [
        ...(inNamespace ? IN_NAMESPACE : []),
        ...(canLock && lockFile !== undefined ? [...UNDER_LOCK, lockFile] : []),
        ...(canEndWithParent ? END_WITH_PARENT : []),
        ...argv,
      ] as [string, ...string[]]
      return [program, rest]
    },
    async canReach(path) {
      if (handOver === undefined) return true
      return (await exitCode(['test', '-x', path], handOver)) === 0
    },
  }
}

/** The user that root hands over to where user namespaces are forbidden (seccomp in containers). */
async function unprivilegedUser(): Promise<UserId> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new StartupError(
    'The embedded PostgreSQL cannot run as root here: start Rollcall as another user, or set DATABASE_URL.',
  )
}

/** Undefined when the program does not exist. */
function exitCode([program, ...rest]: string[], user?: UserId): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program ?? '', rest, { stdio: 'ignore', env: SERVER_ENVIRONMENT, ...user })
    child.once('error', () => resolve(undefined))
    child.once('exit', (code) => resolve(code ?? undefined))
  })
}
