import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import { requireGroup } from '../../directory/groups/group.ts'
import { requireMember } from '../../directory/members/member.ts'
import { ORGANIZATION } from '../../directory/roles/target.ts'
import type { RoleHolder, RoleHolderRoutes } from './role-holders.ts'
import { organizationPlace } from './role-ids.ts'
import { role } from './roles-wire.ts'
import { toUser, user } from './users-wire.ts'
import { fromOpenaiId, toUnixSeconds } from './wire.ts'

/** Where the roles of a kind of holder are: the organization or a project. */
interface Where<Params extends z.ZodObject> {
  readonly path: string
  readonly params: Params
  readonly tag: string
  readonly operation: string
  readonly on: (context: ReadContext, params: z.infer<Params>) => Pick<RoleHolder, 'target' | 'place'>
}

const groupRole = z.object({
  object: z.literal('group.role'),
  group: z.object({
    object: z.literal('group'),
    id: z.string(),
    name: z.string(),
    created_at: z.number().int(),
    /** Called `is_scim_managed` everywhere else. */
    scim_managed: z.boolean(),
  }),
  role,
})

/** The roles of groups. */
export function groupRoles<Params extends z.ZodObject<{ group_id: z.ZodString }>>(
  where: Where<Params>,
): RoleHolderRoutes<Params, typeof groupRole> {
  return {
    ...where,
    noun: 'group',
    holder: (context, params) => ({
      subject: { kind: 'group', id: fromOpenaiId('group', params.group_id) },
      ...where.on(context, params),
    }),
    created: groupRole,
    async toCreated(context, { group_id: askedId }, assigned) {
      const row = await requireGroup(context, fromOpenaiId('group', askedId))
      const group = {
        object: 'group' as const,
        id: askedId,
        name: row.name,
        created_at: toUnixSeconds(row.created_at),
        scim_managed: row.managed_by !== null,
      }
      return { object: 'group.role', group, role: assigned }
    },
    deleted: 'group.role.deleted',
  }
}

const userRole = z.object({ object: z.literal('user.role'), user, role })

/** The roles of users. */
export function userRoles<Params extends z.ZodObject<{ user_id: z.ZodString }>>(
  where: Where<Params>,
): RoleHolderRoutes<Params, typeof userRole> {
  return {
    ...where,
    noun: 'user',
    holder: (context, params) => ({
      subject: { kind: 'member', id: fromOpenaiId('user', params.user_id) },
      ...where.on(context, params),
    }),
    created: userRole,
    async toCreated(context, { user_id: askedId }, assigned) {
      const row = await requireMember(context, fromOpenaiId('user', askedId))
      return { object: 'user.role', user: toUser(row, askedId), role: assigned }
    },
    deleted: 'user.role.deleted',
  }
}

const onOrganization = (context: ReadContext) => ({ target: ORGANIZATION, place: organizationPlace(context) })

/** The organization roles of groups. */
export const organizationGroupRoles = groupRoles({
  path: '/groups/:group_id/roles',
  params: z.object({ group_id: z.string() }),
  tag: 'OpenAI: group roles',
  operation: 'GroupRole',
  on: onOrganization,
})

/** The organization roles of users. */
export const organizationUserRoles = userRoles({
  path: '/users/:user_id/roles',
  params: z.object({ user_id: z.string() }),
  tag: 'OpenAI: user roles',
  operation: 'UserRole',
  on: onOrganization,
})
