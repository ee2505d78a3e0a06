import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import {
  ATTRIBUTE_KEY_LENGTH_MAX,
  type GroupSyncConfigRow,
  getGroupSyncConfig,
  updateGroupSyncConfig,
} from '../../directory/group-sync/config.ts'
import { moment, text } from '../http/wire-types.ts'
import { resolveRole, roleSlug } from './role-wire.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { workspaceParams } from './wire.ts'

const SLUG_LENGTH_MAX = 255

const config = z
  .object({
    id: z.string(),
    is_enabled: z.boolean(),
    sync_on_login: z.boolean(),
    auto_remove: z.boolean(),
    sync_offline: z.boolean(),
    group_attribute_key: z.string(),
    default_workspace_role: z.string().nullable(),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: 'PlaneGroupSyncConfig' })

function toConfig(row: GroupSyncConfigRow): z.infer<typeof config> {
  const { default_role_id: id, default_role_key: key, default_role_name: name } = row
  return {
    id: row.id,
    is_enabled: row.is_enabled,
    sync_on_login: row.sync_on_login,
    auto_remove: row.auto_remove,
    sync_offline: row.sync_offline,
    group_attribute_key: row.group_attribute_key,
    default_workspace_role: id === null ? null : roleSlug('workspace', { id, key, name: name ?? '' }),
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

const tags = ['Plane: group sync']

export function groupSyncRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/group-sync/config',
      {
        schema: {
          tags,
          summary: 'Get group sync config',
          operationId: 'planeGetGroupSyncConfig',
          params: workspaceParams,
          response: { 200: config },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        return toConfig(await getGroupSyncConfig(context, request.entered.workspace.id))
      },
    )

    app.patch(
      '/group-sync/config',
      {
        schema: {
          tags,
          summary: 'Update group sync config',
          operationId: 'planeUpdateGroupSyncConfig',
          params: workspaceParams,
          body: z
            .object({
              is_enabled: z.boolean().optional(),
              sync_on_login: z.boolean().optional(),
              auto_remove: z.boolean().optional(),
              sync_offline: z.boolean().optional(),
              group_attribute_key: text(ATTRIBUTE_KEY_LENGTH_MAX).optional(),
              default_workspace_role: text(SLUG_LENGTH_MAX).nullish(),
            })
            .nullish(),
          response: { 200: config },
        },
      },
      async (request) => {
        const { id } = request.entered.workspace
        const { default_workspace_role: slug, ...body } = request.body ?? {}
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          async (context) => {
            const role =
              typeof slug === 'string'
                ? await resolveRole(context, id, 'workspace', slug, 'default_workspace_role')
                : null
            return await updateGroupSyncConfig(context, id, {
              isEnabled: body.is_enabled,
              syncOnLogin: body.sync_on_login,
              autoRemove: body.auto_remove,
              syncOffline: body.sync_offline,
              groupAttributeKey: body.group_attribute_key,
              defaultWorkspaceRoleId: slug === undefined ? undefined : (role?.id ?? null),
            })
          },
        )
        return toConfig(row)
      },
    )
  }
}
