import { z } from 'zod'
import type { Level } from '../../directory/access/permission.ts'
import type { MemberRow } from '../../directory/members/member.ts'
import { moment } from '../http/wire-types.ts'

const levelNumbers = { member: 1, admin: 8, owner: 15 } as const satisfies Record<Level, number>
const levelNames = new Map<number, Level>([
  [1, 'member'],
  [8, 'admin'],
  [15, 'owner'],
])

/** 1 is a member, 8 an admin, 15 an owner. */
export const levelNumber = z.union([z.literal(1), z.literal(8), z.literal(15)], {
  error: (issue) => (issue.input === undefined ? 'is required and must be 1, 8 or 15' : 'must be 1, 8 or 15'),
})

export function toLevelNumber(level: Level): z.infer<typeof levelNumber> {
  return levelNumbers[level]
}

export function toLevel(number: z.infer<typeof levelNumber>): Level {
  return levelNames.get(number)!
}

/** A person, in short. */
export const user = z
  .object({
    /** There are no numbers for people here: the UUID. */
    id: z.string(),
    uuid: z.string(),
    distinct_id: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    email: z.string(),
    is_email_verified: z.boolean().nullable(),
    hedgehog_config: z.null(),
    role_at_organization: z.null(),
  })
  .meta({ id: 'PosthogUser' })

export function toUser(row: MemberRow): z.infer<typeof user> {
  const isUnnamed = row.first_name === null && row.last_name === null
  return {
    ...{ id: row.id, uuid: row.id, distinct_id: row.id },
    first_name: (isUnnamed ? row.display_name : row.first_name) ?? '',
    last_name: row.last_name ?? '',
    email: row.email ?? '',
    // Nobody here says of an address whether it is the person's.
    is_email_verified: null,
    hedgehog_config: null,
    role_at_organization: null,
  }
}

/** Who did something, if it was a member. */
export function toUserOrNull(row: MemberRow | undefined): z.infer<typeof user> | null {
  return row === undefined ? null : toUser(row)
}

export const member = z
  .object({
    id: z.string(),
    user,
    level: levelNumber,
    joined_at: moment,
    updated_at: moment,
    is_2fa_enabled: z.literal(false),
    has_social_auth: z.literal(false),
    last_login: z.null(),
    search_match_type: z.null(),
  })
  .meta({ id: 'PosthogMember' })

export function toMember(row: MemberRow): z.infer<typeof member> {
  return {
    id: row.id,
    user: toUser(row),
    level: toLevelNumber(row.level),
    joined_at: row.created_at,
    updated_at: row.updated_at,
    // Nobody signs in here yet.
    is_2fa_enabled: false,
    has_social_auth: false,
    last_login: null,
    search_match_type: null,
  }
}
