import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  applyClaims,
  type GroupClaim,
  previewClaims,
  reapplyClaims,
  type SyncedMember,
  type SyncResult,
} from '../../directory/group-sync/apply.ts'
import {
  ATTRIBUTE_KEY_LENGTH_MAX,
  type GroupSyncConfigRow,
  getGroupSyncConfig,
  updateGroupSyncConfig,
} from '../../directory/group-sync/config.ts'
import { requireWorkspace } from '../../directory/workspaces/workspace-members.ts'
import { moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, toPreview, write } from './exchange.ts'
import {
  fromIdField,
  orgParams,
  preview,
  previewQuery,
  roleRef,
  toId,
  toIdOrNull,
  toRoleRef,
} from './wire.ts'

const config = z
  .object({
    object: z.literal('group_sync_config'),
    is_enabled: z.boolean(),
    sync_on_login: z.boolean(),
    auto_remove: z.boolean(),
    sync_offline: z.boolean(),
    /** The claim that holds the groups. */
    group_attribute_key: z.string(),
    /** Of who matches mappings of projects only; null: `member`. */
    default_workspace_role: roleRef.nullable(),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'GroupSyncConfig' })

function toConfig(row: GroupSyncConfigRow): z.infer<typeof config> {
  return {
    object: 'group_sync_config',
    is_enabled: row.is_enabled,
    sync_on_login: row.sync_on_login,
    auto_remove: row.auto_remove,
    sync_offline: row.sync_offline,
    group_attribute_key: row.group_attribute_key,
    default_workspace_role:
      row.default_role_id === null
        ? null
        : toRoleRef({ id: row.default_role_id, key: row.default_role_key, name: row.default_role_name! }),
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const CLAIMS_MAX = 1000
const CLAIMED_GROUPS_MAX = 2000
const CLAIMED_GROUP_LENGTH_MAX = 1024
/** Members listed in one answer at most; counts are always whole. */
const MEMBERS_SHOWN_MAX = 1000

const claims = z
  .array(
    z.strictObject({
      member: z.string(),
      /** Null: the identity provider did not say; nothing changes. */
      groups: z
        .array(text(CLAIMED_GROUP_LENGTH_MAX))
        .max(CLAIMED_GROUPS_MAX, `must name at most ${CLAIMED_GROUPS_MAX} groups`)
        .nullable(),
    }),
  )
  .max(CLAIMS_MAX, `must be of at most ${CLAIMS_MAX} members`)

const syncedMember = z.object({
  member: z.string(),
  opened: z.number().int(),
  ended: z.number().int(),
  /** What the sync gave before and leaves, although the groups say otherwise; `project` null: on the workspace. */
  kept: z.array(
    z.object({
      reason: z.enum(['last_admin', 'auto_remove_off']),
      project: z.string().nullable(),
      roles: z.array(z.string()),
    }),
  ),
  /** Why nothing was given. */
  skipped: z.enum(['no_seat', 'guest_limit', 'not_active', 'no_match', 'claim_missing']).nullable(),
})

const outcome = z.object({
  /** Switched off: nothing happened. */
  enabled: z.boolean(),
  opened: z.number().int(),
  ended: z.number().int(),
  /** Roles that ended or became lower ones: what the brake counts. */
  removals: z.number().int(),
  /** The limit of the brake that it passes. */
  brake: z.string().nullable(),
  members: z.array(syncedMember),
  members_complete: z.boolean(),
})

const run = outcome.extend({ object: z.literal('group_sync_run') }).meta({ id: 'GroupSyncRun' })
const runPreview = preview.extend({ run: outcome })

function toSyncedMember({ memberId, kept, ...rest }: SyncedMember): z.infer<typeof syncedMember> {
  return {
    ...rest,
    member: toId('member', memberId),
    kept: kept.map(({ reason, project_id: project, role_ids: roles }) => ({
      reason,
      project: toIdOrNull('project', project),
      roles: roles.map((id) => toId('role', id)),
    })),
  }
}

function toOutcome(result: SyncResult): z.infer<typeof outcome> {
  const { members, ...rest } = result
  return {
    ...rest,
    members: members.slice(0, MEMBERS_SHOWN_MAX).map(toSyncedMember),
    members_complete: members.length <= MEMBERS_SHOWN_MAX,
  }
}

const toRun = (result: SyncResult): z.infer<typeof run> => ({
  object: 'group_sync_run',
  ...toOutcome(result),
})

function fromClaims(given: z.infer<typeof claims> | undefined): GroupClaim[] | null {
  if (given === undefined) return null
  return given.map(({ member, groups }, index) => {
    return { memberId: fromIdField('member', member, `claims[${index}].member`), groups }
  })
}

const tags = ['Group sync']
const workspaceParams = orgParams.extend({ workspace: z.string() })

/** The group sync of a workspace: its config, and runs. */
export function groupSyncRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()
    const renderTo = (reply: FastifyReply) => (row: GroupSyncConfigRow) => {
      setVersion(reply, row.version)
      return toConfig(row)
    }

    app.get(
      '/workspaces/:workspace/group_sync',
      {
        schema: {
          tags,
          summary: 'Read how a workspace follows the groups of its identity provider',
          operationId: 'getGroupSyncConfig',
          params: workspaceParams,
          response: { 200: config },
        },
      },
      async (request, reply) => {
        const context = reading(services, request)
        const { id } = await requireWorkspace(context, request.params.workspace)
        return renderTo(reply)(await getGroupSyncConfig(context, id))
      },
    )

    app.patch(
      '/workspaces/:workspace/group_sync',
      {
        schema: {
          tags,
          summary: 'Change how a workspace follows the groups of its identity provider, from the next run on',
          operationId: 'updateGroupSyncConfig',
          params: workspaceParams,
          body: z.strictObject({
            is_enabled: z.boolean().optional(),
            sync_on_login: z.boolean().optional(),
            auto_remove: z.boolean().optional(),
            sync_offline: z.boolean().optional(),
            group_attribute_key: text(ATTRIBUTE_KEY_LENGTH_MAX).optional(),
            default_workspace_role: z.string().nullish(),
          }),
          response: { 200: config },
        },
      },
      async (request, reply) => {
        const { body, params } = request
        const { id } = await requireWorkspace(reading(services, request), params.workspace)
        const { default_workspace_role: role } = body
        const update = {
          isEnabled: body.is_enabled,
          syncOnLogin: body.sync_on_login,
          autoRemove: body.auto_remove,
          syncOffline: body.sync_offline,
          groupAttributeKey: body.group_attribute_key,
          defaultWorkspaceRoleId:
            typeof role === 'string' ? fromIdField('role', role, 'default_workspace_role') : role,
        }
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateGroupSyncConfig(context, id, update, expectedVersion(request)),
        )) as never
      },
    )

    app.post(
      '/workspaces/:workspace/group_sync/runs',
      {
        schema: {
          tags,
          summary: 'Give and take what the groups of members stand for',
          description:
            'With `claims`: the groups these members are in now, which are kept. Without: everybody whose groups ' +
            'are known. `force` goes on where the brake would refuse, and takes `plans:write`.',
          operationId: 'runGroupSync',
          params: workspaceParams,
          querystring: previewQuery,
          body: z.strictObject({ claims: claims.optional(), force: z.boolean().default(false) }),
          response: { 200: z.union([run, runPreview]) },
        },
      },
      async (request, reply) => {
        const { body, params, query } = request
        const reader = reading(services, request)
        const { id } = await requireWorkspace(reader, params.workspace)
        const given = fromClaims(body.claims)
        const options = { origin: 'api', force: body.force } as const
        if (query.preview) {
          const { result, ...found } = await previewClaims(services.directory, reader, id, given, options)
          return { ...(toPreview(found) as z.infer<typeof preview>), run: toOutcome(result) }
        }
        return (await write(services, request, reply, { status: 200, render: toRun }, (context) =>
          given === null ? reapplyClaims(context, id, options) : applyClaims(context, id, given, options),
        )) as never
      },
    )
  }
}
