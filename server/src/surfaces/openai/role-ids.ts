import type { ReadContext } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { type RoleRow, requirePredefinedRole } from '../../directory/roles/role.ts'
import { text } from '../http/wire-types.ts'
import { afterId } from './lists.ts'
import { decodeOpenaiId, toOpenaiId } from './wire.ts'

/** What a role is spoken of in: the organization, or one project. By their UUIDs. */
export interface RolePlace {
  readonly kind: 'organization' | 'project'
  readonly id: string
}

export const organizationPlace = (context: ReadContext): RolePlace => ({
  kind: 'organization',
  id: context.organizationId,
})

const ID_LENGTH_MAX = 512

/** An id of a role in a body. */
export const roleIdText = text(ID_LENGTH_MAX)

/** What OpenAI calls the predefined roles, by the kind of target and our key. */
const names = {
  organization: { owner: 'owner', admin: 'admin', member: 'reader' },
  project: { admin: 'owner', member: 'member', commenter: 'commenter', viewer: 'viewer', guest: 'guest' },
} as const satisfies Record<RolePlace['kind'], Record<string, string>>

type Named = Pick<RoleRow, 'id' | 'key' | 'resource' | 'name'>

/** The vendor's name of a predefined role; undefined for any other. */
function predefinedName(role: Pick<Named, 'key' | 'resource'>): string | undefined {
  if (role.key === null || role.resource === 'workspace' || role.resource === 'page') return undefined
  return (names[role.resource] as Record<string, string>)[role.key]
}

/** The name a role is shown with. */
export function toRoleName(role: Named): string {
  return predefinedName(role) ?? role.name
}

/** The id of a role in lists: predefined ones are bound to the organization or the project that they are on. */
export function toRoleId(role: Named, place: RolePlace): string {
  const name = predefinedName(role)
  if (name === undefined) return toOpenaiId('role', role.id)
  return `role-api-${place.kind}-${name}__api-${place.kind}__${toOpenaiId(place.kind, place.id)}`
}

/** `role-api-project-owner`, with or without what it is bound to. A name has no underscore, an id may have. */
const PREDEFINED = /^role-api-(organization|project)-([a-z]+)(?:__api-(organization|project)__(\S+))?$/

/** The predefined role that an alias or a full id names at a place; undefined: it is neither, or of another place. */
function predefinedOf(id: string, place: RolePlace): { kind: RolePlace['kind']; key: string } | undefined {
  const match = PREDEFINED.exec(id)
  if (match === null) return undefined
  const [, kind, name, boundKind, bound] = match as unknown as [
    string,
    RolePlace['kind'],
    string,
    ...string[],
  ]
  const key = Object.entries(names[kind]).find(([, theirs]) => theirs === name)?.[0]
  if (key === undefined) return undefined
  if (boundKind === undefined || bound === undefined) return { kind, key }
  const isBoundHere =
    boundKind === kind && kind === place.kind && decodeOpenaiId(place.kind, bound) === place.id
  return isBoundHere ? { kind, key } : undefined
}

/** The UUID of the role that an id of any form names at a place; undefined: it names none. */
async function findRoleId(context: ReadContext, id: string, place: RolePlace): Promise<string | undefined> {
  const predefined = predefinedOf(id, place)
  if (predefined === undefined) return decodeOpenaiId('role', id)
  return (await requirePredefinedRole(context, predefined.kind, predefined.key)).id
}

/** The role that a page of roles comes after; null: the first page. @throws {DirectoryError} request.invalid */
export async function afterRoleId(
  context: ReadContext,
  after: string | undefined,
  place: RolePlace,
): Promise<string | null> {
  const uuid = after === undefined ? undefined : await findRoleId(context, after, place)
  return afterId(after, () => uuid)
}

/**
 * The UUID of the role that an id of any form names at a place: `role_…`, an alias such as `role-api-project-owner`,
 * or an alias with what it is bound to.
 *
 * @param field of a body that has the id; absent: it is of the path
 * @throws {DirectoryError} role.not_found
 */
export async function resolveRoleId(
  context: ReadContext,
  id: string,
  place: RolePlace,
  field?: string,
): Promise<string> {
  const uuid = await findRoleId(context, id, place)
  if (uuid !== undefined) return uuid
  throw new DirectoryError(
    'role.not_found',
    'There is no role with this id.',
    field === undefined ? {} : { field },
  )
}
