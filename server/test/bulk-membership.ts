import type { Context } from '#src/directory/context.ts'
import { actorSource } from '#src/directory/grants/actor-source.ts'
import { asMember, type Containers } from './campaigns/containers-world.ts'
import { change } from './campaigns/world.ts'

/** Projects of the workspace and groups with a role on one of them each, in their thousands. */
export interface Bulk {
  readonly projects: readonly string[]
  readonly groups: readonly string[]
}

const statement = (text: string, ...values: unknown[]) => ({ name: '', text, values })

/** Makes projects and groups; each project is administered by `keeperId`, so that anybody else may go. */
export async function makeBulk(
  containers: Containers,
  size: { projects: number; groups: number },
  keeperId: string,
): Promise<Bulk> {
  const { world, workspaceId, roleId } = containers
  const { organizationId, database } = world
  const projects = await database.rows<{ id: string }>(
    statement(
      `insert into project (organization_id, id, workspace_id, identifier, name, created_at, updated_at)
        select $1, uuid_v7(), $2, 'B' || n, 'Project ' || n, now(), now() from generate_series(1, $3) n
        returning id`,
      ...[organizationId, workspaceId, size.projects],
    ),
  )
  const groups = await database.rows<{ id: string }>(
    statement(
      `insert into org_group (organization_id, id, name, created_seq, created_at, updated_at)
        select $1, uuid_v7(), 'Group ' || n, 1000000 + n, now(), now() from generate_series(1, $2) n returning id`,
      ...[organizationId, size.groups],
    ),
  )
  const bulk = { projects: projects.map(({ id }) => id), groups: groups.map(({ id }) => id) }
  const viewer = await roleId('project', 'viewer')
  await change(world, async (context) => {
    const source = await actorSource(context)
    const opened = await context.db.run(
      statement(
        `insert into role_grant (organization_id, id, group_id, role_id, project_id, source_id, opened_change)
          select $1, uuid_v7(), g, $2, p, $3, $4 from unnest($5::uuid[], $6::uuid[]) one (g, p)`,
        ...[organizationId, viewer, source, context.change.id],
        ...[bulk.groups, bulk.groups.map((_, n) => bulk.projects[n % bulk.projects.length])],
      ),
    )
    context.change.count({ opened })
    context.change.describe({ kind: 'role.assigned' })
  })
  await enter(containers, keeperId, { projects: bulk.projects, groups: [] })
  return bulk
}

/** Makes a member of the workspace an admin of projects and puts it into groups. */
export async function enter(containers: Containers, memberId: string, bulk: Bulk): Promise<void> {
  const { world, roleId, give } = containers
  const admin = await roleId('project', 'admin')
  await change(world, await give(asMember(memberId), 'workspace', 'member'))
  await change(world, async (context: Context) => {
    const { db, organizationId, change: draft } = context
    const source = await actorSource(context)
    const roles = await db.run(
      statement(
        `insert into role_grant (organization_id, id, member_id, role_id, project_id, source_id, opened_change)
          select $1, uuid_v7(), $2, $3, p, $4, $5 from unnest($6::uuid[]) p`,
        ...[organizationId, memberId, admin, source, draft.id, bulk.projects],
      ),
    )
    const memberships = await db.run(
      statement(
        `insert into group_membership (organization_id, group_id, member_id, source_id, opened_change)
          select $1, g, $2, $3, $4 from unnest($5::uuid[]) g`,
        ...[organizationId, memberId, source, draft.id, bulk.groups],
      ),
    )
    draft.count({ opened: roles + memberships })
    draft.describe({ kind: 'role.assigned', memberId })
  })
}
