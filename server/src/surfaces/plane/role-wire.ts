import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import { predefinedRoles } from '../../directory/roles/predefined.ts'
import {
  type RankedRoleRow,
  readWorkspaceRoles,
  type WorkspaceRoleKind,
} from '../../directory/roles/role-page.ts'
import { text } from '../http/wire-types.ts'

const SLUG_LENGTH_MAX = 255

/** What the vendor calls our predefined roles, where it has another name. */
const renamed: Readonly<Record<string, { slug: string; title: string }>> = {
  'project:member': { slug: 'contributor', title: 'Contributor' },
}
/** Slugs that the vendor's roles had once and that its documents still use. */
const aliases: Readonly<Record<string, string>> = { 'project:member': 'contributor' }

/** The numbers that stand for roles, and what each asks for. */
const numbers: Record<WorkspaceRoleKind, Readonly<Record<number, string>>> = {
  workspace: { 20: 'owner', 15: 'member', 5: 'guest' },
  project: { 20: 'admin', 15: 'contributor', 5: 'guest' },
}

/** A role as rows name it. */
export interface NamedRole {
  readonly id: string
  readonly key: string | null
  readonly name: string
}

function slugOfKey(kind: WorkspaceRoleKind, key: string): string {
  return renamed[`${kind}:${key}`]?.slug ?? key
}

/** A role's name as the vendor says it. */
export function roleTitle(kind: WorkspaceRoleKind, role: NamedRole): string {
  return renamed[`${kind}:${role.key}`]?.title ?? role.name
}

const taken = new Set(
  predefinedRoles.map(({ resource, key }) => `${resource}:${slugOfKey(resource as WorkspaceRoleKind, key)}`),
)

/** A role's slug; a custom role has none, so it is made of its name. */
export function roleSlug(kind: WorkspaceRoleKind, role: NamedRole): string {
  if (role.key !== null) return slugOfKey(kind, role.key)
  const words = role.name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const slug = words.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || role.id
  return taken.has(`${kind}:${slug}`) || Object.hasOwn(aliases, `${kind}:${slug}`) ? `custom-${slug}` : slug
}

/** A role's number: there are three, and every other role is shown as the one that gives no more than it. */
export function roleNumber(kind: WorkspaceRoleKind, role: Pick<NamedRole, 'key'>): number {
  if (role.key === null || role.key === 'member') return 15
  return role.key === 'admin' || (kind === 'workspace' && role.key === 'owner') ? 20 : 5
}

/** A role in a body: its number or its slug. */
export const roleName = z.union([z.literal(20), z.literal(15), z.literal(5), text(SLUG_LENGTH_MAX)], {
  error: 'must be 20, 15, 5 or the slug of a role',
})

export type RoleName = z.infer<typeof roleName>

/**
 * The role of a workspace or of its projects that a number or slug stands for.
 *
 * @throws {DirectoryError} request.invalid, naming the field
 */
export async function resolveRole(
  context: ReadContext,
  workspaceId: string,
  kind: WorkspaceRoleKind,
  name: RoleName,
  field = 'role',
): Promise<RankedRoleRow> {
  const slug = typeof name === 'number' ? numbers[kind][name] : (aliases[`${kind}:${name}`] ?? name)
  const roles = await readWorkspaceRoles(context, workspaceId, kind)
  const found = roles.find((role) => roleSlug(kind, role) === slug)
  if (found !== undefined) return found
  throw new DirectoryError('request.invalid', `There is no ${kind} role ${JSON.stringify(name)}.`, { field })
}

/** The ids of the roles with a slug: of custom ones there may be several. */
export async function rolesWithSlug(
  context: ReadContext,
  workspaceId: string,
  kind: WorkspaceRoleKind,
  slug: string,
): Promise<string[]> {
  const roles = await readWorkspaceRoles(context, workspaceId, kind)
  return roles.filter((role) => roleSlug(kind, role) === slug).map(({ id }) => id)
}
