import { randomUUID } from 'node:crypto'
import type { Actor } from '#src/directory/access/permission.ts'
import type { Context } from '#src/directory/context.ts'
import { createMember } from '#src/directory/members/member.ts'
import type { OrganizationSettings } from '#src/directory/organizations/settings.ts'
import { createProject } from '#src/directory/projects/project.ts'
import { assignRole, type Subject } from '#src/directory/roles/assignment.ts'
import { createRole } from '#src/directory/roles/role.ts'
import { ORGANIZATION, type Target } from '#src/directory/roles/target.ts'
import { createWorkspace } from '#src/directory/workspaces/workspace.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { change, keyOf, openWorld, type World } from './world.ts'

export type Work = (context: Context) => Promise<unknown>

/** An organization with a group, a workspace, a project in it and one beside it. */
export async function openPlaces(database: Database, settings: OrganizationSettings = {}) {
  const world = await openWorld(database, { settings })
  const slug = `w-${world.organizationId}`
  const workspace = await change(world, (context) =>
    createWorkspace(context, { name: slug, slug, metadata: {}, purchasedSeats: null }),
  )
  const project = (workspaceSlug: string | null) =>
    change(world, (context) =>
      createProject(context, { workspaceSlug, identifier: 'P', name: 'P', metadata: {} }),
    )
  const [inside, beside] = [await project(slug), await project(null)]
  const targets = {
    organization: ORGANIZATION,
    workspace: { kind: 'workspace', id: workspace.id },
    project: { kind: 'project', id: inside.id },
    'another project': { kind: 'project', id: beside.id },
  } as const satisfies Record<string, Target>
  return { world, targets, group: world.state.groups[0]!.id }
}
export type Places = Awaited<ReturnType<typeof openPlaces>>

export const member = (id: string): Subject => ({ kind: 'member', id })
export const group = (id: string): Subject => ({ kind: 'group', id })

export async function newMember(world: World): Promise<string> {
  const externalReferenceId = randomUUID()
  return (await change(world, (context) => createMember(context, { externalReferenceId }))).id
}

/** A role that can be given on every target of a kind. */
export async function newRole(
  world: World,
  { kind }: Target,
  permissions: readonly string[],
): Promise<string> {
  const row = await change(world, (context) =>
    createRole(context, {
      ...{ name: randomUUID(), description: null, permissions, metadata: {} },
      ...{ resource: kind, of: ORGANIZATION },
    }),
  )
  return row.id
}

/** Gives permissions on a target by a role of its own, with the root key. */
export async function give(world: World, subject: Subject, target: Target, permissions: readonly string[]) {
  const roleId = await newRole(world, target, permissions)
  const given = await change(world, (context) => assignRole(context, { subject, roleId, target }))
  return { roleId, assignment: given.id }
}

/** Does something with the root key and answers the change that it was. */
export const changeOf = (world: World, work: Work): Promise<string> =>
  change(world, async (context) => {
    await work(context)
    return context.change.id
  })

/** A key that acts as a new member who holds these on the organization by a custom role. */
export async function memberKey(
  world: World,
  permissions: readonly string[],
  scopes: readonly string[] = ['*'],
): Promise<Actor & { kind: 'api_key'; memberId: string }> {
  const id = await newMember(world)
  await give(world, member(id), ORGANIZATION, permissions)
  return keyOf(world, id, { level: 'member', permissions, scopes })
}

export const organizationKey = ({ apiKey }: World, scopes: readonly string[]): Actor => ({
  ...apiKey,
  scopes,
})
