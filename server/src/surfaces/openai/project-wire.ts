import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import type { Context, ReadContext } from '../../directory/context.ts'
import { requirePredefinedRole } from '../../directory/roles/role.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'

export const projectParams = z.object({ project_id: z.string() })

/** The one role of a user on a project, where the vendor knows no others. */
export const projectRole = z.enum(['owner', 'member'], { error: 'must be owner or member' })

/** @param key of the highest predefined role; null: there are custom ones only */
export function toProjectRole(key: string | null): z.infer<typeof projectRole> {
  return key === 'admin' ? 'owner' : 'member'
}

/** The UUID of the role that one of the two names stands for. */
export async function fromProjectRole(
  context: ReadContext,
  name: z.infer<typeof projectRole>,
): Promise<string> {
  return (await requirePredefinedRole(context, 'project', name === 'owner' ? 'admin' : 'member')).id
}

/**
 * Runs one operation as one change, then reads what is answered: in the same transaction, and after the change has its
 * time, so that the moment it tells is the one that every later read tells.
 */
export async function applyAndRead<T, Answer>(
  services: KeyScopeServices,
  scope: ReadContext,
  work: (context: Context) => Promise<T>,
  read: (context: ReadContext, result: T) => Promise<Answer>,
): Promise<Answer> {
  let answer: { readonly read: Answer } | undefined
  await applyChange(services.directory, scope, work, async (tx, result) => {
    answer = { read: await read({ ...scope, db: tx }, result) }
  })
  return answer!.read
}
