import { z } from 'zod'
import type { Context, ReadContext } from '../../directory/context.ts'
import {
  INVITATION_GRANTS_MAX,
  INVITATION_MESSAGE_LENGTH_MAX,
  type InvitationRow,
  type NewInvitation,
} from '../../directory/invitations/invitation.ts'
import type { MemberRow } from '../../directory/members/member.ts'
import { membersById } from '../../directory/members/member-positions.ts'
import { projectAliases, projectsOfAliases } from '../../directory/projects/project-aliases.ts'
import { requirePredefinedRole } from '../../directory/roles/role.ts'
import { moment, text } from '../http/wire-types.ts'
import { projectNumber } from './project-wire.ts'
import { levelNumber, toLevel, toLevelNumber, toUserOrNull, user } from './user-wire.ts'

const EMAIL_LENGTH_MAX = 1024
const NAME_LENGTH_MAX = 30

const projectLevels = ['member', 'admin'] as const

const shownAccess = z.object({ id: projectNumber, level: z.enum(projectLevels) })

export const invite = z
  .object({
    id: z.string(),
    target_email: z.string(),
    first_name: z.string(),
    /** A mail with the link was written. */
    emailing_attempt_made: z.boolean(),
    level: levelNumber,
    is_expired: z.boolean(),
    created_by: user.nullable(),
    created_at: moment,
    updated_at: moment,
    message: z.string().nullable(),
    private_project_access: z.array(shownAccess).nullable(),
  })
  .meta({ id: 'PosthogInvite' })

export const newInvite = z.object({
  target_email: text(EMAIL_LENGTH_MAX),
  first_name: text(NAME_LENGTH_MAX, 0).optional(),
  level: levelNumber.default(1),
  message: text(INVITATION_MESSAGE_LENGTH_MAX, 0).nullish(),
  private_project_access: z
    .array(z.object({ id: projectNumber, level: z.enum(['none', ...projectLevels]) }))
    .max(INVITATION_GRANTS_MAX, `must have at most ${INVITATION_GRANTS_MAX} projects`)
    .nullish(),
  send_email: z.boolean().default(true),
  combine_pending_invites: z.boolean().default(false),
})
type NewInvite = z.infer<typeof newInvite>

/** What the directory calls things of an invite, by their names here. */
export const inviteFields = {
  email: 'target_email',
  grants: 'private_project_access',
  'project.not_found': 'private_project_access',
  'project.archived': 'private_project_access',
  // About the person, not about the field.
  'invitation.already_member': null,
} as const

/** What bodies ask for, in three statements however many they are. */
export async function toNewInvitations(
  context: Context,
  bodies: readonly NewInvite[],
): Promise<NewInvitation[]> {
  const roleIds = new Map<string, string>()
  for (const level of projectLevels) {
    roleIds.set(level, (await requirePredefinedRole(context, 'project', level)).id)
  }
  const accesses = bodies.map((body) => body.private_project_access ?? [])
  const toId = await projectsOfAliases(
    context,
    accesses.flat().map(({ id }) => id),
  )
  return bodies.map((body, place) => ({
    email: body.target_email,
    level: toLevel(body.level),
    firstName: body.first_name,
    message: body.message,
    grants: accesses[place]!.flatMap(({ id, level }) => {
      const roleId = roleIds.get(level)
      // `none` gives nothing.
      return roleId === undefined ? [] : [{ roleId, projectId: toId(id) }]
    }),
    sendEmail: body.send_email,
    // A pending one never stands in the way.
    pending: body.combine_pending_invites ? 'combine' : 'replace',
  }))
}

/** Each project once, with the higher of its levels. What is given elsewhere has no place here. */
function toAccess(
  row: InvitationRow,
  aliases: ReadonlyMap<string, number>,
): z.infer<typeof shownAccess>[] | null {
  const levels = new Map<string, (typeof projectLevels)[number]>()
  for (const { project_id: id, role_key: key } of row.grants) {
    if (id === null) continue
    levels.set(id, levels.get(id) === 'admin' || key === 'admin' ? 'admin' : 'member')
  }
  return levels.size === 0 ? null : [...levels].map(([id, level]) => ({ id: aliases.get(id)!, level }))
}

/** Invites with who made them and the numbers of projects, in two statements however many they are. */
export async function toInvites(
  context: ReadContext,
  rows: readonly InvitationRow[],
): Promise<z.infer<typeof invite>[]> {
  const inviterId = (row: InvitationRow) => (row.invited_by_kind === 'member' ? row.invited_by_id : null)
  const inviters = await membersById(context, rows.map(inviterId))
  const offered = rows.flatMap(({ grants }) => grants.map((grant) => grant.project_id))
  const aliases = await projectAliases(context, offered)
  return rows.map((row) => toInvite(row, inviters.get(inviterId(row) ?? ''), aliases))
}

function toInvite(
  row: InvitationRow,
  inviter: MemberRow | undefined,
  aliases: ReadonlyMap<string, number>,
): z.infer<typeof invite> {
  return {
    id: row.id,
    target_email: row.email,
    first_name: row.first_name ?? '',
    emailing_attempt_made: row.mailed_at !== null,
    level: toLevelNumber(row.level),
    is_expired: row.status === 'expired',
    created_by: toUserOrNull(inviter),
    created_at: row.created_at,
    updated_at: row.mailed_at ?? row.created_at,
    message: row.message,
    private_project_access: toAccess(row, aliases),
  }
}
