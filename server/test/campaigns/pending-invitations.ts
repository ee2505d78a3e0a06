import assert from 'node:assert/strict'
import fc from 'fast-check'
import { acceptInvitation } from '#src/directory/invitations/acceptance.ts'
import {
  createInvitation,
  createInvitations,
  revokeInvitation,
} from '#src/directory/invitations/invitation.ts'
import { resendInvitation } from '#src/directory/invitations/resend.ts'
import { removeMember } from '#src/directory/members/lifecycle.ts'
import { createMember } from '#src/directory/members/member.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { expireInvitation, mailedLongAgo } from '../inviting.ts'
import { assertContainers, type Containers, openContainers } from './containers-world.ts'
import { settleAll } from './settle.ts'
import { change, type World } from './world.ts'

const EMAILS = ['a@x.co', 'b@x.co'] as const
const POLICIES = ['refuse', 'combine', 'replace'] as const

interface Move {
  readonly kind: 'invite' | 'invite both' | 'resend' | 'revoke' | 'accept' | 'make a member' | 'remove'
  readonly email: (typeof EMAILS)[number]
  readonly toWorkspace: boolean
  readonly policy: (typeof POLICIES)[number]
}

/** An address and the target of its invitation, with one that is there before everything begins, or none. */
const before = fc.constantFrom('none', 'pending', 'expired')

interface Known {
  readonly id: string
  readonly token: string
}

const move: fc.Arbitrary<Move> = fc.record({
  // Invitations most of all: they are what comes in twice.
  kind: fc.constantFrom<Move['kind']>(
    ...([
      'invite',
      'invite',
      'invite',
      'invite both',
      'resend',
      'revoke',
      'accept',
      'make a member',
      'remove',
    ] as const),
  ),
  email: fc.constantFrom(...EMAILS),
  toWorkspace: fc.boolean(),
  policy: fc.constantFrom(...POLICIES),
})

const placeOf = ({ email, toWorkspace }: Pick<Move, 'email' | 'toWorkspace'>) => `${email} ${toWorkspace}`

async function invitation(containers: Containers, { email, toWorkspace, policy }: Omit<Move, 'kind'>) {
  const offer = { email, level: 'member', pending: policy } as const
  if (!toWorkspace) return { ...offer, grants: [] }
  return { ...offer, workspaceId: containers.workspaceId, grants: await containers.offer('member') }
}

/** Makes a move ready, so that everything begins at the same time. */
async function ready(
  containers: Containers,
  one: Move,
  known: ReadonlyMap<string, Known>,
): Promise<() => Promise<unknown>> {
  const { world } = containers
  const there = known.get(placeOf(one))
  switch (one.kind) {
    case 'invite': {
      const input = await invitation(containers, one)
      return () => change(world, (context) => createInvitation(context, input))
    }
    case 'invite both': {
      const inputs = await Promise.all(EMAILS.map((email) => invitation(containers, { ...one, email })))
      if (one.email !== EMAILS[0]) inputs.reverse()
      return () => change(world, (context) => createInvitations(context, inputs))
    }
    case 'make a member':
      return () => change(world, (context) => createMember(context, { email: one.email }))
    case 'remove':
      return () => removeWhoHas(world, one.email)
  }
  if (there === undefined) return async () => {}
  if (one.kind === 'accept') return () => acceptInvitation(world.directory, there.token, {})
  return () =>
    change<unknown>(world, (context) =>
      one.kind === 'resend' ? resendInvitation(context, there.id) : revokeInvitation(context, there.id),
    )
}

async function removeWhoHas(world: World, email: string): Promise<void> {
  const found = await world.database.row(sql<{ id: string }>`
    select id from member where organization_id = ${world.organizationId} and email_key = ${email}
      and status <> 'removed'`)
  if (found !== undefined) await change(world, (context) => removeMember(context, found.id))
}

/**
 * Addresses that are invited, reminded, taken back, accepted and removed at the same time: each has one invitation to
 * each target that is pending, at most; and if nobody ends any, exactly one of several.
 */
export function pendingInvitationProperty(database: Database, counted: () => void = () => {}) {
  const moves = (kind: fc.Arbitrary<Move>) => fc.array(kind, { minLength: 3, maxLength: 7, size: 'max' })
  const drawing = fc.oneof(
    { weight: 4, arbitrary: moves(move) },
    { weight: 1, arbitrary: moves(move.map((one) => ({ ...one, kind: 'invite', policy: 'refuse' }))) },
  )
  return fc.asyncProperty(fc.tuple(before, before, before, before), drawing, async (start, drawn) => {
    const containers = await openContainers(database)
    const { world } = containers
    const known = new Map<string, Known>()
    for (const [n, status] of start.entries()) {
      const place = { email: EMAILS[n % 2]!, toWorkspace: n > 1, policy: 'refuse' } as const
      if (status === 'none') continue
      const { id } = await containers.invite(await invitation(containers, place))
      known.set(placeOf(place), { id, token: await containers.token(id) })
      await mailedLongAgo(database, id)
      if (status === 'expired') await expireInvitation(database, id)
    }
    const works: (() => Promise<unknown>)[] = []
    for (const one of drawn) works.push(await ready(containers, one, known))
    const outcomes = await settleAll(works.map((work) => work()))
    await assertContainers(world)
    const isOnlyInviting = drawn.every(({ kind, policy }) => kind === 'invite' && policy === 'refuse')
    if (isOnlyInviting && start.every((status) => status !== 'pending')) {
      const places = new Set(drawn.map(placeOf))
      assert.equal(outcomes.filter((outcome) => outcome === 'done').length, places.size, String(outcomes))
    }
    counted()
  })
}
