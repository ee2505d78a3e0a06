import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DirectoryError } from '../../directory/errors.ts'
import {
  createMapping,
  getMapping,
  IDP_GROUP_NAME_LENGTH_MAX,
  listMappings,
  type MappingPlace,
  type MappingRow,
  removeMapping,
  updateMapping,
} from '../../directory/group-sync/mappings.ts'
import { requireWorkspace } from '../../directory/workspaces/workspace-members.ts'
import { moment, text } from '../http/wire-types.ts'
import { expectedVersion, reading, type Services, setVersion, write } from './exchange.ts'
import {
  fromId,
  fromIdField,
  idCursor,
  orgParams,
  page,
  pageQuery,
  roleRef,
  toId,
  toPage,
  toRoleRef,
} from './wire.ts'

const common = {
  object: z.literal('group_sync_mapping'),
  id: z.string(),
  /** Compared exactly. */
  idp_group_name: z.string(),
  role: roleRef,
}
const times = { created_at: moment, updated_at: moment }
const workspaceMapping = z.object({ ...common, ...times }).meta({ id: 'GroupSyncWorkspaceMapping' })
const projectMapping = z
  .object({
    ...common,
    /** Null: all projects of the workspace, later ones too. */
    project: z.object({ id: z.string(), identifier: z.string().nullable() }).nullable(),
    all_projects: z.boolean(),
    ...times,
  })
  .meta({ id: 'GroupSyncProjectMapping' })

function toWorkspaceMapping(row: MappingRow): z.infer<typeof workspaceMapping> {
  return {
    object: 'group_sync_mapping',
    id: toId('groupSyncMapping', row.id),
    idp_group_name: row.idp_group_name,
    role: toRoleRef({ id: row.role_id, key: row.role_key, name: row.role_name }),
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

function toProjectMapping(row: MappingRow): z.infer<typeof projectMapping> {
  return {
    ...toWorkspaceMapping(row),
    project:
      row.project_id === null
        ? null
        : { id: toId('project', row.project_id), identifier: row.project_identifier },
    all_projects: row.kind === 'all_projects',
  }
}

const groupName = text(IDP_GROUP_NAME_LENGTH_MAX)
const place = { project: z.string().nullish(), all_projects: z.boolean().optional() }
type Place = z.infer<z.ZodObject<typeof place>>

/** @throws {DirectoryError} request.invalid, if both or neither of them are given */
function placeOf(given: Place): MappingPlace {
  const { project = null, all_projects: isOfAll = false } = given
  if ((project !== null) === isOfAll) {
    throw new DirectoryError('request.invalid', 'project or all_projects is required, and not both.', {
      field: 'project',
    })
  }
  return project === null
    ? { kind: 'all_projects' }
    : { kind: 'project', projectId: fromIdField('project', project, 'project') }
}

const lists = [
  {
    list: 'workspace',
    path: 'workspace_mappings',
    noun: 'WorkspaceMapping',
    of: 'the workspace',
    shape: workspaceMapping,
    render: toWorkspaceMapping,
    place: {},
  },
  {
    list: 'projects',
    path: 'project_mappings',
    noun: 'ProjectMapping',
    of: 'projects',
    shape: projectMapping,
    render: toProjectMapping,
    place,
  },
] as const

const tags = ['Group sync']
const workspaceParams = orgParams.extend({ workspace: z.string() })

/** What groups of the identity provider stand for: a list for the workspace, and one for its projects. */
export function groupSyncMappingRoutes(services: Services): FastifyPluginAsync {
  return async (plain) => {
    for (const one of lists) await plain.register(mappingRoutes(services, one))
  }
}

function mappingRoutes(services: Services, one: (typeof lists)[number]): FastifyPluginAsync {
  const { list, noun, of } = one
  const shape = one.shape as z.ZodType
  const base = `/workspaces/:workspace/group_sync/${one.path}`
  // Each list has a parameter of its own: an id of one is unknown in the other.
  const parameter = list === 'workspace' ? 'workspace_mapping' : 'project_mapping'
  const params = workspaceParams.extend({ [parameter]: z.string() })
  const mappingOf = (request: FastifyRequest) =>
    fromId('groupSyncMapping', (request.params as Record<string, string>)[parameter]!)
  const workspaceOf = async (request: FastifyRequest) => {
    const { workspace } = request.params as { workspace: string }
    return (await requireWorkspace(reading(services, request), workspace)).id
  }
  const renderTo = (reply: FastifyReply) => (row: MappingRow) => {
    setVersion(reply, row.version)
    return one.render(row)
  }
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.post(
      base,
      {
        schema: {
          tags,
          summary: `Map a group of the identity provider to a role on ${of}`,
          operationId: `createGroupSync${noun}`,
          params: workspaceParams,
          body: z.strictObject({ idp_group_name: groupName, role: z.string(), ...one.place }),
          response: { 201: shape },
        },
      },
      async (request, reply) => {
        const { body } = request
        const workspaceId = await workspaceOf(request)
        const input = {
          idpGroupName: body.idp_group_name,
          roleId: fromIdField('role', body.role, 'role'),
          place: list === 'workspace' ? ({ kind: 'workspace' } as const) : placeOf(body as Place),
        }
        return (await write(services, request, reply, { status: 201, render: renderTo(reply) }, (context) =>
          createMapping(context, workspaceId, input),
        )) as never
      },
    )

    app.get(
      base,
      {
        schema: {
          tags,
          summary: `List the groups that stand for roles on ${of}`,
          operationId: `listGroupSync${noun}s`,
          params: workspaceParams,
          querystring:
            list === 'workspace' ? pageQuery : pageQuery.extend({ project: z.string().optional() }),
          response: { 200: page(shape) },
        },
      },
      async (request) => {
        const { limit, after, project } = request.query as z.infer<typeof pageQuery> & { project?: string }
        const rows = await listMappings(reading(services, request), await workspaceOf(request), list, {
          afterId: idCursor(after),
          limit: limit + 1,
          project: project === undefined ? null : { id: fromIdField('project', project, 'project') },
        })
        return toPage(rows, limit, one.render, (row) => row.id)
      },
    )

    app.get(
      `${base}/:${parameter}`,
      {
        schema: {
          tags,
          summary: `Read a mapping of ${of}`,
          operationId: `getGroupSync${noun}`,
          params,
          response: { 200: shape },
        },
      },
      async (request, reply) => {
        const context = reading(services, request)
        const row = await getMapping(context, await workspaceOf(request), list, mappingOf(request))
        return renderTo(reply)(row)
      },
    )

    app.patch(
      `${base}/:${parameter}`,
      {
        schema: {
          tags,
          summary: `Change a mapping of ${of}`,
          operationId: `updateGroupSync${noun}`,
          params,
          body: z.strictObject({
            idp_group_name: groupName.optional(),
            role: z.string().optional(),
            ...one.place,
          }),
          response: { 200: shape },
        },
      },
      async (request, reply) => {
        const body = request.body as Place & {
          idp_group_name?: string
          role?: string
        }
        const isPlaced = body.project !== undefined || body.all_projects !== undefined
        const workspaceId = await workspaceOf(request)
        const id = mappingOf(request)
        const update = {
          idpGroupName: body.idp_group_name,
          roleId: body.role === undefined ? undefined : fromIdField('role', body.role, 'role'),
          place: isPlaced ? placeOf(body) : undefined,
        }
        return (await write(services, request, reply, { status: 200, render: renderTo(reply) }, (context) =>
          updateMapping(context, workspaceId, list, id, update, expectedVersion(request)),
        )) as never
      },
    )

    app.delete(
      `${base}/:${parameter}`,
      {
        schema: {
          tags,
          summary: `Delete a mapping of ${of}; what it gave ends with a run that may remove`,
          operationId: `deleteGroupSync${noun}`,
          params,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const workspaceId = await workspaceOf(request)
        const id = mappingOf(request)
        return (await write(services, request, reply, { status: 204 }, (context) =>
          removeMapping(context, workspaceId, list, id, expectedVersion(request)),
        )) as never
      },
    )
  }
}
