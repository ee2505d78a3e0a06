import assert from 'node:assert/strict'
import { checkAccess, checkAccessBatch } from '#src/directory/access/check.ts'
import { explainAccess } from '#src/directory/access/member-access.ts'
import {
  type Asked,
  askedAt,
  type Check,
  decide,
  endingOf,
  grantsAt,
  rolesAt,
  sinceOf,
  statusAt,
  untilOf,
} from './access-answers.ts'
import type { Questions } from './access-arbitrary.ts'
import { byText, changeOf, comparable, comparableRole, explained, placeOf, wayOf } from './access-compared.ts'
import { endingTakesAway } from './access-ending.ts'
import { NOW } from './access-model.ts'
import { type AccessWorld, PERMISSIONS, targetOf } from './access-world.ts'

const BATCH = 100

export interface Counts {
  questions: number
  /** Checks of which what would have to end was ended. */
  endings: number
}

/** Asks about now and about the past, and compares every answer with what the rules say. */
export async function askAccess(access: AccessWorld, questions: Questions, counts: Counts): Promise<void> {
  const now = askedAt(access.state, access.moments, NOW)
  const check = pickCheck(access, questions)
  const past = questions.moments.map((one) => askedAt(access.state, access.moments, momentToAsk(access, one)))
  const asking = [askBatch(access, now, check)]
  for (const asked of [now, ...past]) {
    for (const one of [check, pickTelling(access, asked, check, false) ?? check]) {
      asking.push(askOne(access, asked, one), askAll(access, asked, one.member))
    }
  }
  await Promise.all(asking)
  counts.questions += asking.length - 1 + BATCH
  const allowed = questions.isEnded ? pickTelling(access, now, check, true) : undefined
  if (allowed === undefined) return
  await endingTakesAway(
    access.world,
    { ...allowed, target: targetOf(access.state, allowed.place) },
    questions,
  )
  counts.endings++
}

function pickCheck({ state }: AccessWorld, { member, permission, place }: Questions): Check {
  const pick = (list: readonly string[], number: number) => list[number % list.length]!
  return {
    member: pick(Object.keys(state.members), member),
    permission: pick(PERMISSIONS, permission),
    place: pick(Object.keys(state.places), place),
  }
}

/** So many checks, from one on. */
function checksFrom({ state }: AccessWorld, first: Check): Check[] {
  const turned = <T>(list: readonly T[], from: T) => {
    const place = list.indexOf(from)
    return [...list.slice(place), ...list.slice(0, place)]
  }
  const places = turned(Object.keys(state.places), first.place)
  const members = turned(Object.keys(state.members), first.member)
  const checks = turned<string>(PERMISSIONS, first.permission).flatMap((permission) =>
    places.flatMap((place) => members.map((member) => ({ member, permission, place }))),
  )
  return checks.slice(0, BATCH)
}

/** Of some checks the one that comes in the most ways. Undefined: none comes by a role. */
function pickTelling(access: AccessWorld, asked: Asked, first: Check, isAllowed: boolean): Check | undefined {
  let telling: { check: Check; ways: number } | undefined
  for (const check of checksFrom(access, first)) {
    const { allowed, ways } = decide(asked, check)
    if (ways.length <= (telling?.ways ?? 0) || (isAllowed && !allowed)) continue
    telling = { check, ways: ways.length }
  }
  return telling?.check
}

const reading = ({ world }: AccessWorld) => ({
  db: world.database,
  actor: world.root,
  organizationId: world.organizationId,
})

async function askBatch(access: AccessWorld, asked: Asked, first: Check): Promise<void> {
  const checks = checksFrom(access, first)
  const answers = await checkAccessBatch(
    reading(access),
    checks.map(({ member, permission, place }) => ({
      ...{ memberId: member, permission },
      target: targetOf(access.state, place),
    })),
  )
  assert.deepEqual(
    answers.map(({ allowed }, index) => ({ ...checks[index]!, allowed })),
    checks.map((check) => ({ ...check, allowed: decide(asked, check).allowed })),
  )
}

const asOf = ({ at }: Asked) => (at === NOW ? null : at)

async function askOne(access: AccessWorld, asked: Asked, check: Check): Promise<void> {
  const { member, permission, place } = check
  const question = { memberId: member, permission, target: targetOf(access.state, place) }
  const answer = await checkAccess(reading(access), question, asOf(asked))
  const { allowed, status, ways, lostByEnding } = decide(asked, check)
  assert.deepEqual(
    comparable(answer),
    { allowed, status, ways: ways.map((way) => wayOf(asked, way)).sort(byText), lostByEnding },
    `${JSON.stringify(check)} at ${asked.at}`,
  )
}

/** Everything a member holds: its own grants, and the roles it has by them with every way they come. */
async function askAll(access: AccessWorld, asked: Asked, member: string): Promise<void> {
  const answer = await explainAccess(reading(access), member, asOf(asked))
  const grants = answer.grants.map((row) => ({
    ...{
      kind: row.grant_kind,
      of: row.group_id ?? row.role_id,
      source: row.source_kind,
      id: row.role_grant_id,
    },
    place: row.grant_kind === 'role' ? placeOf(row) : '',
    ...{ change: row.opened_change, since: row.since, until: row.until, expires: row.expires_at },
  }))
  const expected = grantsAt(asked, member).map((grant) => ({
    kind: grant.kind === 'role' ? 'role' : 'group_membership',
    ...{
      of: grant.of,
      source: grant.source,
      id: grant.id,
      place: grant.place,
      change: changeOf(asked, grant),
    },
    ...{ since: sinceOf(asked, grant), until: untilOf(asked, grant), expires: grant.expires },
  }))
  const roles = rolesAt(asked, member).map(({ ways, ...held }) => ({
    ...held,
    ways: ways.map((way) => explained(asked, way)).sort(byText),
    lostByEnding: endingOf(ways),
  }))
  assert.deepEqual(
    {
      status: answer.status,
      grants: grants.sort(byText),
      roles: answer.roles.map(comparableRole).sort(byText),
    },
    { status: statusAt(asked, member), grants: expected.sort(byText), roles: roles.sort(byText) },
    `everything of ${member} at ${asked.at}`,
  )
}

/** A moment of the past: of a change or of the passing of ends, just before or after it, or on the way to the next. */
function momentToAsk(
  { moments, passed }: AccessWorld,
  { change, where }: Questions['moments'][number],
): string {
  const all = [...moments.map(({ at }) => at), ...passed].sort()
  // The latest are the interesting ones.
  const place = all.length - 1 - (change % Math.min(all.length, 3 + (change % all.length)))
  const [at, next] = [microsOf(all[place]!), microsOf(all[place + 1] ?? all[place]!)]
  switch (where) {
    case 'at':
      return textOf(at)
    case 'before':
      return textOf(at - 1n)
    case 'after':
      return textOf(at + 1n)
    case 'between':
      return textOf((at + next) / 2n)
  }
}

const microsOf = (at: string) => BigInt(Date.parse(at)) * 1000n + BigInt(at.slice(-4, -1))
const textOf = (micros: bigint) =>
  `${new Date(Number(micros / 1000n)).toISOString().slice(0, -1)}${String(micros % 1000n).padStart(3, '0')}Z`
