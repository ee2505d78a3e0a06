import { SqlFragment } from '../../platform/postgres/sql.ts'
import { memberPermissions, type Permission } from '../access/permission.ts'
import type { TargetKind } from './target.ts'

/** Stands for every permission there is, an application's own ones too. */
export const EVERYTHING = '*'

interface PredefinedRole {
  readonly resource: TargetKind
  readonly key: string
  readonly name: string
  /** Among the roles of its kind: of several, the highest counts where a dialect knows one only. */
  readonly rank: number
  readonly gives: typeof EVERYTHING | ReadonlySet<string>
}

const reading = (...more: Permission[]): ReadonlySet<string> =>
  new Set<Permission>([...more, 'projects:read', 'members:read', 'roles:read'])

/**
 * The roles every organization has from its start. What they give is said here and nowhere else, so a permission
 * that comes with a release is theirs at once.
 */
export const predefinedRoles: readonly PredefinedRole[] = [
  { resource: 'organization', key: 'owner', name: 'Owner', rank: 20, gives: EVERYTHING },
  { resource: 'organization', key: 'admin', name: 'Admin', rank: 15, gives: EVERYTHING },
  // Every active member has what this gives, without a grant of it.
  { resource: 'organization', key: 'member', name: 'Member', rank: 5, gives: memberPermissions },
  { resource: 'workspace', key: 'owner', name: 'Owner', rank: 20, gives: EVERYTHING },
  { resource: 'workspace', key: 'admin', name: 'Admin', rank: 18, gives: EVERYTHING },
  { resource: 'workspace', key: 'member', name: 'Member', rank: 15, gives: reading('workspaces:read') },
  { resource: 'workspace', key: 'guest', name: 'Guest', rank: 5, gives: new Set(['workspaces:read']) },
  { resource: 'project', key: 'admin', name: 'Admin', rank: 20, gives: EVERYTHING },
  { resource: 'project', key: 'member', name: 'Member', rank: 15, gives: reading() },
  { resource: 'project', key: 'commenter', name: 'Commenter', rank: 10, gives: new Set(['projects:read']) },
  { resource: 'project', key: 'viewer', name: 'Viewer', rank: 7, gives: new Set(['projects:read']) },
  { resource: 'project', key: 'guest', name: 'Guest', rank: 5, gives: new Set(['projects:read']) },
  {
    resource: 'page',
    key: 'editor',
    name: 'Editor',
    rank: 20,
    gives: new Set(['pages:read', 'pages:write']),
  },
  { resource: 'page', key: 'commenter', name: 'Commenter', rank: 10, gives: new Set(['pages:read']) },
  { resource: 'page', key: 'viewer', name: 'Viewer', rank: 5, gives: new Set(['pages:read']) },
]

const byName = new Map(predefinedRoles.map((role) => [`${role.resource}:${role.key}`, role]))

/** What a role gives: its own permissions, or what its key stands for; `['*']` is everything. */
export function permissionsOf(role: {
  readonly resource: string
  readonly key: string | null
  readonly permissions: readonly string[]
}): readonly string[] {
  if (role.key === null) return role.permissions
  const gives = byName.get(`${role.resource}:${role.key}`)?.gives ?? new Set()
  return gives === EVERYTHING ? [EVERYTHING] : [...gives]
}

const literal = (texts: readonly string[]) => `array[${texts.map((text) => `'${text}'`).join(', ')}]`
const everythingRoles = predefinedRoles.filter((role) => role.gives === EVERYTHING)
const everything = literal(everythingRoles.map((role) => `${role.resource}:${role.key}`))
const pairs = literal(
  predefinedRoles.flatMap(({ resource, key, gives }) =>
    gives === EVERYTHING ? [] : [...gives].map((permission) => `${resource}:${key} ${permission}`),
  ),
)

/** SQL: whether the role `r` gives the permission in the column or expression. */
export function roleGives(permission: SqlFragment): SqlFragment {
  const { text } = permission
  return new SqlFragment(`(case when r.key is null then ${text} = any (r.permissions)
    else r.resource || ':' || r.key = any (${everything})
      or r.resource || ':' || r.key || ' ' || ${text} = any (${pairs}) end)`)
}

/** The rank of a role among those of its kind; a custom one ranks as a member. */
export function rankOf(role: { readonly resource: string; readonly key: string | null }): number {
  if (role.key === null) return CUSTOM_RANK
  return byName.get(`${role.resource}:${role.key}`)?.rank ?? 0
}
const CUSTOM_RANK = 15

/** SQL: the rank of the role `r`. */
export const ROLE_RANK = new SqlFragment(`(case when r.key is null then ${CUSTOM_RANK}
      ${predefinedRoles.map(({ resource, key, rank }) => `when r.resource = '${resource}' and r.key = '${key}' then ${rank}`).join(' ')}
      else 0 end)`)
