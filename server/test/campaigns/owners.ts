import type { Actor } from '#src/directory/access/permission.ts'
import { undoChange } from '#src/directory/changes/undo.ts'
import type { Context } from '#src/directory/context.ts'
import {
  leaveOrganization,
  reactivateMember,
  removeMember,
  restoreMember,
  suspendMember,
} from '#src/directory/members/lifecycle.ts'
import { changeMemberLevel, createMember } from '#src/directory/members/member.ts'
import { mergeMembers } from '#src/directory/members/merge.ts'
import { assignRole, revokeAssignment, revokeRole, type Subject } from '#src/directory/roles/assignment.ts'
import { requirePredefinedRole } from '#src/directory/roles/role.ts'
import { ORGANIZATION } from '#src/directory/roles/target.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { change, keyOf, type World } from './world.ts'

const LATER = '2099-01-01T00:00:00Z'

export async function ownerRoleFor(context: Context, subject: Subject) {
  const role = await requirePredefinedRole(context, 'organization', 'owner')
  return { subject, roleId: role.id, target: ORGANIZATION }
}

/** Gives the owner role as any other role is given. */
export const assignOwner = async (context: Context, subject: Subject, expiresAt: string | null = null) =>
  await assignRole(context, await ownerRoleFor(context, subject), expiresAt)

/** An owner, and what made it one. */
export interface Owner {
  readonly id: string
  /** The change that made it an owner, or an active one. */
  readonly made: string
  /** The grant of the owner role. */
  readonly assignment: string
}

const memberNamed = (id: string): Subject => ({ kind: 'member', id })

/** Does something and answers the change that it was. */
const changeOf = (world: World, work: (context: Context) => Promise<unknown>, actor?: Actor) =>
  change(
    world,
    async (context) => {
      await work(context)
      return context.change.id
    },
    actor,
  )

const MAKINGS = {
  level: (world: World, id: string) => changeOf(world, (context) => changeMemberLevel(context, id, 'owner')),
  assigned: (world: World, id: string) => changeOf(world, (context) => assignOwner(context, memberNamed(id))),
  'assigned with a key': (world: World, id: string) =>
    changeOf(world, (context) => assignOwner(context, memberNamed(id)), world.apiKey),
  reactivated: async (world: World, id: string) => {
    await change(world, (context) => changeMemberLevel(context, id, 'owner'))
    await change(world, (context) => suspendMember(context, id))
    return await changeOf(world, (context) => reactivateMember(context, id))
  },
  restored: async (world: World, id: string) => {
    await change(world, (context) => changeMemberLevel(context, id, 'owner'))
    await change(world, (context) => removeMember(context, id))
    return await changeOf(world, (context) => restoreMember(context, id))
  },
} as const
export type Making = keyof typeof MAKINGS
export const makings = Object.keys(MAKINGS) as Making[]

/** Makes somebody new an owner, in a way that can be undone. */
export async function makeOwner(world: World, email: string, making: Making): Promise<Owner> {
  const { id } = await change(world, (context) => createMember(context, { email }))
  const made = await MAKINGS[making](world, id)
  return { ...(await ownerFrom(world, id)), made }
}

/** Who is an owner already, and the change that gave the role. */
export async function ownerFrom({ database, organizationId }: World, memberId: string): Promise<Owner> {
  const row = await database.row(sql<{ assignment: string; made: string }>`
    select g.id as assignment, g.opened_change as made from role_grant g
    join role r on r.organization_id = g.organization_id and r.id = g.role_id and r.key = 'owner'
    where g.organization_id = ${organizationId} and g.member_id = ${memberId} and g.ended_change is null`)
  return { id: memberId, ...row! }
}

/** Every way to take an owner away. `into`: somebody whom it may be merged into. */
const ATTACKS = {
  remove: (owner: Owner) => (context: Context) => removeMember(context, owner.id),
  demote: (owner: Owner) => (context: Context) => changeMemberLevel(context, owner.id, 'admin'),
  suspend: (owner: Owner) => (context: Context) => suspendMember(context, owner.id),
  leave: () => leaveOrganization,
  merge: (owner: Owner, into: string) => (context: Context) => mergeMembers(context, into, owner.id),
  'revoke the assignment': (owner: Owner) => (context: Context) =>
    revokeAssignment(context, owner.assignment),
  'revoke the role': (owner: Owner) => async (context: Context) =>
    await revokeRole(context, await ownerRoleFor(context, memberNamed(owner.id))),
  'assign it again with an end': (owner: Owner) => (context: Context) =>
    assignOwner(context, memberNamed(owner.id), LATER),
  'undo what made it': (owner: Owner) => (context: Context) => undoChange(context, owner.made),
} as const
export type Attack = keyof typeof ATTACKS
export const attacks = Object.keys(ATTACKS) as Attack[]

/** Who leaves is the owner itself; everything else is done by whoever is given. */
export function attackOn(
  world: World,
  kind: Attack,
  { owner, into, actor }: { owner: Owner; into: string; actor: Actor },
): { work: (context: Context) => Promise<unknown>; actor: Actor } {
  return { work: ATTACKS[kind](owner, into), actor: kind === 'leave' ? keyOf(world, owner.id) : actor }
}
