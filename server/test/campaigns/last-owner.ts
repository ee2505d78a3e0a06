import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Context } from '#src/directory/context.ts'
import { DirectoryError } from '#src/directory/errors.ts'
import { deleteGroup } from '#src/directory/groups/group.ts'
import { addGroupMember, removeGroupMember } from '#src/directory/groups/membership.ts'
import { suspendMember } from '#src/directory/members/lifecycle.ts'
import { createMember } from '#src/directory/members/member.ts'
import { revokeRole } from '#src/directory/roles/assignment.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import {
  assignOwner,
  attackOn,
  attacks,
  type Making,
  makeOwner,
  makings,
  type Owner,
  ownerFrom,
  ownerRoleFor,
} from './owners.ts'
import { assertSound } from './snapshot.ts'
import { change, keyOf, openWorld, type World } from './world.ts'

/** What is done meanwhile to a group that gives the owner role: it never counts. */
const GROUP_ATTACKS = {
  delete: (group: string) => (context: Context) => deleteGroup(context, group),
  empty: (group: string, member: string) => (context: Context) => removeGroupMember(context, group, member),
  revoke: (group: string) => async (context: Context) =>
    await revokeRole(context, await ownerRoleFor(context, { kind: 'group', id: group })),
} as const
const groupAttacks = Object.keys(GROUP_ATTACKS) as (keyof typeof GROUP_ATTACKS)[]

interface Started {
  readonly world: World
  readonly owners: readonly Owner[]
  /** An owner through the group only, and whom owners are merged into. */
  readonly other: string
  readonly group: string
}

/** An organization with two to four owners, each made in another way, and somebody who is one through a group. */
async function start(database: Database, made: readonly Making[], isIdle: boolean): Promise<Started> {
  const world = await openWorld(database, { groups: 1 })
  const group = world.state.groups[0]!.id
  const founder = world.state.people[0]!.id
  const owners = [await ownerFrom(world, founder)]
  for (const [n, making] of made.entries()) owners.push(await makeOwner(world, `o${n}@x.co`, making))
  const { id: other } = await change(world, (context) => createMember(context, { email: 'other@x.co' }))
  await change(world, (context) => assignOwner(context, { kind: 'group', id: group }))
  for (const id of [other, founder])
    await change(world, (context) => addGroupMember(context, group, id, null))
  if (isIdle) await change(world, (context) => suspendMember(context, other))
  return { world, owners, other, group }
}

type Kind = (typeof attacks)[number] | (typeof groupAttacks)[number]
const isOfGroup = (kind: Kind): kind is (typeof groupAttacks)[number] => kind in GROUP_ATTACKS

/** Owners, every one attacked at the same time in some way: whatever is refused by name, an owner is left. */
export function lastOwnerProperty(database: Database, counted: () => void = () => {}) {
  /** By whom: a key that acts as one of the owners, or root. */
  const by = fc.nat(5)
  const move = fc.record({ kind: fc.constantFrom<Kind>(...attacks, ...groupAttacks), owner: fc.nat(3), by })
  return fc.asyncProperty(
    fc.array(fc.constantFrom(...makings), { minLength: 1, maxLength: 3, size: 'max' }),
    fc.boolean(),
    fc.array(fc.record({ kind: fc.constantFrom<Kind>(...attacks), by }), { minLength: 4, maxLength: 4 }),
    fc.array(move, { maxLength: 3, size: 'max' }),
    async (made, isIdle, first, more) => {
      counted()
      const { world, owners, other, group } = await start(database, made, isIdle)
      const moves = [...owners.map((_, owner) => ({ ...first[owner]!, owner })), ...more]
      const results = await Promise.allSettled(
        moves.map((one) => {
          const owner = owners[one.owner % owners.length]!
          const actor = one.by < owners.length ? keyOf(world, owners[one.by]!.id) : world.root
          if (isOfGroup(one.kind)) return change(world, GROUP_ATTACKS[one.kind](group, other), actor)
          const attack = attackOn(world, one.kind, { owner, into: other, actor })
          return change(world, attack.work, attack.actor)
        }),
      )
      for (const result of results) {
        if (result.status === 'rejected')
          assert.ok(result.reason instanceof DirectoryError, String(result.reason))
      }
      await assertSound(world)
    },
  )
}
