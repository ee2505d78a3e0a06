import type { FastifyPluginAsync } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { applyChange } from '../../directory/changes/change.ts'
import { annotateProject } from '../../directory/projects/annotate.ts'
import type { ProjectRow } from '../../directory/projects/project.ts'
import { annotateWorkspace } from '../../directory/workspaces/annotate.ts'
import { getWorkspace, type WorkspaceRow } from '../../directory/workspaces/workspace.ts'
import { projectFeatures, readNote, toNotes } from './project-notes.ts'
import { inOrganization, type PlaneServices } from './scope.ts'
import { changeProject, shownProject } from './shown-project.ts'
import { projectParams, workspaceParams } from './wire.ts'

const WORKSPACE_FEATURES = ['project_grouping', 'initiatives', 'teams', 'customers', 'wiki', 'pi'] as const
type ProjectFeature = keyof typeof projectFeatures
const PROJECT_FEATURES = Object.keys(projectFeatures) as ProjectFeature[]

/** An object of switches, all of them there. */
function switches<Name extends string>(names: readonly Name[], values: (name: Name) => boolean) {
  return Object.fromEntries(names.map((name) => [name, values(name)])) as Record<Name, boolean>
}

const flags = <Name extends string>(names: readonly Name[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, z.boolean()])) as Record<Name, z.ZodBoolean>)

const workspaceFeatures = flags(WORKSPACE_FEATURES).meta({ id: 'PlaneWorkspaceFeatures' })
const shownProjectFeatures = flags(PROJECT_FEATURES).meta({ id: 'PlaneProjectFeatures' })

const keyOf = (name: string) => `plane_${name}`

function toWorkspaceFeatures({ metadata }: WorkspaceRow) {
  return switches(WORKSPACE_FEATURES, (name) => metadata[keyOf(name)] === true)
}

function toProjectFeatures(row: ProjectRow) {
  return switches(PROJECT_FEATURES, (name) => readNote<boolean>(row, projectFeatures[name]))
}

const tags = ['Plane: features']

/** Which parts of the vendor's product are switched on: kept in metadata, nothing acts on it. */
export function featureRoutes(services: PlaneServices): FastifyPluginAsync {
  return async (plain) => {
    const app = plain.withTypeProvider<ZodTypeProvider>()

    app.get(
      '/features',
      {
        schema: {
          tags,
          summary: 'Get workspace features',
          operationId: 'planeGetWorkspaceFeatures',
          params: workspaceParams,
          response: { 200: workspaceFeatures },
        },
      },
      async (request) => {
        const context = inOrganization(services, request.actor)
        return toWorkspaceFeatures(await getWorkspace(context, request.params.slug))
      },
    )

    app.patch(
      '/features',
      {
        schema: {
          tags,
          summary: 'Update workspace features',
          operationId: 'planeUpdateWorkspaceFeatures',
          params: workspaceParams,
          body: flags(WORKSPACE_FEATURES).partial().nullish(),
          response: { 200: workspaceFeatures },
        },
      },
      async (request) => {
        const stated = Object.entries(request.body ?? {})
        const entries = Object.fromEntries(
          stated.flatMap(([name, value]) => (value === undefined ? [] : [[keyOf(name), value]])),
        )
        const row = await applyChange(
          services.directory,
          inOrganization(services, request.actor),
          (context) => annotateWorkspace(context, request.params.slug, entries),
        )
        return toWorkspaceFeatures(row)
      },
    )

    app.get(
      '/projects/:project_id/features',
      {
        schema: {
          tags,
          summary: 'Get project features',
          operationId: 'planeGetProjectFeatures',
          params: projectParams,
          response: { 200: shownProjectFeatures },
        },
      },
      async (request) => toProjectFeatures(await shownProject(services, request)),
    )

    app.patch(
      '/projects/:project_id/features',
      {
        schema: {
          tags,
          summary: 'Update project features',
          operationId: 'planeUpdateProjectFeatures',
          params: projectParams,
          body: flags(PROJECT_FEATURES).partial().nullish(),
          response: { 200: shownProjectFeatures },
        },
      },
      async (request) => {
        const stated = Object.entries(request.body ?? {}).map(([name, value]) => [
          projectFeatures[name as ProjectFeature],
          value,
        ])
        const notes = toNotes(Object.fromEntries(stated))
        return toProjectFeatures(
          await changeProject(services, request, (context, id) => annotateProject(context, id, notes)),
        )
      },
    )
  }
}
