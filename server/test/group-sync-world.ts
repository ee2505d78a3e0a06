import {
  applyClaims,
  type GroupClaim,
  reapplyClaims,
  type SyncOptions,
  type SyncResult,
} from '#src/directory/group-sync/apply.ts'
import type { GroupSyncFields } from '#src/directory/group-sync/config.sql.ts'
import { updateGroupSyncConfig } from '#src/directory/group-sync/config.ts'
import { createMapping, type MappingPlace, type MappingRow } from '#src/directory/group-sync/mappings.ts'
import { createMember } from '#src/directory/members/member.ts'
import { createProject } from '#src/directory/projects/project.ts'
import { assignRole } from '#src/directory/roles/assignment.ts'
import { createRole, requirePredefinedRole } from '#src/directory/roles/role.ts'
import type { Target } from '#src/directory/roles/target.ts'
import { createWorkspace } from '#src/directory/workspaces/workspace.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { change, openWorld } from './campaigns/world.ts'

export type GroupSyncWorld = Awaited<ReturnType<typeof openGroupSyncWorld>>

let made = 0

/** One workspace of an organization of its own, its group sync switched on, and what tests do with it. */
export async function openGroupSyncWorld(database: Database, purchasedSeats: number | null = null) {
  const world = await openWorld(database, { groups: 0 })
  const { organizationId, root } = world
  const input = { name: 'Space', slug: `gs-${process.pid}-${++made}`, metadata: {}, purchasedSeats }
  const { id: workspaceId, slug } = await change(world, (context) => createWorkspace(context, input))
  const reading = { db: database, actor: root, organizationId }
  const roleId = async (resource: 'workspace' | 'project', key: string) =>
    key.includes('-') ? key : (await requirePredefinedRole(reading, resource, key)).id
  const configure = (update: Partial<GroupSyncFields>) =>
    change(world, (context) => updateGroupSyncConfig(context, workspaceId, update))
  await configure({ isEnabled: true })
  return {
    ...{ world, organizationId, workspaceId, slug, reading, database, roleId, configure },
    async member(): Promise<string> {
      const email = `gs${++made}@x.co`
      return (await change(world, (context) => createMember(context, { email }))).id
    },
    async project(): Promise<string> {
      const identifier = `P${++made}`
      const fields = { workspaceSlug: slug, identifier, name: identifier, metadata: {} }
      return (await change(world, (context) => createProject(context, fields))).id
    },
    /** A custom role for every workspace or project. */
    async customRole(resource: 'workspace' | 'project'): Promise<string> {
      const role = { name: `Custom ${++made}`, description: null, permissions: [], metadata: {}, resource }
      return (
        await change(world, (context) => createRole(context, { ...role, of: { kind: 'organization' } }))
      ).id
    },
    /** Maps a group: in the workspace, on `all` projects, or on one by its id. */
    async map(group: string, role: string, on: string = 'workspace'): Promise<MappingRow> {
      const place: MappingPlace =
        on === 'workspace'
          ? { kind: 'workspace' }
          : on === 'all'
            ? { kind: 'all_projects' }
            : { kind: 'project', projectId: on }
      const id = await roleId(on === 'workspace' ? 'workspace' : 'project', role)
      return await change(world, (context) =>
        createMapping(context, workspaceId, { idpGroupName: group, roleId: id, place }),
      )
    },
    /** Gives a role by hand, on the workspace or on a project. */
    async give(memberId: string, role: string, projectId?: string) {
      const kind = projectId === undefined ? 'workspace' : 'project'
      const target = { kind, id: projectId ?? workspaceId } as Target
      const assignment = {
        subject: { kind: 'member', id: memberId },
        roleId: await roleId(kind, role),
        target,
      } as const
      return await change(world, (context) => assignRole(context, assignment))
    },
    /** Applies claims: members and their groups, null where the claim is missing. */
    async sync(
      claims: readonly (readonly [string, readonly string[] | null])[],
      options: Partial<SyncOptions> = {},
    ): Promise<SyncResult> {
      const list: GroupClaim[] = claims.map(([memberId, groups]) => ({ memberId, groups }))
      return await change(world, (context) =>
        applyClaims(context, workspaceId, list, { origin: 'login', ...options }),
      )
    },
    reapply: (options: Partial<SyncOptions> = {}): Promise<SyncResult> =>
      change(world, (context) => reapplyClaims(context, workspaceId, { origin: 'api', ...options })),
    /** What a member has in the workspace directly: `source place role`, sorted; places are `workspace` or an id. */
    async held(memberId: string): Promise<string[]> {
      const rows = await database.rows(sql<{ held: string }>`
        select s.kind || ' ' || coalesce(g.project_id::text, 'workspace') || ' ' || coalesce(r.key, r.id::text) as held
        from role_grant g
        join grant_source s on s.organization_id = g.organization_id and s.id = g.source_id
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        where g.organization_id = ${organizationId} and g.member_id = ${memberId} and g.ended_change is null
          and (g.workspace_id = ${workspaceId} or g.project_id is not null)
        order by held`)
      return rows.map(({ held }) => held)
    },
    async lastChange() {
      const row = await database.row(sql<{
        id: string
        kind: string
        cause_kind: string | null
        opened: number
        ended: number
        member_id: string | null
        detail: Record<string, unknown>
      }>`
        select id, kind, cause_kind, opened_count as opened, ended_count as ended, member_id, detail from change
        where organization_id = ${organizationId} order by seq desc limit 1`)
      return row!
    },
  }
}
