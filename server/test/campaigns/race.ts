import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { DirectoryError } from '#src/directory/errors.ts'
import { getMemberSync } from '#src/directory/member-syncs/member-sync.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { type Action, foretell, type Outcome } from './actions.ts'
import type { State } from './directory-model.ts'
import { attempt, readSyncResult, submit } from './operations.ts'
import { assertSame, isSame, readSnapshot, type Snapshot } from './snapshot.ts'
import type { SyncResult } from './sync-model.ts'
import { runNextSync, type World } from './world.ts'

interface Raced {
  readonly action: Action
  /** Undefined: a submission that the deletion of its group cancelled. */
  readonly outcome: Outcome | undefined
}

/** Does actions at the same time, and sees that answers and rows are those of doing them one after the other. */
export async function race(world: World, actions: readonly Action[]): Promise<void> {
  const started = await Promise.all(actions.map((action) => start(world, action)))
  const raced: Raced[] = []
  for (const finish of started) raced.push(await finish())
  const found = await readSnapshot(world)
  const effective = raced.filter((one) => one.outcome !== undefined)
  // A refusal has no effect: its reason may be one that no order explains (a group found, its members gone).
  const applied = effective.filter((one) => 'result' in one.outcome!)
  const difference =
    explain(world, effective, found) &&
    explain(world, applied, found) &&
    explain(world, applied.map(withRefusals), found)
  if (difference === undefined) return
  const answers = raced.map(({ action, outcome }) => `${JSON.stringify(action)} → ${JSON.stringify(outcome)}`)
  throw new Error(`no order of these gives what was found:\n${answers.join('\n')}`, { cause: difference })
}

/**
 * A submission reads people in several statements: it may refuse a row because of somebody who at that moment gives
 * up the address or leaves. The row's person stays as it was, and the next submission goes through.
 */
function withRefusals({ action, outcome }: Raced): Raced {
  if (action.kind !== 'sync') return { action, outcome }
  const { failed } = (outcome as { result: SyncResult }).result
  const rows = action.rows.map((row) => ({ ...row, overtaken: failed.includes(row.ref) }))
  return { action: { ...action, rows }, outcome }
}

/** Looks for an order of the actions that gives the answers and the rows; else the difference from the best one. */
function explain(world: World, raced: readonly Raced[], found: Snapshot): Error | undefined {
  let best: { agreed: number; checks: (() => void)[] } = { agreed: -1, checks: [] }
  for (const order of permutations(raced)) {
    let state = structuredClone(world.state)
    let agreed = 0
    let check: (() => void) | undefined
    for (const { action, outcome } of order) {
      const foretold = foretell(state, action)
      if (!isDeepStrictEqual(outcome, foretold.outcome)) {
        check = () => assert.deepEqual(outcome, foretold.outcome)
        break
      }
      state = foretold.next
      agreed++
    }
    const same = check === undefined ? sameButForNumbers(state, found, world.state.changes.length) : undefined
    if (same !== undefined) {
      assertSame(same, found)
      world.state = same
      return undefined
    }
    check ??= () => assertSame(state, found)
    if (agreed > best.agreed) best = { agreed, checks: [check] }
    else if (agreed === best.agreed) best.checks.push(check)
  }
  // Of every order that agrees as far, because the one that should have been may be any of them.
  const differences = best.checks.flatMap((check) => {
    try {
      check()
      return []
    } catch (error) {
      return [error as Error]
    }
  })
  return new Error(differences.map(({ message }) => message).join('\n\n') || 'the numbers of changes differ')
}

/**
 * Operations that do not wait for each other take their numbers in either order. Numbers agree with the rows, which
 * `assertSame` sees; which of two came first is free.
 */
function sameButForNumbers(state: State, found: Snapshot, before: number): State | undefined {
  const fresh = state.changes.slice(before).map((change) => change.seq)
  for (const numbers of permutations(fresh)) {
    const renumber = (seq: number | null) => (seq === null ? null : (numbers[seq - before - 1] ?? seq))
    const candidate = structuredClone(state)
    for (const grant of candidate.grants) {
      grant.opened = renumber(grant.opened)!
      grant.ended = renumber(grant.ended)
    }
    for (const group of candidate.groups) group.deletedBy = renumber(group.deletedBy)
    for (const change of candidate.changes) {
      change.seq = renumber(change.seq)!
      change.undoes = renumber(change.undoes)
    }
    candidate.changes.sort((one, other) => one.seq - other.seq)
    if (isSame(candidate, found)) return candidate
  }
  return undefined
}

/** Begins an action; what it answers tells how it went once everything is over. */
async function start(world: World, action: Action): Promise<() => Promise<Raced>> {
  if (action.kind !== 'sync') {
    const outcome = await attempt(world, action)
    return async () => ({ action, outcome })
  }
  const id = await submit(world, action).catch((error: unknown) => {
    if (error instanceof DirectoryError) return error
    throw error
  })
  if (id instanceof DirectoryError) return async () => ({ action, outcome: { refused: id.code } })
  await drainSyncs(world)
  return async () => {
    const { database: db, root: actor, organizationId } = world
    const { status } = await getMemberSync({ db, actor, organizationId }, action.group, id)
    if (status === 'cancelled') return { action, outcome: undefined }
    return { action, outcome: { result: await readSyncResult(world, action.group, id) } }
  }
}

/** Carries out submissions until no task for one is left. */
export async function drainSyncs(world: Pick<World, 'database' | 'directory'>): Promise<void> {
  const left = sql<{ left: number }>`select count(*) as left from task where kind = 'member_sync'`
  while ((await runNextSync(world)) || (await world.database.row(left))!.left > 0) {
    // Another one has the last task and may yet give it back.
  }
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  )
}
