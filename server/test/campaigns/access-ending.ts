import assert from 'node:assert/strict'
import { type AccessCheck, checkAccess } from '#src/directory/access/check.ts'
import type { EndingGrant } from '#src/directory/access/member-access.ts'
import { openContext, recordChange } from '#src/directory/changes/change.ts'
import type { Context } from '#src/directory/context.ts'
import { endMembershipOfSource } from '#src/directory/grants/group-membership.sql.ts'
import { findStandingSource, type SourceKind } from '#src/directory/grants/source.ts'
import { removeGroupMember } from '#src/directory/groups/membership.ts'
import { removeMember } from '#src/directory/members/lifecycle.ts'
import { createMember } from '#src/directory/members/member.ts'
import { revokeAssignment } from '#src/directory/roles/assignment.ts'
import type { Target } from '#src/directory/roles/target.ts'
import type { Transaction } from '#src/platform/postgres/database.ts'
import { sql } from '#src/platform/postgres/sql.ts'
import type { World } from './world.ts'

class RolledBack extends Error {}

interface Question {
  readonly member: string
  readonly permission: string
  readonly target: Target
}

/** Ends exactly what a check names: the access is lost. Leaves out any one of it: the access stays. */
export async function endingTakesAway(
  world: World,
  { member, permission, target }: Question,
  { wholeGroups }: { wholeGroups: boolean },
): Promise<void> {
  const check: AccessCheck = { memberId: member, permission, target }
  const answer = async (db: Pick<Transaction, 'row' | 'rows' | 'run'>) =>
    await checkAccess({ db, actor: world.root, organizationId: world.organizationId }, check)
  const { allowed, lostByEnding } = await answer(world.database)
  assert.ok(allowed && lostByEnding.length > 0, 'nothing is named')
  const isLeft = async (ended: readonly EndingGrant[]) => {
    let left: boolean | undefined
    await world.database
      .transaction(async (tx) => {
        const step = stepIn(world, tx)
        // Somebody else is an owner, and an admin wherever the member is, whatever is ended.
        let spare = ''
        await step(async (context) => {
          spare = (await createMember(context, { externalReferenceId: 'spare', level: 'owner' })).id
        })
        await step((context) => giveAdminRoles(context, member, spare))
        for (const work of await endingWorks(world, tx, { member, ended, wholeGroups })) await step(work)
        left = (await answer(tx)).allowed
        throw new RolledBack()
      })
      .catch((error: unknown) => {
        if (!(error instanceof RolledBack)) throw error
      })
    return left
  }
  assert.equal(await isLeft(lostByEnding), false, `still there without ${JSON.stringify(lostByEnding)}`)
  for (const kept of lostByEnding) {
    const ended = lostByEnding.filter((one) => one !== kept)
    assert.equal(await isLeft(ended), true, `lost by ending only ${JSON.stringify(ended)}`)
  }
}

/** What somebody has as an admin of workspaces and projects, for somebody else too. */
async function giveAdminRoles(context: Context, from: string, to: string): Promise<void> {
  const { db, organizationId, change } = context
  const opened = await db.run(sql`
    insert into role_grant (organization_id, id, member_id, role_id, workspace_id, project_id, source_id, opened_change)
    select distinct on (g.role_id, g.target_id) g.organization_id, uuid_v7(), ${to}::uuid, g.role_id, g.workspace_id,
      g.project_id, g.source_id, ${change.id}::uuid
    from role_grant g
    join role r on r.organization_id = g.organization_id and r.id = g.role_id and r.key in ('owner', 'admin')
    where g.organization_id = ${organizationId} and g.member_id = ${from} and g.ended_change is null
      and g.target_id is not null`)
  if (opened === 0) return
  change.count({ opened })
  change.describe({ kind: 'role.assigned', memberId: to })
}

type Work = (context: Context) => Promise<unknown>

/** Runs operations one after the other in one transaction, each as a change of its own. */
const stepIn = (world: World, tx: Transaction) => async (work: Work) => {
  const context = openContext(tx, { organizationId: world.organizationId, actor: world.root })
  await work(context)
  await recordChange(context)
}

/** How to end grants by themselves; with `wholeGroups`, by removing the member where every source is named. */
async function endingWorks(
  world: World,
  tx: Transaction,
  { member, ended, wholeGroups }: { member: string; ended: readonly EndingGrant[]; wholeGroups: boolean },
): Promise<Work[]> {
  const works: Work[] = []
  const memberships = ended.filter((one) => one.grant === 'group_membership')
  for (const one of ended) {
    if (one.grant === 'role') works.push((context) => revokeAssignment(context, one.id))
    if (one.grant === 'organization_membership') works.push((context) => removeMember(context, member))
  }
  for (const [groupId, named] of Map.groupBy(memberships, (one) => one.groupId)) {
    const sources = await countSources(world, tx, groupId, member)
    if (wholeGroups && sources === named.length) {
      works.push((context) => removeGroupMember(context, groupId, member))
    } else works.push(...named.map(({ source }) => endOfSource(groupId, member, source as SourceKind)))
  }
  return works
}

async function countSources(world: World, tx: Transaction, groupId: string, member: string): Promise<number> {
  const row = await tx.row(sql<{ count: number }>`
    select count(*) as count from group_membership
    where organization_id = ${world.organizationId} and group_id = ${groupId} and member_id = ${member}
      and (expires_at is null or expires_at > now())`)
  return row!.count
}

const endOfSource =
  (groupId: string, memberId: string, kind: SourceKind): Work =>
  async ({ db, organizationId, change }) => {
    const sourceId = await findStandingSource(db, organizationId, kind)
    const grant = { groupId, memberId, sourceId, changeId: change.id }
    const ended = await endMembershipOfSource(db, organizationId, grant)
    assert.equal(ended, 1)
    change.count({ ended })
    change.describe({ kind: 'group.member_removed', groupId, memberId })
  }
