import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DirectoryError } from '#src/directory/errors.ts'
import { leaveOrganization, removeMember, suspendMember } from '#src/directory/members/lifecycle.ts'
import { changeMemberLevel, createMember } from '#src/directory/members/member.ts'
import { mergeMembers } from '#src/directory/members/merge.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { assertSound } from './snapshot.ts'
import { change, keyOf, openWorld, type World } from './world.ts'

const attacks = ['remove', 'demote', 'suspend', 'leave', 'merge'] as const
type Attack = (typeof attacks)[number]

async function attack(world: World, kind: Attack, owner: string, other: string): Promise<unknown> {
  switch (kind) {
    case 'remove':
      return await change(world, (context) => removeMember(context, owner))
    case 'demote':
      return await change(world, (context) => changeMemberLevel(context, owner, 'admin'))
    case 'suspend':
      return await change(world, (context) => suspendMember(context, owner))
    case 'leave':
      return await change(world, leaveOrganization, keyOf(world, owner))
    case 'merge':
      return await change(world, (context) => mergeMembers(context, other, owner))
  }
}

/** Up to three owners, each attacked at the same time: whatever is refused by name, an owner is left. */
export function lastOwnerProperty(database: Database, counted: () => void = () => {}) {
  const attacked = fc.array(fc.record({ kind: fc.constantFrom(...attacks), owner: fc.nat(2) }), {
    minLength: 3,
    maxLength: 6,
    size: 'max',
  })
  return fc.asyncProperty(
    fc.integer({ min: 0, max: 2 }),
    fc.boolean(),
    attacked,
    async (more, idle, moves) => {
      counted()
      const world = await openWorld(database, { groups: 0 })
      const owners = [world.state.people[0]!.id]
      for (let n = 0; n < more; n++) {
        const owner = { email: `o${n}@x.co`, level: 'owner' as const }
        owners.push((await change(world, (context) => createMember(context, owner))).id)
      }
      const other = await change(world, (context) => createMember(context, { email: 'other@x.co' }))
      if (idle) await change(world, (context) => suspendMember(context, other.id))
      const results = await Promise.allSettled(
        moves.map(({ kind, owner }) => attack(world, kind, owners[owner % owners.length]!, other.id)),
      )
      for (const result of results) {
        if (result.status === 'rejected')
          assert.ok(result.reason instanceof DirectoryError, String(result.reason))
      }
      await assertSound(world)
    },
  )
}
