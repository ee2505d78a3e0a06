import { randomUUID } from 'node:crypto'
import { readConfig } from '#src/config.ts'
import type { Actor } from '#src/directory/access/permission.ts'
import { applyChange } from '#src/directory/changes/change.ts'
import type { Context, Directory } from '#src/directory/context.ts'
import { createGroup } from '#src/directory/groups/group.ts'
import { DesiredMembers } from '#src/directory/member-syncs/desired-members.ts'
import { MEMBER_SYNC_TASK } from '#src/directory/member-syncs/member-sync.sql.ts'
import { memberSyncHandler } from '#src/directory/member-syncs/member-sync.tasks.ts'
import { createOrganization } from '#src/directory/organizations/organization.ts'
import type { OrganizationSettings } from '#src/directory/organizations/settings.ts'
import { openOutside } from '#src/outside.ts'
import type { Database } from '#src/platform/postgres/database.ts'
import { claimTasks } from '#src/platform/tasks/task.sql.ts'
import { uuidV7 } from '#src/platform/uuid.ts'
import { testMailing } from '../mailing.ts'
import type { State } from './directory-model.ts'
import { createGroup as createModelGroup, newOrganization } from './member-model.ts'
import type { Row } from './sync-model.ts'

type Key = Actor & { kind: 'api_key' }

/** One organization in the database, and what it has to be. */
export interface World {
  readonly database: Database
  readonly directory: Directory
  readonly organizationId: string
  readonly root: Actor
  readonly apiKey: Key
  state: State
}

export async function openWorld(
  database: Database,
  options: { groups?: number; settings?: OrganizationSettings } = {},
): Promise<World> {
  const outside = openOutside(readConfig({}))
  const directory: Directory = { database, wakeTasks: () => {}, mailing: testMailing(), ...outside }
  const root: Actor = { kind: 'root' }
  const { organization, owner } = await database.transaction((tx) =>
    createOrganization(tx, root, {
      ...{ name: 'World', slug: `w${randomUUID()}`, metadata: {} },
      settings: options.settings ?? {},
      owner: { email: 'owner@x.co' },
    }),
  )
  const key = { kind: 'api_key', id: uuidV7(), organizationId: organization.id } as const
  const world: World = {
    ...{ database, directory, organizationId: organization.id, root },
    apiKey: { ...key, scopes: ['*'], memberId: null, level: 'owner' },
    state: newOrganization({ id: owner.id, email: 'owner@x.co' }),
  }
  for (let n = 0; n < (options.groups ?? 1); n++) {
    const group = await change(world, (context) =>
      createGroup(context, { name: `Group ${n}`, externalReferenceId: null, metadata: {} }),
    )
    createModelGroup(world.state, group.id)
  }
  return world
}

/** Runs an operation as one change of the world's organization. */
export async function change<T>(
  world: World,
  work: (context: Context) => Promise<T>,
  actor: Actor = world.root,
): Promise<T> {
  const { directory, organizationId } = world
  return await applyChange(directory, { organizationId, actor }, work)
}

/** A key that acts as a member, an owner if not said otherwise. */
export function keyOf(
  { organizationId }: World,
  memberId: string,
  more: Partial<Pick<Key, 'scopes' | 'level' | 'permissions'>> = {},
): Key & { memberId: string } {
  const key = { kind: 'api_key', id: uuidV7(), organizationId, memberId } as const
  return { ...key, scopes: ['*'], level: 'owner', ...more }
}

/** The rows of a submission as a surface would collect them. */
export function desired(rows: readonly Row[]): DesiredMembers {
  const members = new DesiredMembers('reference_id')
  for (const { ref, email, displayName, firstName, lastName, attributes, invalid } of rows) {
    members.add({
      referenceId: ref,
      ...{ email: invalid === 'email' ? 'no address' : email, displayName, firstName, lastName },
      ...(attributes === undefined && invalid !== 'attributes'
        ? {}
        : { attributes: invalid === 'attributes' ? { phone: 'none' } : (attributes as object) }),
    })
  }
  return members
}

/** Carries out one waiting submission, as the task queue would. False if there is none. */
export async function runNextSync({
  database,
  directory,
}: Pick<World, 'database' | 'directory'>): Promise<boolean> {
  const [task] = await claimTasks(database, [MEMBER_SYNC_TASK], 1, 60)
  if (task === undefined) return false
  await memberSyncHandler(directory)(task)
  return true
}
