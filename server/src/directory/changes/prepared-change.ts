import type { GroupCommit, GroupedWrite } from '../../platform/postgres/group-commit.ts'
import { type RecordedActor, recordedActor } from '../access/permission.ts'
import type { Context, ReadContext } from '../context.ts'
import type { ChangeRecord } from './change-draft.ts'
import { isConflict, movedOn } from './conflicts.ts'

/** Whose changes are committed together: one actor's in one organization. */
export interface ChangeLane {
  readonly organizationId: string
  readonly actor: RecordedActor
}

/** A change that is known before its transaction begins: made from a reading that locked nothing, or from none. */
export interface PreparedChange<T> {
  /**
   * What becomes of it.
   *
   * @param row what the statements answer of it, if they do
   * @throws {Conflict} they have left it out
   */
  readonly result: (row: unknown) => T
  /** Absent: there is nothing to change. */
  readonly write?: GroupedWrite<ChangeLane> & {
    /**
     * What the statements write of it, if it changes anything. It opens and ends no grants: such a change needs a
     * transaction of its own.
     */
    readonly record: ChangeRecord
    /** Throws what a failure of the statements means. */
    readonly refuse: (error: unknown) => never
  }
}

/** Ends a transaction with what is prepared, whose statements answer nothing: it is sent with COMMIT. */
export function finishWith<T>(context: Context, { result, write }: PreparedChange<T>): T {
  if (write === undefined) return result(undefined)
  const { db, change } = context
  change.describe(write.record)
  change.isRecorded = true
  db.runLast(write.kind.statements(laneOf(context), [write.row]), (error) => refuse(write, error))
  return result(undefined)
}

/**
 * Commits a prepared change, together with others of the same actor that are prepared meanwhile.
 *
 * @returns undefined: something has changed since the reading, or it is not as simple as it was taken for, and nothing of
 *   it is written
 * @throws what `refuse` throws
 */
export async function commitPrepared<T>(
  commits: GroupCommit<ChangeLane>,
  context: ReadContext,
  { write, result }: PreparedChange<T>,
): Promise<{ readonly result: T } | undefined> {
  if (write === undefined) return { result: result(undefined) }
  const lane = laneOf(context)
  const name = `${lane.organizationId} ${lane.actor.kind} ${lane.actor.id}`
  try {
    const row = await commits.commit(name, lane, write).catch((error: unknown) => refuse(write, error))
    return { result: result(row) }
  } catch (error) {
    if (isConflict(error)) return undefined
    throw error
  }
}

const laneOf = ({ organizationId, actor }: ReadContext): ChangeLane => ({
  organizationId,
  actor: recordedActor(actor),
})

function refuse(write: NonNullable<PreparedChange<unknown>['write']>, error: unknown): never {
  const conflict = movedOn(error)
  if (conflict !== undefined) throw conflict
  return write.refuse(error)
}
