import fc from 'fast-check'
import type { Expiry } from './directory-model.ts'
import type { Fields } from './member-model.ts'
import type { Row } from './sync-model.ts'

/** Numbers are places in the lists of members, groups and changes that there are by then. */
export type Operation =
  | { kind: 'sync'; group: number; rows: Row[] }
  | { kind: 'rotate'; group: number; start: number; length: number; broken: number }
  | { kind: 'create'; fields: Fields }
  | { kind: 'update'; member: number; fields: Fields }
  | { kind: 'suspend' | 'reactivate' | 'remove' | 'restore'; member: number }
  | { kind: 'merge'; into: number; from: number }
  | { kind: 'add'; group: number; member: number; byKey: boolean; expiry: Expiry }
  | { kind: 'removeFromGroup'; group: number; member: number }
  | { kind: 'deleteGroup'; group: number }
  | { kind: 'undo'; change: number }
  | { kind: 'passTime' }
  | { kind: 'sweep' }

// Few values, so that they meet: an address twice, an address of somebody else, a reference id that comes back.
const REFS = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7']
const EMAILS = ['a@x.co', 'b@x.co', 'c@x.co', 'd@x.co', 'e@x.co', 'f@x.co', 'A@x.co', 'B@x.co', 'owner@x.co']

const place = fc.nat(1000)
const group = fc.nat(2)
const email = fc.constantFrom(...EMAILS)
const name = fc.constantFrom('Ann', 'Bob', 'Ünal')
const attributes = fc.constantFrom({}, { plan_id: 'gold' }, { plan_id: 'tin' }, { phone: '+14155550100' })

/** Stated, null, or absent. */
const stated = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 })

const row: fc.Arbitrary<Row> = fc
  .record(
    {
      ref: fc.constantFrom(...REFS),
      email: stated(email),
      displayName: stated(name),
      firstName: stated(name),
      lastName: stated(name),
      attributes,
      invalid: fc.constantFrom('none', 'none', 'none', 'none', 'none', 'none', 'email', 'attributes'),
    },
    { requiredKeys: ['ref'] },
  )
  .map(({ invalid, ...rest }) =>
    invalid === 'email' || invalid === 'attributes' ? { ...rest, invalid } : rest,
  )

/** The rows of one submission. */
export const payload = fc.uniqueArray(row, { selector: (one) => one.ref, maxLength: REFS.length })
const fields: fc.Arbitrary<Fields> = fc.record(
  {
    email: fc.option(email, { freq: 5 }),
    ref: fc.option(fc.constantFrom(...REFS), { freq: 2 }),
    displayName: fc.option(name),
    attributes,
  },
  { requiredKeys: [] },
)

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('sync' as const), group, rows: payload }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('rotate' as const),
      group,
      start: place,
      length: fc.integer({ min: 1, max: 6 }),
      broken: fc.integer({ min: 0, max: 12 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('create' as const), fields }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('update' as const), member: place, fields }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('suspend' as const, 'reactivate', 'remove', 'remove', 'restore', 'restore'),
      member: place,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('merge' as const), into: place, from: place }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      ...{ group, member: place, byKey: fc.boolean() },
      expiry: fc.constantFrom<Expiry>('never', 'later'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('removeFromGroup' as const), group, member: place }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteGroup' as const), group }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('undo' as const), change: place }) },
  { weight: 1, arbitrary: fc.constant<Operation>({ kind: 'passTime' }) },
  { weight: 1, arbitrary: fc.constant<Operation>({ kind: 'sweep' }) },
)

/** What is done to one organization, from its start. */
export const history = (length: number) =>
  fc.array(operation, { minLength: 1, maxLength: length, size: 'max' })
