import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import type { KeyScopeServices } from '../http/key-scope.ts'
import { projectParams } from './project-wire.ts'
import { groupRoles, userRoles } from './role-holder-kinds.ts'
import { roleHolderRoutes } from './role-holders.ts'
import { roleRoutes } from './roles.ts'
import { fromOpenaiId } from './wire.ts'

function onProject(_context: ReadContext, params: z.infer<typeof projectParams>) {
  const id = fromOpenaiId('project', params.project_id)
  return { target: { kind: 'project', id }, place: { kind: 'project', id } } as const
}

/** What lies below `/v1/projects`: the roles of a project, and who has them there. */
export function projectRoleRoutes(services: KeyScopeServices): FastifyPluginAsync {
  return async (app) => {
    roleRoutes(app, services, {
      path: '/:project_id/roles',
      params: projectParams,
      tag: 'OpenAI: project roles',
      operation: 'ProjectRole',
      home: onProject,
    })
    roleHolderRoutes(
      app,
      services,
      groupRoles({
        path: '/:project_id/groups/:group_id/roles',
        params: projectParams.extend({ group_id: z.string() }),
        tag: 'OpenAI: project group roles',
        operation: 'ProjectGroupRole',
        on: onProject,
      }),
    )
    roleHolderRoutes(
      app,
      services,
      userRoles({
        path: '/:project_id/users/:user_id/roles',
        params: projectParams.extend({ user_id: z.string() }),
        tag: 'OpenAI: project user roles',
        operation: 'ProjectUserRole',
        on: onProject,
      }),
    )
  }
}
