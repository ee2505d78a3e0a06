import type { AccessDecision, PathRow } from '#src/directory/access/check.ts'
import type { EndingGrant, HeldRole } from '#src/directory/access/member-access.ts'
import type { RolePathRow } from '#src/directory/access/paths.sql.ts'
import { type Asked, sinceOf, untilOf, type Way } from './access-answers.ts'
import { type Grant, NOW, ORGANIZATION } from './access-model.ts'

/** What is compared of the answers of the database and of the model, both in one form. */
export const byText = (one: object, other: object) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)

/** What is compared of a way of a check: a past one says when it ended, a present one when it will by itself. */
export function wayOf(asked: Asked, { role, membership }: Way) {
  const endOf = (grant: Grant) => (asked.at === NOW ? grant.expires : untilOf(asked, grant))
  return {
    ...{ grant: role.id, role: role.of, place: role.place, source: role.source, end: endOf(role) },
    group: membership === null ? null : membership.of,
    membership:
      membership === null
        ? null
        : { ...{ source: membership.source, end: endOf(membership) }, change: changeOf(asked, membership) },
  }
}

export const changeOf = ({ state }: Asked, grant: Grant) => state.changes[grant.opened - 1]!.id

export const placeOf = (row: { workspace_id: string | null; project_id: string | null }) =>
  row.workspace_id ?? row.project_id ?? ORGANIZATION

export function comparable({ allowed, status, paths, lostByEnding }: AccessDecision) {
  return {
    ...{ allowed, status, lostByEnding: namesOf(lostByEnding) },
    ways: paths
      .map((path: PathRow) => ({
        ...{ grant: path.role_grant_id, role: path.role_id, place: placeOf(path), source: path.source },
        ...{ end: path.expires_at, group: path.group_id },
        membership:
          path.group_id === null
            ? null
            : {
                ...{ source: path.membership_source, end: path.membership_expires_at },
                change: path.membership_change,
              },
      }))
      .sort(byText),
  }
}

function namesOf(ending: readonly EndingGrant[]): string[] {
  const names = ending.map((one) => {
    if (one.grant === 'role') return `role ${one.id}`
    return one.grant === 'group_membership' ? `group_membership ${one.groupId} ${one.source}` : one.grant
  })
  return names.sort()
}

/** What is compared of a way of a role. */
export function explained(asked: Asked, { role, membership }: Way) {
  const timesOf = (grant: Grant) => ({
    ...{ source: grant.source, change: changeOf(asked, grant) },
    ...{ since: sinceOf(asked, grant), until: untilOf(asked, grant) },
  })
  return {
    ...{ grant: role.id, ...timesOf(role), group: membership === null ? null : membership.of },
    membership: membership === null ? null : timesOf(membership),
  }
}

export function comparableRole({ role, target, since, until, paths, lostByEnding }: HeldRole) {
  return {
    ...{ role: role.role_id, place: target.id ?? ORGANIZATION, since, until },
    ways: paths.map(comparablePath).sort(byText),
    lostByEnding: namesOf(lostByEnding),
  }
}

function comparablePath(path: RolePathRow) {
  const membership = {
    ...{ source: path.membership_source, change: path.membership_change },
    ...{ since: path.membership_since, until: path.membership_until },
  }
  return {
    ...{ grant: path.role_grant_id, source: path.source_kind, change: path.opened_change },
    ...{ since: path.since, until: path.until, group: path.group_id },
    membership: path.group_id === null ? null : membership,
  }
}
