import assert from 'node:assert/strict'
import fc from 'fast-check'
import { undoChange } from '#src/directory/changes/undo.ts'
import type { Context } from '#src/directory/context.ts'
import { createGroup } from '#src/directory/groups/group.ts'
import { addGroupMember } from '#src/directory/groups/membership.ts'
import { acceptInvitation } from '#src/directory/invitations/acceptance.ts'
import {
  reactivateMember,
  removeMember,
  restoreMember,
  suspendMember,
} from '#src/directory/members/lifecycle.ts'
import { removeFromWorkspace } from '#src/directory/workspaces/offboarding.ts'
import { updateWorkspace } from '#src/directory/workspaces/workspace.ts'
import { setWorkspaceRole } from '#src/directory/workspaces/workspace-role.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { asMember, assertContainers, type Containers, openContainers } from './containers-world.ts'
import { settleAll } from './settle.ts'
import { change } from './world.ts'

type Door = (containers: Containers) => Promise<() => Promise<unknown>>

const later =
  ({ world }: Containers, work: (context: Context) => Promise<unknown>) =>
  () =>
    change(world, work)

/** A group whose members have a seat. */
async function seatedGroup(containers: Containers): Promise<string> {
  const { world } = containers
  const fields = { name: 'Group', externalReferenceId: null, metadata: {} }
  const { id } = await change(world, (context) => createGroup(context, fields))
  await change(world, await containers.give({ kind: 'group', id }, 'workspace', 'member'))
  return id
}

/** Every door through which one more person takes a seat; made ready without taking one. */
const DOORS = {
  acceptance: async (containers) => {
    const { id } = await containers.invite({ grants: await containers.offer('member') })
    const token = await containers.token(id)
    return () => acceptInvitation(containers.world.directory, token, {})
  },
  assignment: async (containers) => {
    const id = await containers.person()
    return later(containers, await containers.give(asMember(id), 'workspace', 'member'))
  },
  promotion: async (containers) => {
    const [id, role] = [await containers.person('guest'), await containers.roleId('workspace', 'member')]
    return later(containers, (context) => setWorkspaceRole(context, containers.workspaceId, id, role))
  },
  reactivation: async (containers) => {
    const id = await containers.person()
    await change(containers.world, (context) => suspendMember(context, id))
    await change(containers.world, await containers.give(asMember(id), 'workspace', 'member'))
    return later(containers, (context) => reactivateMember(context, id))
  },
  group: async (containers) => {
    const [group, id] = [await seatedGroup(containers), await containers.person()]
    return later(containers, (context) => addGroupMember(context, group, id, null))
  },
} as const satisfies Record<string, Door>

/** The doors by which somebody comes back who had a seat; made ready, they leave one free that was taken. */
const WAYS_BACK = {
  restoration: async (containers) => {
    const id = await containers.person('member')
    await change(containers.world, (context) => removeMember(context, id))
    return later(containers, (context) => restoreMember(context, id))
  },
  'undo of a removal from the workspace': async (containers) => {
    const id = await containers.person('member')
    const removal = await containers.changeOf((context) =>
      removeFromWorkspace(context, containers.workspaceId, id),
    )
    return later(containers, (context) => undoChange(context, removal))
  },
} as const satisfies Record<string, Door>

/** What is done to seats meanwhile. Each begins with a person who has one. */
const MEANWHILE = {
  'removal with the seat': async (containers) => {
    const id = await containers.person('member')
    return later(containers, (context) =>
      removeFromWorkspace(context, containers.workspaceId, id, { removeSeat: true }),
    )
  },
  removal: async (containers) => {
    const id = await containers.person('member')
    return later(containers, (context) => removeMember(context, id))
  },
  'fewer seats': async (containers) => {
    await containers.person('member')
    return later(containers, (context) => updateWorkspace(context, containers.slug, { purchasedSeats: 1 }))
  },
} as const satisfies Record<string, Door>

/** Every one of them, by its name. */
export const takers = { ...DOORS, ...WAYS_BACK } satisfies Record<string, Door>
const takerNames = Object.keys(takers) as (keyof typeof takers)[]

/**
 * More people than there are seats come through every door at once: as many get in as there are seats, the others are
 * told that there are none; and whatever is done to the seats meanwhile, none is used that is not bought.
 */
export function lastSeatsProperty(database: Database, counted: () => void = () => {}) {
  return fc.asyncProperty(
    fc.array(fc.constantFrom(...takerNames), { minLength: 2, maxLength: 5, size: 'max' }),
    fc.array(fc.constantFrom(...(Object.keys(MEANWHILE) as (keyof typeof MEANWHILE)[])), { maxLength: 2 }),
    fc.integer({ min: 0, max: 3 }),
    async (doors, meanwhile, free) => {
      const containers = await openContainers(database)
      const takes: (() => Promise<unknown>)[] = []
      for (const door of doors) takes.push(await takers[door](containers))
      const others: (() => Promise<unknown>)[] = []
      for (const other of meanwhile) others.push(await MEANWHILE[other](containers))
      const purchasedSeats = meanwhile.length + free
      const limit = (context: Context) => updateWorkspace(context, containers.slug, { purchasedSeats })
      await change(containers.world, limit)

      const outcomes = await settleAll([...takes, ...others].map((work) => work()))
      const entries = outcomes.slice(0, takes.length)
      for (const outcome of entries) {
        assert.ok(outcome === 'done' || outcome === 'workspace.seats_exhausted', outcome)
      }
      const entered = entries.filter((outcome) => outcome === 'done').length
      if (meanwhile.length === 0) assert.equal(entered, Math.min(free, takes.length), String(outcomes))
      await assertContainers(containers.world)
      counted()
    },
  )
}
