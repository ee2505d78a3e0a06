import assert from 'node:assert/strict'
import fc from 'fast-check'
import { undoChange } from '#src/directory/changes/undo.ts'
import type { Context } from '#src/directory/context.ts'
import { acceptInvitation } from '#src/directory/invitations/acceptance.ts'
import {
  leaveOrganization,
  reactivateMember,
  removeMember,
  restoreMember,
  suspendMember,
} from '#src/directory/members/lifecycle.ts'
import { mergeMembers } from '#src/directory/members/merge.ts'
import { setProjectRole } from '#src/directory/projects/project-members.ts'
import { revokeAssignment, revokeRolesOn } from '#src/directory/roles/assignment.ts'
import { leaveWorkspace, removeFromWorkspace } from '#src/directory/workspaces/offboarding.ts'
import { setWorkspaceRole } from '#src/directory/workspaces/workspace-role.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { asMember, assertContainers, type Containers, openContainers } from './containers-world.ts'
import { settleAll } from './settle.ts'
import { change, keyOf } from './world.ts'

/** An admin of the project, and what made it one. */
export interface ProjectAdmin {
  readonly id: string
  /** The change that made it an admin, or an active one. */
  readonly made: string
  /** The grant of its role on the project. */
  readonly assignment: string
}

const MAKINGS = {
  assigned: async (containers: Containers, id: string) =>
    await containers.changeOf(await containers.give(asMember(id), 'project', 'admin')),
  'set as one': async ({ changeOf, roleId, projectId }: Containers, id: string) => {
    const role = await roleId('project', 'admin')
    return await changeOf((context) => setProjectRole(context, projectId, asMember(id), role))
  },
  reactivated: async (containers: Containers, id: string) => {
    await containers.changeOf(await containers.give(asMember(id), 'project', 'admin'))
    await containers.changeOf((context) => suspendMember(context, id))
    return await containers.changeOf((context) => reactivateMember(context, id))
  },
  restored: async (containers: Containers, id: string) => {
    await containers.changeOf(await containers.give(asMember(id), 'project', 'admin'))
    await containers.changeOf((context) => removeMember(context, id))
    return await containers.changeOf((context) => restoreMember(context, id))
  },
} as const
type ProjectAdminMaking = keyof typeof MAKINGS
const makings = Object.keys(MAKINGS) as ProjectAdminMaking[]

/** Somebody new in the workspace, who administers its project by a way that can be undone. */
export async function makeProjectAdmin(
  containers: Containers,
  making: ProjectAdminMaking,
  workspaceRole: string,
): Promise<ProjectAdmin> {
  const { projectId, world } = containers
  const id = await containers.person(workspaceRole)
  const made = await MAKINGS[making](containers, id)
  const row = await world.database.row(sql<{ assignment: string }>`
    select id as assignment from role_grant
    where organization_id = ${world.organizationId} and project_id = ${projectId} and member_id = ${id}
      and ended_change is null`)
  return { id, made, ...row! }
}

/** What an attack needs beside the admin. */
export interface Surroundings {
  readonly containers: Containers
  /** Somebody whom the admin may be merged into. */
  readonly into: string
  readonly roles: { readonly projectMember: string; readonly guest: string }
}

type Attack = (admin: ProjectAdmin, around: Surroundings) => (context: Context) => Promise<unknown>

/** Every way to take a project's admin away: out of the organization, the workspace, the project, or the role. */
const ATTACKS = {
  'removal from the organization':
    ({ id }) =>
    (context) =>
      removeMember(context, id),
  'removal from the workspace':
    ({ id }, { containers }) =>
    (context) =>
      removeFromWorkspace(context, containers.workspaceId, id),
  'leaving the organization': () => leaveOrganization,
  'leaving the workspace':
    (_, { containers }) =>
    (context) =>
      leaveWorkspace(context, containers.workspaceId),
  suspension:
    ({ id }) =>
    (context) =>
      suspendMember(context, id),
  merge:
    ({ id }, { into }) =>
    (context) =>
      mergeMembers(context, into, id),
  'demotion on the project':
    ({ id }, { containers, roles }) =>
    (context) =>
      setProjectRole(context, containers.projectId, asMember(id), roles.projectMember),
  'demotion to a guest of the workspace':
    ({ id }, { containers, roles }) =>
    (context) =>
      setWorkspaceRole(context, containers.workspaceId, id, roles.guest),
  'removal from the project':
    ({ id }, { containers }) =>
    (context) =>
      revokeRolesOn(context, asMember(id), { kind: 'project', id: containers.projectId }),
  'revocation of the assignment':
    ({ assignment }) =>
    (context) =>
      revokeAssignment(context, assignment),
  'undo of what made it one':
    ({ made }) =>
    (context) =>
      undoChange(context, made),
} as const satisfies Record<string, Attack>
type AttackName = keyof typeof ATTACKS
const attacks = Object.keys(ATTACKS) as AttackName[]

export async function surroundingsOf(containers: Containers): Promise<Surroundings> {
  const [projectMember, guest] = [
    await containers.roleId('project', 'member'),
    await containers.roleId('workspace', 'guest'),
  ]
  return { containers, into: await containers.person('member'), roles: { projectMember, guest } }
}

/** Who leaves is the admin itself; everything else is done with the root key. */
export async function attackProjectAdmin(
  kind: AttackName,
  admin: ProjectAdmin,
  around: Surroundings,
): Promise<unknown> {
  const { world } = around.containers
  const actor = kind.startsWith('leaving') ? keyOf(world, admin.id, { level: 'member' }) : world.root
  const attack: Attack = ATTACKS[kind]
  return await change(world, attack(admin, around), actor)
}

/** The admins of a project, every one attacked at the same time in some way: one of them is left. */
export function soleAdminProperty(database: Database, counted: () => void = () => {}) {
  const admin = fc.record({
    making: fc.constantFrom(...makings),
    workspaceRole: fc.constantFrom('admin', 'member'),
    attack: fc.constantFrom(...attacks),
  })
  const more = fc.record({ attack: fc.constantFrom(...attacks), on: fc.nat(3) })
  return fc.asyncProperty(
    fc.constantFrom(...attacks),
    fc.array(admin, { minLength: 1, maxLength: 3, size: 'max' }),
    fc.array(more, { maxLength: 3, size: 'max' }),
    fc.boolean(),
    async (first, drawn, again, isJoined) => {
      const containers = await openContainers(database)
      const around = await surroundingsOf(containers)
      // Somebody has to be there while the others are suspended and come back.
      const admins = [await makeProjectAdmin(containers, 'assigned', 'owner')]
      for (const { making, workspaceRole } of drawn)
        admins.push(await makeProjectAdmin(containers, making, workspaceRole))
      const token = isJoined ? await containers.token((await inviteAdmin(containers)).id) : undefined
      const outcomes = await settleAll([
        attackProjectAdmin(first, admins[0]!, around),
        ...drawn.map(({ attack }, n) => attackProjectAdmin(attack, admins[n + 1]!, around)),
        ...again.map(({ attack, on }) => attackProjectAdmin(attack, admins[on % admins.length]!, around)),
        ...(token === undefined ? [] : [acceptInvitation(containers.world.directory, token, {})]),
      ])
      // Somebody always gets through: a rule that refuses everything would keep every admin, too.
      assert.ok(outcomes.includes('done'), String(outcomes))
      await assertContainers(containers.world)
      counted()
    },
  )
}

/** An invitation whose acceptance makes another admin. */
async function inviteAdmin(containers: Containers) {
  const project = { roleId: await containers.roleId('project', 'admin'), projectId: containers.projectId }
  return await containers.invite({ grants: await containers.offer('member', [project]) })
}
