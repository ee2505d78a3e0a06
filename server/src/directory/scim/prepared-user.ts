import type { GroupedWrite, WriteKind } from '../../platform/postgres/group-commit.ts'
import { expectingNoSeats } from '../changes/invariants.sql.ts'
import type { ChangeLane } from '../changes/prepared-change.ts'
import {
  endingKeys,
  insertingPeople,
  membersOf,
  type PreparedUser,
  type PreparedUserUpdate,
  updatingPeople,
} from './prepared-user.sql.ts'

type Kind<Row> = WriteKind<ChangeLane, Row>

const creation: Kind<PreparedUser> = {
  mayWait: true,
  statements: ({ organizationId, actor }, users) => [insertingPeople(organizationId, actor, users, false)],
}

const creationOfNew: Kind<PreparedUser> = {
  mayWait: true,
  statements: ({ organizationId, actor }, users) => [insertingPeople(organizationId, actor, users, true)],
}

const update: Kind<PreparedUserUpdate> = {
  mayWait: false,
  statements: ({ organizationId, actor }, users) => [updatingPeople(organizationId, actor, users)],
}

const activation: Kind<PreparedUserUpdate> = {
  mayWait: false,
  statements: ({ organizationId, actor }, users) => [
    updatingPeople(organizationId, actor, users),
    expectingNoSeats(organizationId, membersOf(organizationId, users)),
  ],
}

const deactivation: Kind<PreparedUserUpdate> = {
  mayWait: false,
  statements: ({ organizationId, actor }, users) => [
    updatingPeople(organizationId, actor, users),
    endingKeys(organizationId, membersOf(organizationId, users), users[0]!.now),
  ],
}

/** Creates a user. @param leavesKnown not where a member has or had its address: what is answered (`CreatedRow`) tells */
export function creating(row: PreparedUser, leavesKnown: boolean): GroupedWrite<ChangeLane> {
  return { kind: leavesKnown ? creationOfNew : creation, row }
}

/** Changes a user; `turns` says where it is activated or deactivated. */
export function updatingUser(
  row: PreparedUserUpdate,
  turns: 'on' | 'off' | undefined,
): GroupedWrite<ChangeLane> {
  if (turns === undefined) return { kind: update, row }
  return { kind: turns === 'on' ? activation : deactivation, row }
}
