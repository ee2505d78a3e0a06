import type { Actor } from '#src/directory/access/permission.ts'
import type { ReadContext } from '#src/directory/context.ts'
import { createMember } from '#src/directory/members/member.ts'
import { createProject } from '#src/directory/projects/project.ts'
import { assignRole, type Subject } from '#src/directory/roles/assignment.ts'
import { createRole, requirePredefinedRole } from '#src/directory/roles/role.ts'
import { ORGANIZATION, type Target, type TargetKind } from '#src/directory/roles/target.ts'
import { createTeamspace } from '#src/directory/teamspaces/teamspace.ts'
import { addTeamspaceMembers } from '#src/directory/teamspaces/teamspace-members.ts'
import { linkProjects } from '#src/directory/teamspaces/teamspace-projects.ts'
import { createWorkspace } from '#src/directory/workspaces/workspace.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { change, keyOf, openWorld } from './campaigns/world.ts'

export type TeamspaceWorld = Awaited<ReturnType<typeof openTeamspaceWorld>>

/** One organization with a workspace, to put members into teamspaces of it. */
export async function openTeamspaceWorld(database: Database) {
  const world = await openWorld(database)
  let made = 0
  const slug = `s${world.organizationId}`
  const fields = { name: 'Space', metadata: {}, purchasedSeats: null }
  const { id: workspaceId } = await change(world, (context) => createWorkspace(context, { ...fields, slug }))
  const onWorkspace: Target = { kind: 'workspace', id: workspaceId }
  const reading = (actor: Actor = world.root): ReadContext => ({
    ...{ db: database, organizationId: world.organizationId, actor },
  })
  const roleId = async (resource: TargetKind, key: string) =>
    (await requirePredefinedRole(reading(), resource, key)).id
  const assign = (subject: Subject, id: string, target: Target) =>
    change(world, (context) => assignRole(context, { subject, roleId: id, target }))
  return {
    world,
    workspaceId,
    reading,
    roleId,
    assign,
    /** A role of the organization, for a kind of targets. */
    async customRole(resource: TargetKind, permissions: readonly string[]): Promise<string> {
      const input = { name: `Custom ${++made}`, description: null, permissions, metadata: {}, resource }
      return (await change(world, (context) => createRole(context, { ...input, of: ORGANIZATION }))).id
    },
    /** Somebody of the organization, in no workspace. */
    async outsider(): Promise<string> {
      const input = { email: `m${++made}@x.co` }
      return (await change(world, (context) => createMember(context, input))).id
    },
    /** A member of the workspace. */
    async member(key = 'member'): Promise<string> {
      const id = await this.outsider()
      await assign({ kind: 'member', id }, await roleId('workspace', key), onWorkspace)
      return id
    },
    async members(count: number): Promise<string[]> {
      const ids: string[] = []
      for (let n = 0; n < count; n++) ids.push(await this.member())
      return ids
    },
    async project(): Promise<string> {
      const input = { workspaceSlug: slug, identifier: `P${++made}`, name: 'P', metadata: {} }
      return (await change(world, (context) => createProject(context, input))).id
    },
    async teamspace(leadId: string | null = null): Promise<string> {
      const input = { name: `T${++made}`, leadId, description: {}, logo: {} }
      return (await change(world, (context) => createTeamspace(context, workspaceId, input))).id
    },
    add: (id: string, memberIds: readonly string[], actor?: Actor) =>
      change(world, (context) => addTeamspaceMembers(context, workspaceId, id, memberIds), actor),
    link: (id: string, projectIds: readonly string[], role?: string, actor?: Actor) =>
      change(world, (context) => linkProjects(context, workspaceId, id, projectIds, role), actor),
    /** A key of everything that a member may do. */
    keyOf: (memberId: string, scopes: readonly string[] = ['*']): Actor =>
      keyOf(world, memberId, { level: 'member', scopes }),
  }
}
