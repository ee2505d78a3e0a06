import type { Transaction } from '../../platform/postgres/database.ts'
import type { Statement } from '../../platform/postgres/sql.ts'
import { type Actor, recordedActor } from '../access/permission.ts'
import type { Context, Directory } from '../context.ts'
import { DirectoryError } from '../errors.ts'
import type { Mailing } from '../outbox/mailing.ts'
import { insertingChange, takeChangeNumber } from './change.sql.ts'
import { ChangeDraft, type ChangeNumber, type ChangeRecord, type GroupListEffect } from './change-draft.ts'
import { Conflict, movedOn, retryConflicts } from './conflicts.ts'
import { type Effects, readEffects } from './effects.ts'
import { expectingInvariants, needsInvariants, requireInvariants } from './invariants.ts'

/** What a preview answers instead of applying: the effects of the very statements that would have run. */
export interface Preview {
  readonly preview: true
  readonly effects: Effects
  /** The change it would be; undefined: nothing would change. */
  readonly record: ChangeRecord | undefined
}

class RolledBackPreview extends Error {
  readonly outcome: Preview
  constructor(outcome: Preview) {
    super('preview')
    this.outcome = outcome
  }
}

export interface ChangeRequest {
  readonly organizationId: string
  readonly actor: Actor
}

/**
 * Runs one operation in one transaction and records it as one change, last before COMMIT.
 *
 * @param finish runs after the change has its number and before COMMIT, in the same transaction.
 */
export async function applyChange<T>(
  directory: Directory,
  request: ChangeRequest,
  work: (context: Context) => Promise<T>,
  finish?: (tx: Transaction, result: T, change: ChangeDraft) => Promise<void>,
): Promise<T> {
  return await retryConflicts((isRetry) =>
    directory.database.transaction(async (tx) => {
      const context = openContext(tx, request, { mailing: directory.mailing, isRetry })
      const result = await work(context)
      const last = finish === undefined ? recordingLast(context) : undefined
      if (last !== undefined) {
        if (last.length > 0) tx.runLast(last, throwMovedOn)
        return result
      }
      await recordChange(context)
      await finish?.(tx, result, context.change)
      return result
    }),
  )
}

/**
 * Runs several operations together or not at all, each as a change of its own. Their numbers come last, as always:
 * whoever holds the counter waits for nothing else.
 */
export async function applyChanges<T>(
  directory: Directory,
  request: ChangeRequest,
  works: readonly ((context: Context) => Promise<T>)[],
): Promise<T[]> {
  return await retryConflicts((isRetry) =>
    directory.database.transaction(async (tx) => {
      const contexts: Context[] = []
      const results: T[] = []
      for (const work of works) {
        const context = openContext(tx, request, { mailing: directory.mailing, isRetry })
        results.push(await work(context))
        contexts.push(context)
      }
      for (const context of contexts) await recordChange(context)
      return results
    }),
  )
}

/**
 * Runs the operation, reads what it would open and end, and rolls everything back: a preview cannot disagree
 * with what then happens, because it is the same statements (docs/decisions/0006-preview-by-rollback.md).
 */
export async function previewChange(
  directory: Directory,
  request: ChangeRequest,
  work: (context: Context) => Promise<unknown>,
): Promise<Preview> {
  try {
    return await retryConflicts((isRetry) =>
      directory.database.transaction(async (tx) => {
        const context = openContext(tx, request, { mailing: directory.mailing, isRetry })
        await work(context)
        await holdInvariants(context)
        const effects = await readEffects(tx, request.organizationId, context.change.id)
        throw new RolledBackPreview({ preview: true, effects, record: context.change.record })
      }),
    )
  } catch (error) {
    if (error instanceof RolledBackPreview) return error.outcome
    throw error
  }
}

/** The context of one transaction; the caller records the change itself (`recordChange`). */
export function openContext(
  tx: Transaction,
  request: ChangeRequest,
  { mailing, isRetry = false }: { mailing?: Mailing; isRetry?: boolean } = {},
): Context {
  return {
    db: tx,
    actor: request.actor,
    organizationId: request.organizationId,
    now: new Date(),
    change: new ChangeDraft(),
    isRetry,
    mailing,
  }
}

/**
 * Takes the organization's next number now, for a row that stores it. Holds the organization's counter until
 * COMMIT, so only short operations may.
 */
export async function numberChange(
  context: Context,
  groupList: GroupListEffect = { count: 0, moved: false },
): Promise<ChangeNumber> {
  context.change.number ??= await takeChangeNumber(context.db, context.organizationId, groupList)
  return context.change.number
}

/**
 * Writes the change with its number and time, last before COMMIT, and looks at what it did. Nothing if the operation
 * described none.
 *
 * @throws {DirectoryError} what `requireInvariants` throws
 */
export async function recordChange(context: Context): Promise<void> {
  const statement = recording(context)
  if (statement === undefined) return
  // Sent together, carried out one after the other: until COMMIT every other change of the organization waits.
  await Promise.all([context.db.run(statement), holdInvariants(context)])
}

function throwMovedOn(error: unknown): never {
  throw movedOn(error) ?? error
}

/** What can be sent together with COMMIT to record the change; undefined: its invariants are to be looked at before. */
function recordingLast(context: Context): Statement<unknown>[] | undefined {
  const isTouching = needsInvariants(context)
  if (isTouching && !context.change.expectsUntouched) return undefined
  const statement = recording(context)
  if (statement === undefined) return []
  return isTouching ? [statement, expectingInvariants(context)] : [statement]
}

/** The statement that records what the operation described; undefined: nothing, or it is sent already. */
function recording({ organizationId, change, actor }: Context): Statement<never> | undefined {
  if (change.record === undefined || change.isRecorded) return undefined
  return insertingChange(organizationId, {
    id: change.id,
    number: change.number,
    actor: change.actor ?? recordedActor(actor),
    opened: change.opened,
    ended: change.ended,
    record: change.record,
  })
}

/** @throws {Conflict} instead of a refusal, if the operation had decided by the same rules */
async function holdInvariants(context: Context): Promise<void> {
  await requireInvariants(context).catch((error: unknown) => {
    if (!context.change.keepsInvariants || !(error instanceof DirectoryError)) throw error
    throw new Conflict('the rules were looked at before another change', { cause: error })
  })
}
