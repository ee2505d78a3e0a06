import { z } from 'zod'
import type { Level } from '../../directory/access/permission.ts'
import type { MemberRow } from '../../directory/members/member.ts'
import { text } from '../http/wire-types.ts'
import { toOpenaiId, toUnixSeconds } from './wire.ts'

const ID_LENGTH_MAX = 512

/** An id of a user in a body. */
export const userIdText = text(ID_LENGTH_MAX)

/** What OpenAI calls the organization levels. It knows no admin: ours keeps its name. */
const roleNames = { owner: 'owner', admin: 'admin', member: 'reader' } as const satisfies Record<
  Level,
  string
>

export const roleName = z.enum(Object.values(roleNames), {
  error: `must be one of ${Object.values(roleNames).join(', ')}`,
})

export function toLevel(name: z.infer<typeof roleName>): Level {
  return name === 'reader' ? 'member' : name
}

export function toLevelName(level: Level): z.infer<typeof roleName> {
  return roleNames[level]
}

type Named = Pick<MemberRow, 'display_name' | 'first_name' | 'last_name' | 'email' | 'external_reference_id'>

/** A name to show. There is always one: a member has an email or an external reference id. */
export function toUserName(row: Named): string {
  const full = [row.first_name, row.last_name].filter((name) => name !== null && name !== '').join(' ')
  return row.display_name || full || row.email || row.external_reference_id || ''
}

export const user = z
  .object({
    object: z.literal('organization.user'),
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    role: roleName,
    added_at: z.number().int(),
    created: z.number().int(),
    is_default: z.literal(false),
    is_service_account: z.literal(false),
    is_scim_managed: z.literal(false),
    is_scale_tier_authorized_purchaser: z.null(),
    api_key_last_used_at: z.null(),
    technical_level: z.string().nullable(),
    developer_persona: z.string().nullable(),
    user: z.object({
      object: z.literal('user'),
      id: z.string(),
      email: z.string().nullable(),
      name: z.string(),
      picture: z.null(),
      /** False: suspended. */
      enabled: z.boolean(),
      banned: z.literal(false),
      banned_at: z.null(),
    }),
    /** Asked for with the projects' own calls. */
    projects: z.null(),
  })
  .meta({ id: 'OpenaiUser' })

/** A text among a member's metadata; what an integrator keeps there under the name in another shape is not shown. */
function noted(row: MemberRow, key: string): string | null {
  const value = row.metadata[key]
  return typeof value === 'string' ? value : null
}

/** @param askedId the id it was asked for by, where a single user was */
export function toUser(row: MemberRow, askedId?: string): z.infer<typeof user> {
  const id = askedId ?? toOpenaiId('user', row.id)
  const name = toUserName(row)
  const addedAt = toUnixSeconds(row.created_at)
  return {
    object: 'organization.user',
    id,
    name,
    email: row.email,
    role: toLevelName(row.level),
    added_at: addedAt,
    created: addedAt,
    is_default: false,
    is_service_account: false,
    is_scim_managed: false,
    is_scale_tier_authorized_purchaser: null,
    api_key_last_used_at: null,
    technical_level: noted(row, 'technical_level'),
    developer_persona: noted(row, 'developer_persona'),
    user: {
      object: 'user',
      id,
      email: row.email,
      name,
      picture: null,
      enabled: row.status === 'active',
      banned: false,
      banned_at: null,
    },
    projects: null,
  }
}
