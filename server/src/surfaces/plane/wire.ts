import { z } from 'zod'
import { DirectoryError, type DirectoryErrorCode } from '../../directory/errors.ts'
import { text } from '../http/wire-types.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** An id of a body: a UUID, in lower case as all ids are here. */
export const uuid = text(64)
  .regex(UUID, 'must be a UUID')
  .transform((id) => id.toLowerCase())

/** In the words of the directory: a malformed id answers as an unknown one does. */
const NOT_FOUND = {
  project: ['project.not_found', 'There is no project with this id.'],
  projectMember: ['role_assignment.not_found', 'The member has no role on this project.'],
  invitation: ['invitation.not_found', 'There is no invitation with this id.'],
  role: ['role.not_found', 'There is no role with this id.'],
  teamspace: ['teamspace.not_found', 'There is no teamspace with this id.'],
  mapping: ['group_sync_mapping.not_found', 'There is no group sync mapping with this id.'],
} as const satisfies Record<string, readonly [DirectoryErrorCode, string]>

/** The UUID of a path. A malformed id is an unknown one. @throws {DirectoryError} not_found */
export function fromPlaneId(noun: keyof typeof NOT_FOUND, id: string): string {
  if (UUID.test(id)) return id.toLowerCase()
  const [code, message] = NOT_FOUND[noun]
  throw new DirectoryError(code, message)
}

export const workspaceParams = z.object({ slug: z.string() })
export const projectParams = workspaceParams.extend({ project_id: z.string() })

/** `true` or `false` in a query string, or absent. */
export const optionalFlag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((value) => value === 'true')
  .optional()

export const user = z.object({
  id: z.string(),
  first_name: z.string(),
  last_name: z.string(),
  email: z.string().nullable(),
  avatar: z.string(),
  avatar_url: z.string().nullable(),
  display_name: z.string(),
})

export interface Named {
  readonly id: string
  readonly email: string | null
  readonly display_name: string | null
  readonly first_name: string | null
  readonly last_name: string | null
  readonly external_reference_id: string | null
}

export function toUser(row: Named): z.infer<typeof user> {
  const full = [row.first_name, row.last_name].filter((name) => name !== null && name !== '').join(' ')
  return {
    id: row.id,
    first_name: row.first_name ?? '',
    last_name: row.last_name ?? '',
    email: row.email,
    avatar: '',
    avatar_url: null,
    // There is always a name to show: a member has an email or an external reference id.
    display_name: row.display_name || full || row.email?.split('@')[0] || row.external_reference_id || '',
  }
}

export const member = user
  .extend({
    role: z.number().int(),
    role_slug: z.string(),
    is_active: z.boolean(),
    is_bot: z.literal(false),
  })
  .meta({ id: 'PlaneMember' })
