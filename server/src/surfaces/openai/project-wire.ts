import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import { requirePredefinedRole } from '../../directory/roles/role.ts'

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
