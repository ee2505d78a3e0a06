import assert from 'node:assert/strict'
import { afterEach, before, describe, test } from 'node:test'
import {
  assertContainers,
  type Containers,
  openContainers,
} from '../../../test/campaigns/containers-world.ts'
import { takers } from '../../../test/campaigns/last-seats.ts'
import { untilWaitingOrOver } from '../../../test/campaigns/pauses.ts'
import { settleAll } from '../../../test/campaigns/settle.ts'
import {
  attackProjectAdmin,
  makeProjectAdmin,
  type ProjectAdmin,
  type Surroundings,
  surroundingsOf,
} from '../../../test/campaigns/sole-admin.ts'
import {
  type Moment,
  moments,
  type Stop,
  type StoppingDatabase,
  stoppingDatabase,
} from '../../../test/campaigns/stopping-database.ts'
import { change } from '../../../test/campaigns/world.ts'
import { freshDatabase } from '../../../test/harness.ts'
import { expireInvitation, mailedLongAgo } from '../../../test/inviting.ts'
import type { DirectoryErrorCode } from '../errors.ts'
import { acceptInvitation } from '../invitations/acceptance.ts'
import { createInvitation, revokeInvitation } from '../invitations/invitation.ts'
import { resendInvitation } from '../invitations/resend.ts'
import { updateWorkspace } from './workspace.ts'

let stopping: StoppingDatabase
let stop: Stop | undefined
before(async () => {
  const { database } = await freshDatabase()
  stopping = stoppingDatabase(database)
})
// What a failed test leaves stopped would keep the process from ending.
afterEach(() => stop?.release())

/** A workspace whose project has two admins, both admins of the workspace as well, and one seat is left. */
interface Scene {
  readonly containers: Containers
  readonly around: Surroundings
  readonly admins: readonly ProjectAdmin[]
  /** An invitation to the workspace, and the token that accepts it. */
  readonly invited: { readonly id: string; readonly token: string }
}

const EMAIL = 'eve@x.co'

async function openScene(isExpired: boolean): Promise<Scene> {
  const containers = await openContainers(stopping.database)
  const around = await surroundingsOf(containers)
  const admins = [
    await makeProjectAdmin(containers, 'assigned', 'admin'),
    await makeProjectAdmin(containers, 'assigned', 'admin'),
  ]
  const { id } = await containers.invite(await offer(containers))
  const token = await containers.token(id)
  await mailedLongAgo(stopping.database, id)
  if (isExpired) await expireInvitation(stopping.database, id)
  return { containers, around, admins, invited: { id, token } }
}

const offer = async (containers: Containers, pending: 'refuse' | 'replace' = 'refuse') => ({
  ...({ email: EMAIL, level: 'member', workspaceId: containers.workspaceId, pending } as const),
  // A guest takes no seat: what is refused here is refused because of the invitation.
  grants: await containers.offer('guest'),
})

/** Makes an operation ready, which begins when it is called; `side`: on which of the two people. */
type Operation = (scene: Scene, side: number) => Promise<() => Promise<unknown>>

const onAdmin =
  (kind: Parameters<typeof attackProjectAdmin>[0]): Operation =>
  async ({ admins, around }, side) =>
  () =>
    attackProjectAdmin(kind, admins[side]!, around)

const TAKES_ADMIN = {
  'removal from the workspace': onAdmin('removal from the workspace'),
  offboarding: onAdmin('removal from the organization'),
  'demotion on the project': onAdmin('demotion on the project'),
  'demotion to a guest': onAdmin('demotion to a guest of the workspace'),
  'undo of what made an admin': onAdmin('undo of what made it one'),
} as const satisfies Record<string, Operation>

const TAKES_SEAT = {
  'acceptance of a seat': ({ containers }) => takers.acceptance(containers),
  'undo of an offboarding': ({ containers }) => takers.restoration(containers),
  'undo of a removal': ({ containers }) => takers['undo of a removal from the workspace'](containers),
} as const satisfies Record<string, Operation>

const inviting =
  (pending: 'refuse' | 'replace'): Operation =>
  async ({ containers }) => {
    const input = await offer(containers, pending)
    return () => change(containers.world, (context) => createInvitation(context, input))
  }

const OF_INVITATION = {
  invitation: inviting('refuse'),
  'invitation in place of another': inviting('replace'),
  resend:
    async ({ containers, invited }) =>
    () =>
      change(containers.world, (context) => resendInvitation(context, invited.id)),
  revocation:
    async ({ containers, invited }) =>
    () =>
      change(containers.world, (context) => revokeInvitation(context, invited.id)),
  'acceptance of it':
    async ({ containers, invited }) =>
    () =>
      acceptInvitation(containers.world.directory, invited.token, {}),
} as const satisfies Record<string, Operation>

const INVITATION_REFUSALS: readonly DirectoryErrorCode[] = [
  ...(['invitation.already_pending', 'invitation.already_member', 'invitation.wrong_status'] as const),
  ...(['invitation.not_found', 'invitation.expired', 'invitation.resent_too_soon'] as const),
]

/** Does the second while the first is stopped at the moment, and answers how both ended. */
async function meet(moment: Moment, first: () => Promise<unknown>, second: () => Promise<unknown>) {
  const { database } = stopping
  stop = stopping.stopNext(moment)
  const one = settleAll([first()])
  await Promise.race([stop.reached, one])
  const other = settleAll([second()])
  await untilWaitingOrOver(database, other)
  stop.release()
  return [(await one)[0]!, (await other)[0]!] as const
}

interface Meeting {
  readonly moment: Moment
  readonly isSamePerson?: boolean
  readonly isExpired?: boolean
}

/** Lets two operations meet in a scene of their own; afterwards every rule holds, and no fault came out. */
async function outcomesOf(first: Operation, second: Operation, { moment, ...more }: Meeting) {
  const scene = await openScene(more.isExpired ?? false)
  const { containers } = scene
  const [one, other] = [await first(scene, 0), await second(scene, more.isSamePerson === true ? 0 : 1)]
  // The two admins have one each, and so has whom they may be merged into.
  await change(containers.world, (context) =>
    updateWorkspace(context, containers.slug, { purchasedSeats: 4 }),
  )
  const outcomes = await meet(moment, one, other)
  await assertContainers(containers.world)
  return outcomes
}

describe('of two operations that meet half-way', () => {
  for (const [name, first] of Object.entries(TAKES_ADMIN)) {
    test(`one leaves the project its last admin when the first is: ${name}`, async () => {
      for (const [otherName, second] of Object.entries(TAKES_ADMIN)) {
        for (const moment of moments) {
          const about = `${name} ${moment}, ${otherName}`
          const outcomes = await outcomesOf(first, second, { moment })
          const [refused, ...more] = outcomes.filter((outcome) => outcome !== 'done')
          assert.ok(refused === 'project.sole_admin' || refused === 'workspace.sole_admin', about)
          assert.deepEqual(more, [], about)
          // Of the same person: what the first has done, the second finds done.
          const same = await outcomesOf(first, second, { moment, isSamePerson: true })
          assert.ok(same.includes('done'), `${about}: ${same}`)
        }
      }
    })
  }

  for (const [name, first] of Object.entries(TAKES_SEAT)) {
    test(`one gets the last seat, and the other is told that there is none, when the first is: ${name}`, async () => {
      for (const [otherName, second] of Object.entries(TAKES_SEAT)) {
        for (const moment of moments) {
          const outcomes = await outcomesOf(first, second, { moment })
          const about = `${name} ${moment}, ${otherName}`
          assert.deepEqual(outcomes.toSorted(), ['done', 'workspace.seats_exhausted'], about)
        }
      }
    })
  }

  for (const [name, first] of Object.entries(OF_INVITATION)) {
    test(`each leaves one pending invitation at most, and is refused by name, when the first is: ${name}`, async () => {
      for (const [otherName, second] of Object.entries(OF_INVITATION)) {
        for (const moment of moments) {
          for (const isExpired of [false, true]) {
            const outcomes = await outcomesOf(first, second, { moment, isExpired })
            const known = outcomes.every(
              (outcome) => outcome === 'done' || INVITATION_REFUSALS.includes(outcome),
            )
            assert.ok(known, `${name} ${moment}, ${otherName}: ${outcomes}`)
          }
        }
      }
    })
  }

  test('neither is in the way of the other where they are about different things', async () => {
    const kinds = [TAKES_ADMIN, TAKES_SEAT, OF_INVITATION] as const
    for (const firsts of kinds) {
      for (const seconds of kinds) {
        if (firsts === seconds) continue
        for (const [name, first] of Object.entries(firsts)) {
          for (const [otherName, second] of Object.entries(seconds)) {
            const outcomes = await outcomesOf(first, second, { moment: 'before its number' })
            // There is an invitation, so another one is refused; nothing else is.
            const expected = [name, otherName].map((one) =>
              one === 'invitation' ? 'invitation.already_pending' : 'done',
            )
            assert.deepEqual(outcomes, expected, `${name}, ${otherName}`)
          }
        }
      }
    }
  })
})
