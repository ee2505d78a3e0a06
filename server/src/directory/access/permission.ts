import { DirectoryError } from '../errors.ts'

/**
 * The permission catalogue. API keys carry permissions as scopes, and a member's level is a set of them: one
 * vocabulary for what may be done.
 */
export const permissions = [
  'organization:read',
  'organization:write',
  'members:read',
  'members:write',
  'groups:read',
  'groups:write',
  'workspaces:read',
  'workspaces:write',
  'projects:read',
  'projects:write',
  'plans:read',
  'plans:write',
  'changes:read',
  'changes:write',
  'api_keys:read',
  'api_keys:write',
] as const

export type Permission = (typeof permissions)[number]

/** A scope is a permission, or all of them. */
export type Scope = Permission | '*'

/** Organization levels, highest first. `member` is what every active member has. */
export const levels = ['owner', 'admin', 'member'] as const
export type Level = (typeof levels)[number]

const levelPermissions: Record<Level, ReadonlySet<Permission>> = {
  owner: new Set(permissions),
  admin: new Set(permissions),
  member: new Set<Permission>([
    'organization:read',
    'members:read',
    'groups:read',
    'workspaces:read',
    'projects:read',
  ]),
}

/** Who asks: the root key, an API key (as its organization or as a member), or the server itself. */
export type Actor =
  | { readonly kind: 'root' }
  | {
      readonly kind: 'api_key'
      readonly id: string
      readonly organizationId: string
      readonly scopes: readonly Scope[]
      readonly memberId: string | null
      /** The member's level; an organization's own key ranks as an owner. */
      readonly level: Level
      /** It came with a short-lived token of the key. */
      readonly withToken?: boolean
    }
  | { readonly kind: 'system' }

/** How an actor is written down: with a key that acts as a member, it is the member. */
export interface RecordedActor {
  readonly kind: 'root' | 'api_key' | 'member' | 'system'
  readonly id: string | null
}

export function recordedActor(actor: Actor): RecordedActor {
  if (actor.kind !== 'api_key') return { kind: actor.kind, id: null }
  return actor.memberId === null ? { kind: 'api_key', id: actor.id } : { kind: 'member', id: actor.memberId }
}

/** Whether the actor holds a permission: its scopes, cut to what its member's level allows. */
export function holdsPermission(actor: Actor, permission: Permission): boolean {
  if (actor.kind !== 'api_key') return true
  const inScope = actor.scopes.includes('*') || actor.scopes.includes(permission)
  return inScope && levelPermissions[actor.level].has(permission)
}

/** @throws {DirectoryError} permission.denied, naming the scope that is missing. */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (holdsPermission(actor, permission)) return
  throw new DirectoryError(
    'permission.denied',
    `This needs the permission ${permission}, which the key does not hold.`,
    {
      context: { permission },
    },
  )
}

/** Whether the actor ranks as an owner: only then may it make, change or remove owners. */
export function ranksAsOwner(actor: Actor): boolean {
  return actor.kind !== 'api_key' || actor.level === 'owner'
}
