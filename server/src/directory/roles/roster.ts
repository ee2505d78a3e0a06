import { requirePermissionOn } from '../access/authority.ts'
import type { Permission } from '../access/permission.ts'
import type { ReadContext } from '../context.ts'
import {
  countProjectRoles,
  listRoster,
  type RoleCountRow,
  type RosterFilter,
  type RosterRow,
} from './roster.sql.ts'
import type { Target } from './target.ts'

export type { RoleCountRow, RosterRow } from './roster.sql.ts'

/** Everybody who is active, whoever that is. */
const EVERYBODY: RosterFilter = {
  memberIds: null,
  firstName: null,
  lastName: null,
  displayName: null,
  email: null,
  emailKey: null,
  roleIds: null,
  statuses: ['active'],
}

type Container = Extract<Target, { kind: 'workspace' | 'project' }>

export interface RosterPage {
  readonly rows: RosterRow[]
  /** How many match in all. */
  readonly total: number
}

/**
 * Who is in a workspace or on a project, in the order of their creation, each with the highest role there. In a
 * workspace is who has a role by itself or through a group; on a project, who has one by itself.
 *
 * @param page.limit null: all of them
 * @throws {DirectoryError} permission.denied
 */
export async function pageRoster(
  context: ReadContext,
  target: Container,
  filter: Partial<RosterFilter>,
  page: { offset: number; limit: number | null },
): Promise<RosterPage> {
  const needed: Permission = target.kind === 'workspace' ? 'members:read' : 'roles:read'
  await requirePermissionOn(context, needed, target)
  const rows = await readRoster(context, target, filter, page)
  const [first] = rows
  if (first !== undefined) return { rows, total: first.total }
  if (page.offset === 0) return { rows, total: 0 }
  // Behind the last page there is no row to tell how many there are.
  const [any] = await readRoster(context, target, filter, { offset: 0, limit: 1 })
  return { rows, total: any?.total ?? 0 }
}

/**
 * One of them, active or suspended, or undefined. Asks for no permission.
 *
 * @param options.throughGroups whether roles of groups count, too; absent: as in the page
 */
export async function findOnRoster(
  context: ReadContext,
  target: Container,
  who: { memberId: string } | { emailKey: string },
  options: { throughGroups: boolean } = { throughGroups: target.kind === 'workspace' },
): Promise<RosterRow | undefined> {
  const named = 'emailKey' in who ? who : { memberIds: [who.memberId] }
  const filter: RosterFilter = { ...EVERYBODY, ...named, statuses: ['active', 'suspended'] }
  const place = { targetId: target.id, ...options }
  const { db, organizationId } = context
  const [row] = await listRoster(db, organizationId, place, filter, { offset: 0, limit: 1 })
  return row
}

/** Of some members those who are there, active or suspended. Asks for no permission. */
export async function readNamed(
  context: ReadContext,
  target: Container,
  memberIds: readonly string[],
): Promise<RosterRow[]> {
  const filter = { memberIds, statuses: ['active', 'suspended'] } as const
  return await readRoster(context, target, filter, { offset: 0, limit: null })
}

async function readRoster(
  { db, organizationId }: ReadContext,
  target: Container,
  filter: Partial<RosterFilter>,
  page: { offset: number; limit: number | null },
) {
  const place = { targetId: target.id, throughGroups: target.kind === 'workspace' }
  return await listRoster(db, organizationId, place, { ...EVERYBODY, ...filter }, page)
}

export interface RoleDistribution {
  readonly roles: RoleCountRow[]
  readonly memberships: number
  readonly members: number
}

/** Which roles people have on the projects of a workspace that are not archived. @throws permission.denied */
export async function readProjectRoleDistribution(
  context: ReadContext,
  workspaceId: string,
): Promise<RoleDistribution> {
  await requirePermissionOn(context, 'roles:read', { kind: 'workspace', id: workspaceId })
  const rows = await countProjectRoles(context.db, context.organizationId, workspaceId)
  const totals = rows.find((row) => row.role_id === null)
  return {
    roles: rows.flatMap((row) => (row.role_id === null ? [] : [{ ...row, role_id: row.role_id }])),
    memberships: totals?.memberships ?? 0,
    members: totals?.members ?? 0,
  }
}
