import fc from 'fast-check'
import { CUSTOM_ROLE_COUNT, PERMISSIONS } from './access-world.ts'

/** When a grant ends by itself: not at all, at a moment that comes first, or at one that comes later. */
export type End = 'never' | 'soon' | 'later'

/** Numbers are places in the lists of members, groups, roles, targets and grants that there are by then. */
export type AccessOperation =
  | {
      kind: 'assign'
      subject: number
      toGroup: boolean
      place: number
      role: number
      /** Picked among the roles that can be given there. */
      fits: boolean
      end: End
      byKey: boolean
    }
  | { kind: 'again'; grant: number; end: End; byKey: boolean }
  | { kind: 'revoke' | 'revokeRole' | 'revokeRolesOn'; grant: number }
  | { kind: 'level'; member: number; level: 'owner' | 'admin' | 'member'; byKey: boolean }
  | { kind: 'add'; group: number; member: number; end: End; byKey: boolean }
  | { kind: 'removeFromGroup'; grant: number }
  | { kind: 'sync'; group: number; members: readonly number[] }
  | { kind: 'updateRole'; role: number; permissions: readonly string[] }
  | { kind: 'deleteRole'; role: number }
  | { kind: 'deleteGroup'; group: number }
  | { kind: 'suspend' | 'reactivate' | 'remove' | 'leave' | 'restore'; member: number }
  | { kind: 'merge'; into: number; from: number }
  | { kind: 'undo'; change: number }
  | { kind: 'passTime'; end: 'soon' | 'later' }
  | { kind: 'sweep' }

/** What is asked after an operation: numbers pick members, permissions, targets and moments. */
export interface Questions {
  readonly member: number
  readonly permission: number
  readonly place: number
  readonly moments: readonly { change: number; where: 'at' | 'before' | 'after' | 'between' }[]
  /** Whether what would have to end is ended, in transactions that are rolled back. */
  readonly isEnded: boolean
  readonly wholeGroups: boolean
}

const place = fc.nat(1000)
const byKey = fc.boolean()
const end = fc.constantFrom<End>('never', 'never', 'soon', 'later')
const permissions = fc.subarray([...PERMISSIONS])
const of = <Kind extends string>(kind: Kind) => fc.constant(kind)

/** Operations that give. */
const giving: fc.Arbitrary<AccessOperation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: of('assign'),
      ...{ subject: place, toGroup: fc.boolean(), place, role: place, end, byKey },
      fits: fc.integer({ min: 0, max: 9 }).map((one) => one > 0),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: of('add'), group: place, member: place, end, byKey }) },
)

const operation: fc.Arbitrary<AccessOperation> = fc.oneof(
  { weight: 16, arbitrary: giving },
  { weight: 4, arbitrary: fc.record({ kind: of('again'), grant: place, end, byKey }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('revoke', 'revokeRole'), grant: place }) },
  { weight: 1, arbitrary: fc.record({ kind: of('revokeRolesOn'), grant: place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: of('level'),
      level: fc.constantFrom('owner' as const, 'admin', 'member'),
      ...{ member: place, byKey },
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: of('removeFromGroup'), grant: place }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: of('sync'), group: place, members: fc.array(place, { maxLength: 4 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: of('updateRole'), role: place, permissions }) },
  { weight: 2, arbitrary: fc.record({ kind: of('deleteRole'), role: place }) },
  { weight: 1, arbitrary: fc.record({ kind: of('deleteGroup'), group: place }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(['suspend', 'suspend', 'reactivate', 'remove', 'remove', 'leave', 'restore', 'restore'] as const),
      ),
      member: place,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of('merge'), into: place, from: place }) },
  { weight: 6, arbitrary: fc.record({ kind: of('undo'), change: place }) },
  { weight: 2, arbitrary: fc.record({ kind: of('passTime'), end: fc.constantFrom('soon', 'later') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('sweep') }) },
)

const questions: fc.Arbitrary<Questions> = fc.record({
  ...{ member: place, permission: place, place, wholeGroups: fc.boolean() },
  moments: fc.array(
    fc.record({ change: place, where: fc.constantFrom('at' as const, 'before', 'after', 'between') }),
    { minLength: 2, maxLength: 2 },
  ),
  isEnded: fc.integer({ min: 0, max: 3 }).map((one) => one === 0),
})

/** What one organization begins with, what is done to it, and what is asked after each step. */
export const accessHistory = (length: number) =>
  fc.record({
    start: fc.array(giving, { minLength: 12, maxLength: 12 }),
    given: fc.array(permissions, { minLength: CUSTOM_ROLE_COUNT, maxLength: CUSTOM_ROLE_COUNT }),
    steps: fc.array(fc.record({ operation, questions }), { minLength: 1, maxLength: length, size: 'max' }),
  })
