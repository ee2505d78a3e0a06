import type { Actor } from '#src/directory/access/permission.ts'
import type { ReadContext } from '#src/directory/context.ts'
import { createGroup } from '#src/directory/groups/group.ts'
import { createMember } from '#src/directory/members/member.ts'
import { createProject } from '#src/directory/projects/project.ts'
import { setProjectRole } from '#src/directory/projects/project-members.ts'
import { assignRole, revokeRolesOn, type Subject } from '#src/directory/roles/assignment.ts'
import { createRole, requirePredefinedRole } from '#src/directory/roles/role.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { change, openWorld } from './campaigns/world.ts'

export type ProjectWorld = Awaited<ReturnType<typeof openProjectWorld>>

export const UNKNOWN_ID = '01990000-0000-7000-8000-00000000abcd'

/** One organization, to put members and groups on its projects. */
export async function openProjectWorld(database: Database) {
  const world = await openWorld(database)
  const { organizationId } = world
  const reading = (actor: Actor = world.root): ReadContext => ({ db: database, organizationId, actor })
  const roleId = async (key: string) => (await requirePredefinedRole(reading(), 'project', key)).id
  let made = 0
  return {
    world,
    reading,
    roleId,
    async project(): Promise<string> {
      const input = { workspaceSlug: null, identifier: null, name: 'P', metadata: {} }
      return (await change(world, (context) => createProject(context, input))).id
    },
    async member(): Promise<Subject> {
      const input = { email: `p${++made}@x.co` }
      return { kind: 'member', id: (await change(world, (context) => createMember(context, input))).id }
    },
    async group(): Promise<Subject> {
      const input = { name: `G${++made}`, externalReferenceId: null, metadata: {} }
      return { kind: 'group', id: (await change(world, (context) => createGroup(context, input))).id }
    },
    /** A role of one project's own. */
    async customRole(projectId: string, permissions: readonly string[] = ['projects:read']): Promise<string> {
      const input = { name: `Custom ${++made}`, description: null, permissions, metadata: {} }
      const of = { kind: 'project', id: projectId } as const
      return (await change(world, (context) => createRole(context, { ...input, resource: 'project', of }))).id
    },
    /** A key of everything that a member may do. */
    keyOf: (subject: Subject): Actor => ({
      ...{ kind: 'api_key', id: UNKNOWN_ID, organizationId, scopes: ['*'], memberId: subject.id },
      level: 'member',
    }),
    /** Assigns a predefined role by its key, or any by its id. */
    async assign(projectId: string, subject: Subject, role: string, expiresAt: string | null = null) {
      const id = role.includes('-') ? role : await roleId(role)
      const assignment = { subject, roleId: id, target: { kind: 'project', id: projectId } } as const
      return await change(world, (context) => assignRole(context, assignment, expiresAt))
    },
    async set(projectId: string, subject: Subject, key: string, actor: Actor = world.root, isOn = false) {
      const id = await roleId(key)
      await change(world, (context) => setProjectRole(context, projectId, subject, id, { isOn }), actor)
    },
    off: (projectId: string, subject: Subject) =>
      change(world, (context) => revokeRolesOn(context, subject, { kind: 'project', id: projectId })),
    /** Makes a grant's end pass, without waiting for it. */
    async expire(grantId: string) {
      await database.run(sql`
        update role_grant set expires_at = now() - interval '1 minute'
        where organization_id = ${organizationId} and id = ${grantId}`)
    },
    /** The names of a subject's live roles on a project. */
    async rolesOf(projectId: string, subject: Subject): Promise<string[]> {
      const rows = await database.rows(sql<{ name: string }>`
        select coalesce(r.key, r.name) as name from role_grant g
        join role r on r.organization_id = g.organization_id and r.id = g.role_id
        where g.project_id = ${projectId} and ${subject.id} in (g.member_id, g.group_id)
          and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
        order by name`)
      return rows.map(({ name }) => name)
    },
    async lastChange() {
      const row = await database.row(sql<{ id: string; kind: string; opened: number; ended: number }>`
        select id, kind, opened_count as opened, ended_count as ended from change
        where organization_id = ${organizationId} order by seq desc limit 1`)
      return row!
    },
  }
}
