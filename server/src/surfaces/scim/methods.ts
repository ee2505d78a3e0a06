import { SCIM_PREFIX } from './scope.ts'

/** What can be done where, below a connection. */
const PATHS: readonly (readonly [pattern: RegExp, methods: readonly string[]])[] = [
  [/^\/(Users|Groups)$/, ['GET', 'POST']],
  [/^(\/Users|\/Groups)?\/\.search$/, ['POST']],
  [/^\/(Users|Groups)\/[^/]+$/, ['GET', 'PUT', 'PATCH', 'DELETE']],
  [/^\/Bulk$/, ['POST']],
  [/^\/ServiceProviderConfig$/, ['GET']],
  [/^\/(ResourceTypes|Schemas)(\/[^/]+)?$/, ['GET']],
]

/** The methods of a path that is served with others than the one asked for; undefined: it is not served at all. */
export function methodsOf(path: string): readonly string[] | undefined {
  const below = path
    .slice(SCIM_PREFIX.length)
    .replace(/^\/[^/]*/, '')
    .replace(/\/$/, '')
  return PATHS.find(([pattern]) => pattern.test(below))?.[1]
}

const FLAGGED = new RegExp(`^(${SCIM_PREFIX}/[^/?]+)/?\\?([^/?]*)(/.*)$`)

/**
 * A URL as it was meant: Entra's admins type flags into the base URL (`…?aadOptscim062020`), and some clients append the
 * path to that as it stands.
 */
export function withoutFlags(url: string): string {
  if (!url.startsWith(SCIM_PREFIX)) return url
  const [, base, , path] = FLAGGED.exec(url) ?? []
  return base === undefined || path === undefined ? url : base + path
}
