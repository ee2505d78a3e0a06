import { catalogue, permissions } from '../../directory/access/permission.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { EVERYTHING } from '../../directory/roles/predefined.ts'

/** Nouns of the catalogue that OpenAI calls otherwise. */
const nouns: Readonly<Record<string, string>> = {
  members: 'users',
  invitations: 'invites',
  changes: 'audit_logs',
  api_keys: 'admin_api_keys',
}

const toOpenai = new Map<string, string>(
  permissions.map((permission) => {
    const [noun = '', action] = permission.split(':')
    return [permission, `api.${nouns[noun] ?? noun}.${action}`]
  }),
)
const fromOpenai = new Map([...toOpenai].map(([own, theirs]) => [theirs, own]))

/** A name that begins with a noun of the catalogue, in Rollcall's own spelling or nearly so. */
const OWN_SPELLING = new RegExp(
  `^(${[...new Set(permissions.map((name) => name.split(':')[0]))].join('|')})[.:/]`,
)

/** What a role gives, in OpenAI's spelling. Names of applications stay as they are. */
export function toPermissionNames(given: readonly string[]): string[] {
  if (given.includes(EVERYTHING)) return [...toOpenai.values()]
  return given.map((name) => toOpenai.get(name) ?? name)
}

/**
 * Permissions as the directory knows them. Names that are not of the catalogue are an application's own.
 *
 * @throws {DirectoryError} request.invalid for a name in Rollcall's own spelling, which means nothing here
 */
export function fromPermissionNames(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const own = fromOpenai.get(name)
    if (own !== undefined) return own
    const noun = OWN_SPELLING.exec(name)?.[1]
    if (noun === undefined) return name
    const meant = Object.hasOwn(catalogue, name)
      ? toOpenai.get(name)
      : `one of ${[...toOpenai].flatMap(([key, theirs]) => (key.startsWith(`${noun}:`) ? [theirs] : [])).join(', ')}`
    throw new DirectoryError('request.invalid', `permissions[${index}] must be ${meant} here.`, {
      field: `permissions[${index}]`,
    })
  })
}
