import { DirectoryError } from '../errors.ts'
import type { RateLimit } from '../organizations/settings.ts'

/**
 * The permission catalogue: what Rollcall itself asks for. Roles hold permissions, API keys carry them as scopes,
 * and dialects map their own names onto them: one vocabulary for what may be done.
 */
export const catalogue = {
  'organization:read': 'Read the organization',
  'organization:write': 'Rename the organization and change its settings',
  'members:read': 'Read members, what they hold and why',
  'members:write': 'Create, change, suspend, remove, restore and merge members',
  'groups:read': 'Read groups and who is in them',
  'groups:write': 'Create, change and delete groups, and say who is in them',
  'roles:read': 'Read roles and who is assigned them, and check access',
  'roles:write': 'Create, change and delete roles, and assign and revoke them',
  'invitations:read': 'Read invitations',
  'invitations:write': 'Invite people and revoke invitations',
  'workspaces:read': 'Read workspaces',
  'workspaces:write': 'Create and change workspaces',
  'projects:read': 'Read projects',
  'projects:write': 'Create, change and archive projects',
  'teamspaces:read': 'Read teamspaces, who is in them and the projects they are on',
  'teamspaces:write': 'Create, change and delete teamspaces, and say who is in them and on which projects',
  'pages:read': 'Read the pages that are registered',
  'pages:write': 'Register, change and delete pages',
  'group_sync:read': 'Read which roles the groups of an identity provider stand for',
  'group_sync:write': 'Say which roles the groups of an identity provider stand for, and apply them',
  'domains:read': 'Read email domains and whether they are proven',
  'domains:write': 'Add, prove, change and remove email domains, and require single sign-on for them',
  'identity_providers:read': 'Read identity providers, without their secrets',
  'identity_providers:write': 'Create, change and delete identity providers, and their SCIM tokens',
  'integrations:read': 'Read connections to other products, without their secrets',
  'integrations:write': 'Connect and disconnect other products',
  'plans:read': 'Read held plans',
  'plans:write': 'Approve and discard held plans',
  'changes:read': 'Read the change feed, and the past',
  'changes:write': 'Undo changes',
  'api_keys:read': 'Read API keys, without their secrets',
  'api_keys:write': 'Create and revoke API keys',
} as const

export type Permission = keyof typeof catalogue

export const permissions = Object.keys(catalogue) as readonly Permission[]

export const PERMISSION_LENGTH_MAX = 100
const APPLICATION_PERMISSION = /^[a-z][a-z0-9_-]*([.:/][a-z0-9_*-]+)+$/i
const OWN_NOUNS = new Set(permissions.map((name) => name.slice(0, name.indexOf(':'))))

/**
 * Why a text names no permission, as the end of a sentence, or undefined. Beside the catalogue, any name of an
 * application is one (`invoices.approve`, `api.model.request`): Rollcall stores it and answers checks of it. The
 * nouns of the catalogue are Rollcall's own, so that a misspelled `members:wriet` is not taken for one.
 */
export function permissionProblem(name: string): string | undefined {
  if (Object.hasOwn(catalogue, name)) return undefined
  if (name.length > PERMISSION_LENGTH_MAX || !APPLICATION_PERMISSION.test(name)) {
    return `must be a permission of the catalogue, or a name of your application such as invoices.approve, of at most ${PERMISSION_LENGTH_MAX} characters`
  }
  const noun = name.slice(0, name.search(/[.:/]/))
  if (!OWN_NOUNS.has(noun)) return undefined
  return `must be one of ${permissions.filter((own) => own.startsWith(`${noun}:`)).join(', ')}`
}

/** A scope is a permission, or all of them. */
export type Scope = string

/** Organization levels, highest first. `member` is what every active member has. */
export const levels = ['owner', 'admin', 'member'] as const
export type Level = (typeof levels)[number]

/** What every active member may do in its organization. */
export const memberPermissions: ReadonlySet<string> = new Set<Permission>([
  'organization:read',
  'members:read',
  'groups:read',
  'roles:read',
  'workspaces:read',
  'projects:read',
  'teamspaces:read',
  'domains:read',
  'integrations:read',
])

/** Who asks: the root key, an API key (as its organization or as a member), or the server itself. */
export type Actor =
  | { readonly kind: 'root' }
  | {
      readonly kind: 'api_key'
      readonly id: string
      readonly organizationId: string
      /** The organization's slug when the key was looked up. */
      readonly organizationSlug?: string
      readonly scopes: readonly Scope[]
      readonly memberId: string | null
      /** The member's level; an organization's own key ranks as an owner. */
      readonly level: Level
      /** What the member's other roles on the organization give, beside its level. */
      readonly permissions?: readonly string[]
      /** It came with a short-lived token of the key. */
      readonly withToken?: boolean
      /** How often the key may ask; absent: as often as it likes. */
      readonly rateLimit?: RateLimit
    }
  | { readonly kind: 'system' }
  /** The SCIM client of an identity provider: it provisions, and holds no permission. */
  | { readonly kind: 'scim_connection'; readonly id: string }

/** How an actor is written down: with a key that acts as a member, it is the member. */
export interface RecordedActor {
  readonly kind: 'root' | 'api_key' | 'member' | 'system' | 'scim_connection'
  readonly id: string | null
}

export function recordedActor(actor: Actor): RecordedActor {
  if (actor.kind === 'scim_connection') return { kind: actor.kind, id: actor.id }
  if (actor.kind !== 'api_key') return { kind: actor.kind, id: null }
  return actor.memberId === null ? { kind: 'api_key', id: actor.id } : { kind: 'member', id: actor.memberId }
}

/** Whether the actor's scopes let it use a permission at all, wherever it may come from. */
export function isInScope(actor: Actor, permission: string): boolean {
  if (actor.kind === 'scim_connection') return false
  return actor.kind !== 'api_key' || actor.scopes.includes('*') || actor.scopes.includes(permission)
}

/** Whether the actor holds a permission in its whole organization: its scopes, cut to what its member's roles give. */
export function holdsPermission(actor: Actor, permission: string): boolean {
  if (actor.kind === 'scim_connection') return false
  if (actor.kind !== 'api_key') return true
  if (!isInScope(actor, permission)) return false
  // An organization's own key and the two levels above `member` hold whatever there is.
  if (actor.memberId === null || actor.level !== 'member') return true
  return memberPermissions.has(permission) || (actor.permissions?.includes(permission) ?? false)
}

/** @throws {DirectoryError} permission.denied, naming the scope that is missing. */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (!holdsPermission(actor, permission)) throw permissionDenied(permission)
}

export function permissionDenied(permission: Permission): DirectoryError {
  return new DirectoryError(
    'permission.denied',
    `This needs the permission ${permission}, which the key does not hold.`,
    { context: { permission } },
  )
}

/** The rank of an actor: the root key, the server and an organization's own keys rank as owners. */
export function levelOf(actor: Actor): Level {
  if (actor.kind === 'scim_connection') return 'member'
  return actor.kind === 'api_key' ? actor.level : 'owner'
}

/** Whether the actor ranks as an owner: only then may it make, change or remove owners. */
export function ranksAsOwner(actor: Actor): boolean {
  return levelOf(actor) === 'owner'
}

/** The levels above a level: whoever holds one of them is changed only by who ranks as high. */
export function levelsAbove(level: Level): readonly Level[] {
  return levels.slice(0, levels.indexOf(level))
}
