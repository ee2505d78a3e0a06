import { SqlFragment } from '../../platform/postgres/sql.ts'
import { memberPermissions, type Permission } from '../access/permission.ts'
import type { TargetKind } from './target.ts'

/** Stands for every permission there is, an application's own ones too. */
export const EVERYTHING = '*'

interface PredefinedRole {
  readonly resource: TargetKind
  readonly key: string
  readonly name: string
  readonly gives: typeof EVERYTHING | ReadonlySet<string>
}

const reads = (...names: Permission[]): ReadonlySet<string> => new Set(names)

/**
 * The roles every organization has from its start. What they give is said here and nowhere else, so a permission
 * that comes with a release is theirs at once.
 */
export const predefinedRoles: readonly PredefinedRole[] = [
  { resource: 'organization', key: 'owner', name: 'Owner', gives: EVERYTHING },
  { resource: 'organization', key: 'admin', name: 'Admin', gives: EVERYTHING },
  // Every active member has what this gives, without a grant of it.
  { resource: 'organization', key: 'member', name: 'Member', gives: memberPermissions },
  { resource: 'workspace', key: 'admin', name: 'Admin', gives: EVERYTHING },
  {
    resource: 'workspace',
    key: 'member',
    name: 'Member',
    gives: reads('workspaces:read', 'projects:read', 'members:read', 'roles:read'),
  },
  { resource: 'workspace', key: 'guest', name: 'Guest', gives: reads('workspaces:read') },
  { resource: 'project', key: 'admin', name: 'Admin', gives: EVERYTHING },
  {
    resource: 'project',
    key: 'member',
    name: 'Member',
    gives: reads('projects:read', 'members:read', 'roles:read'),
  },
  { resource: 'project', key: 'viewer', name: 'Viewer', gives: reads('projects:read') },
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
