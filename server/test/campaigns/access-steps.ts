import assert from 'node:assert/strict'
import type { Actor } from '#src/directory/access/permission.ts'
import { undoChange } from '#src/directory/changes/undo.ts'
import type { Context } from '#src/directory/context.ts'
import { deleteGroup } from '#src/directory/groups/group.ts'
import { addGroupMember, removeGroupMember } from '#src/directory/groups/membership.ts'
import {
  leaveOrganization,
  reactivateMember,
  removeMember,
  restoreMember,
  suspendMember,
} from '#src/directory/members/lifecycle.ts'
import { changeMemberLevel } from '#src/directory/members/member.ts'
import { mergeMembers } from '#src/directory/members/merge.ts'
import { assignRole, revokeAssignment, revokeRole, revokeRolesOn } from '#src/directory/roles/assignment.ts'
import { deleteRole, updateRole } from '#src/directory/roles/role.ts'
import { sweep } from '#src/directory/sweep.tasks.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import type { AccessOperation, End } from './access-arbitrary.ts'
import { isHeld, type State } from './access-model.ts'
import * as model from './access-model-operations.ts'
import { isUndoable, isUndoOfStatus, restore, undo } from './access-model-undo.ts'
import { type AccessWorld, targetOf } from './access-world.ts'
import { submit } from './operations.ts'
import { change, keyOf, runNextSync } from './world.ts'

export const ENDS: Record<End, string | null> = {
  never: null,
  soon: '2098-01-01T00:00:00.000000Z',
  later: '2099-01-01T00:00:00.000000Z',
}

/** An operation about certain members, roles and grants: what the rules make of it, and how the database does it. */
export interface Step {
  readonly foretell: (state: State) => unknown
  readonly run: (access: AccessWorld) => Promise<unknown>
}

/** Carries out one operation in the database as one change. */
const carry =
  (work: (context: Context) => Promise<unknown>, actor?: Actor) =>
  async ({ world }: AccessWorld): Promise<unknown> =>
    void (await change(world, work, actor))

const LIFECYCLE = {
  suspend: { rule: model.suspend, work: suspendMember },
  reactivate: { rule: model.reactivate, work: reactivateMember },
  remove: {
    rule: (state: State, id: string) => model.remove(state, id, 'member.removed'),
    work: removeMember,
  },
} as const

const pick = <T>(list: readonly T[], place: number): T => list[place % list.length]!

/** Picks one that the operation is for; now and then any. */
function prefer<T>(list: readonly T[], place: number, isMeant: (one: T) => boolean): T {
  const meant = list.filter(isMeant)
  return pick(meant.length === 0 || place % 8 === 0 ? list : meant, place)
}

const MEANT = {
  suspend: 'active',
  remove: 'active',
  leave: 'active',
  reactivate: 'suspended',
  restore: 'removed',
}

/** Looks up the places an operation names, as things are now. Undefined: there is nothing to do it to. */
export function resolve(
  { state, world }: AccessWorld,
  operation: Exclude<AccessOperation, { kind: 'passTime' }>,
): Step | undefined {
  const members = Object.keys(state.members)
  const member = (place: number) => pick(members, place)
  const group = (place: number) => pick(Object.keys(state.groups), place)
  const by = (byKey: boolean) =>
    byKey
      ? ({ source: 'api', actor: world.apiKey } as const)
      : ({ source: 'manual', actor: world.root } as const)
  const inStatus = (kind: keyof typeof MEANT, place: number) =>
    prefer(members, place, (id) => state.members[id]!.status === MEANT[kind])
  const isChangeable = ({ id, key }: State['roles'][string]) =>
    key === null && state.grants.some((one) => one.of === id && isHeld(one))
  const subjectOf = (id: string) => ({ kind: model.isGroup(state, id) ? 'group' : 'member', id }) as const
  const assigning = (
    one: { subject: string; role: string; place: string },
    { end, byKey }: { end: End; byKey: boolean },
  ): Step => {
    const { source, actor } = by(byKey)
    const assignment = {
      subject: subjectOf(one.subject),
      roleId: one.role,
      target: targetOf(state, one.place),
    }
    return {
      foretell: (next) => model.assign(next, one, { source, expires: ENDS[end] }),
      run: carry((context) => assignRole(context, assignment, ENDS[end]), actor),
    }
  }
  switch (operation.kind) {
    case 'assign': {
      const place = pick(Object.values(state.places), operation.place)
      const fitting = Object.values(state.roles).filter(
        (role) =>
          role.resource === place.kind &&
          (role.home === null || role.home === place.id || role.home === place.workspace),
      )
      const role = pick(operation.fits ? fitting : Object.values(state.roles), operation.role).id
      const subject = operation.toGroup ? group(operation.subject) : member(operation.subject)
      return assigning({ subject, role, place: place.id }, operation)
    }
    case 'again':
    case 'revoke':
    case 'revokeRole':
    case 'revokeRolesOn': {
      const given = state.grants.filter((one) => one.kind === 'role')
      // What has been taken away is given again, too.
      const grant =
        operation.kind === 'again' ? pick(given, operation.grant) : prefer(given, operation.grant, isHeld)
      const { subject, of: role, place } = grant
      const index = state.grants.indexOf(grant)
      const target = targetOf(state, place)
      switch (operation.kind) {
        case 'again':
          return assigning({ subject, role, place }, operation)
        case 'revoke':
          return {
            foretell: (next) => model.revoke(next, next.grants[index]!),
            run: carry((context) => revokeAssignment(context, grant.id!)),
          }
        case 'revokeRole':
          return {
            foretell: (next) => model.revokeAt(next, subject, role, place),
            run: carry((context) =>
              revokeRole(context, { subject: subjectOf(subject), roleId: role, target }),
            ),
          }
        default:
          if (target.kind === 'organization') return undefined
          return {
            foretell: (next) => model.revokeAt(next, subject, null, place),
            run: carry((context) => revokeRolesOn(context, subjectOf(subject), target)),
          }
      }
    }
    case 'level': {
      const { source, actor } = by(operation.byKey)
      const [id, { level }] = [member(operation.member), operation]
      return {
        foretell: (next) => model.setLevel(next, id, level, source),
        run: carry((context) => changeMemberLevel(context, id, level), actor),
      }
    }
    case 'add': {
      const { source, actor } = by(operation.byKey)
      const into = { group: group(operation.group), member: member(operation.member) }
      const expires = ENDS[operation.end]
      return {
        foretell: (next) => model.addToGroup(next, into, { source, expires }),
        run: carry((context) => addGroupMember(context, into.group, into.member, expires), actor),
      }
    }
    case 'removeFromGroup': {
      const ever = state.grants.filter((one) => one.kind === 'membership')
      if (ever.length === 0) return undefined
      const { subject, of: from } = prefer(ever, operation.grant, isHeld)
      return {
        foretell: (next) => model.removeFromGroup(next, from, subject),
        run: carry((context) => removeGroupMember(context, from, subject)),
      }
    }
    case 'sync': {
      const to = group(operation.group)
      const known = members.filter((id) => {
        const { ref, mergedInto } = state.members[id]!
        return ref !== null && mergedInto === null
      })
      const named = known.length === 0 ? [] : [...new Set(operation.members.map((one) => pick(known, one)))]
      const rows = named.map((id) => ({ ref: state.members[id]!.ref! }))
      return {
        foretell: (next) => model.sync(next, to, named),
        run: async () => {
          await submit(world, { kind: 'sync', group: to, rows })
          assert.ok(await runNextSync(world))
        },
      }
    }
    case 'updateRole': {
      const { id } = prefer(Object.values(state.roles), operation.role, isChangeable)
      const { permissions } = operation
      return {
        foretell: (next) => model.updateRole(next, id, permissions),
        run: carry((context) => updateRole(context, id, { permissions })),
      }
    }
    case 'deleteRole': {
      const { id } = prefer(Object.values(state.roles), operation.role, isChangeable)
      return {
        foretell: (next) => model.deleteRole(next, id),
        run: carry((context) => deleteRole(context, id)),
      }
    }
    case 'deleteGroup': {
      const id = group(operation.group)
      return {
        foretell: (next) => model.deleteGroup(next, id),
        run: carry((context) => deleteGroup(context, id)),
      }
    }
    case 'suspend':
    case 'reactivate':
    case 'remove': {
      const { kind, member: place } = operation
      const [id, { rule, work }] = [inStatus(kind, place), LIFECYCLE[kind]]
      return { foretell: (next) => rule(next, id), run: carry((context) => work(context, id)) }
    }
    case 'leave': {
      const id = inStatus('leave', operation.member)
      return {
        foretell: (next) => model.remove(next, id, 'member.left'),
        run: carry(leaveOrganization, keyOf(world, id)),
      }
    }
    case 'restore': {
      const id = inStatus('restore', operation.member)
      return {
        foretell: (next) => void restore(next, id),
        run: carry((context) => restoreMember(context, id)),
      }
    }
    case 'merge': {
      const [into, from] = [member(operation.into), member(operation.from)]
      return {
        foretell: (next) => model.merge(next, into, from),
        run: carry((context) => mergeMembers(context, into, from)),
      }
    }
    case 'undo': {
      // The latest changes are the interesting ones.
      const { seq, id } = prefer(state.changes.slice(-12), operation.change, (one) => isUndoable(state, one))
      if (isUndoOfStatus(state, seq)) return undefined
      return {
        foretell: (next) => undo(next, seq),
        run: async () => {
          const undone = await change(world, (context) => undoChange(context, id))
          return { refused: undone.refused.length }
        },
      }
    }
    case 'sweep':
      return { foretell: model.sweep, run: sweepWorld }
  }
}

/** Sweeps take organizations in turns: until it was this one's. */
async function sweepWorld({ world: { database, directory, organizationId } }: AccessWorld): Promise<void> {
  for (;;) {
    await sweep(directory)
    const row = await database.row(sql<{ left: number }>`
      select (select count(*) from group_membership
          where organization_id = ${organizationId} and expires_at <= now())
        + (select count(*) from role_grant
          where organization_id = ${organizationId} and expires_at <= now() and ended_change is null) as left`)
    if (row!.left === 0) return
  }
}
