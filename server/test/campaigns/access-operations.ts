import assert from 'node:assert/strict'
import { DirectoryError } from '#src/directory/errors.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import type { AccessOperation } from './access-arbitrary.ts'
import type { State } from './access-model.ts'
import * as model from './access-model-operations.ts'
import { ENDS, resolve, type Step } from './access-steps.ts'
import { type AccessWorld, bind } from './access-world.ts'
import type { Outcome } from './actions.ts'
import { Refused } from './directory-model.ts'

/** Makes ends up to one of them a moment that has just passed. */
async function passTime({ world, state, passed }: AccessWorld, end: 'soon' | 'later'): Promise<void> {
  const { database, organizationId } = world
  const row = await database.row(sql<{ at: string }>`select clock_timestamp() as at`)
  const at = row!.at
  const until = ENDS[end]!
  for (const table of ['group_membership', 'group_membership_past', 'role_grant']) {
    await database.run({
      name: `end_${table}`,
      text: `update ${table} set expires_at = $2
        where organization_id = $1 and expires_at > $2 and expires_at <= $3`,
      values: [organizationId, at, until],
    })
  }
  model.passTime(state, { at, until })
  passed.push(at)
}

function foretell(state: State, step: Step): { outcome: Outcome; next: State } {
  const next = structuredClone(state)
  try {
    return { outcome: { result: step.foretell(next) }, next }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { outcome: { refused: error.code }, next: state }
  }
}

async function attempt(access: AccessWorld, step: Step): Promise<Outcome> {
  try {
    return { result: await step.run(access) }
  } catch (error) {
    if (error instanceof DirectoryError) return { refused: error.code }
    throw error
  }
}

/** Does one operation on the model and on the database: the same answer, and the same change of it. */
export async function performAccess(access: AccessWorld, operation: AccessOperation): Promise<void> {
  if (operation.kind === 'passTime') return await passTime(access, operation.end)
  const step = resolve(access, operation)
  if (step === undefined) return
  const { outcome, next } = foretell(access.state, step)
  assert.deepEqual(await attempt(access, step), outcome, JSON.stringify(operation))
  access.state = next
  await bind(access)
}
