import assert from 'node:assert/strict'
import type { Context } from '#src/directory/context.ts'
import { createMember } from '#src/directory/members/member.ts'
import { createProject } from '#src/directory/projects/project.ts'
import { assignRole, type Subject } from '#src/directory/roles/assignment.ts'
import type { Target } from '#src/directory/roles/target.ts'
import { createWorkspace } from '#src/directory/workspaces/workspace.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import { openInviting } from '../inviting.ts'
import { changeOf } from './authority.ts'
import { assertSound } from './snapshot.ts'
import { change, type World } from './world.ts'

export type Containers = Awaited<ReturnType<typeof openContainers>>
type Work = (context: Context) => Promise<unknown>

export const asMember = (id: string): Subject => ({ kind: 'member', id })

/** An organization that invites people to a workspace with one project, nobody on either. */
export async function openContainers(database: Database, purchasedSeats: number | null = null) {
  const inviting = await openInviting(database)
  const { world } = inviting
  const slug = `w${world.organizationId}`
  const fields = { slug, name: 'Space', metadata: {}, purchasedSeats }
  const { id: workspaceId } = await change(world, (context) => createWorkspace(context, fields))
  const input = { workspaceSlug: slug, identifier: 'P', name: 'Project', metadata: {} }
  const { id: projectId } = await change(world, (context) => createProject(context, input))
  const targets = {
    workspace: { kind: 'workspace', id: workspaceId },
    project: { kind: 'project', id: projectId },
  } as const satisfies Record<string, Target>
  let made = 0
  const give = async (subject: Subject, kind: keyof typeof targets, key: string): Promise<Work> => {
    const roleId = await inviting.roleId(kind, key)
    return (context) => assignRole(context, { subject, roleId, target: targets[kind] })
  }
  return {
    ...inviting,
    ...{ slug, workspaceId, projectId, give },
    changeOf: (work: Work): Promise<string> => changeOf(world, work),
    /** A new member of the organization, with a role on the workspace or none. */
    async person(key: string | null = null): Promise<string> {
      const input = { email: `c${++made}@x.co` }
      const { id } = await change(world, (context) => createMember(context, input))
      if (key !== null) await change(world, await give(asMember(id), 'workspace', key))
      return id
    },
    /** What an invitation to the workspace gives. */
    async offer(key: string, more: readonly { roleId: string; projectId: string }[] = []) {
      return [{ roleId: await inviting.roleId('workspace', key), workspaceId }, ...more]
    },
  }
}

/** The rules of containers, asked for in words of their own, not by what the product asks itself. */
export async function assertContainers(world: World): Promise<void> {
  await assertSound(world)
  const { database, organizationId } = world
  const unheld = await database.rows(sql<{ kind: string; id: string }>`
    with admin as (
      select g.project_id, g.workspace_id from role_grant g
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      join member m on m.organization_id = g.organization_id and m.id = g.member_id
      where g.organization_id = ${organizationId} and g.ended_change is null and m.status = 'active'
        and (r.resource = 'project' and r.key = 'admin' or r.resource = 'workspace' and r.key in ('owner', 'admin'))
    ), held_once as (
      select distinct coalesce(g.project_id, g.workspace_id) as id from role_grant g
      join role r on r.organization_id = g.organization_id and r.id = g.role_id
      where g.organization_id = ${organizationId} and g.member_id is not null and r.key in ('owner', 'admin')
    )
    select 'project' as kind, p.id from project p
    where p.organization_id = ${organizationId} and p.workspace_id is not null and p.archived_at is null
      and p.id in (select id from held_once) and p.id not in (select project_id from admin where project_id is not null)
    union all
    select 'workspace', w.id from workspace w
    where w.organization_id = ${organizationId} and w.id in (select id from held_once)
      and w.id not in (select workspace_id from admin where workspace_id is not null)`)
  assert.deepEqual(unheld, [], 'nobody administers this any more')
  const overdrawn = await database.rows(sql<{ purchased_seats: number }>`
    select w.purchased_seats from workspace w
    join role_grant g on g.organization_id = w.organization_id and g.workspace_id = w.id and g.ended_change is null
    join role r on r.organization_id = g.organization_id and r.id = g.role_id and r.key is distinct from 'guest'
    left join group_membership gm on gm.organization_id = g.organization_id and gm.group_id = g.group_id
    join member m on m.organization_id = w.organization_id and m.id = coalesce(g.member_id, gm.member_id)
    where w.organization_id = ${organizationId} and m.status = 'active'
    group by w.id, w.purchased_seats having count(distinct m.id) > w.purchased_seats`)
  assert.deepEqual(overdrawn, [], 'more seats are used than bought')
  const doubled = await database.rows(sql<{ email_key: string }>`
    select email_key from invitation where organization_id = ${organizationId} and status = 'pending'
    group by email_key, workspace_id having count(*) > 1`)
  assert.deepEqual(doubled, [], 'two pending invitations of one address to one target')
  const strays = await database.rows(sql<{ about_id: string }>`
    select o.about_id from mail o join invitation i on i.organization_id = o.organization_id and i.id = o.about_id
    where o.organization_id = ${organizationId} and o.status = 'pending'
    group by o.about_id having count(*) > 1 or bool_or(i.status in ('accepted', 'revoked'))`)
  assert.deepEqual(strays, [], 'a mail waits with a link that does not work')
}
