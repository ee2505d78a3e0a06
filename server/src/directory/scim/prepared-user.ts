import type { GroupedWrite, WriteKind } from '../../platform/postgres/group-commit.ts'
import type { ChangeLane } from '../changes/prepared-change.ts'
import {
  endingKeys,
  expectingNoSeats,
  insertingPeople,
  type PreparedUser,
  type PreparedUserUpdate,
  updatingPeople,
} from './prepared-user.sql.ts'

type Kind<Row> = WriteKind<ChangeLane, Row>

const creation: Kind<PreparedUser> = {
  name: 'SCIM user creation',
  statements: ({ organizationId, actor }, users) => [insertingPeople(organizationId, actor, users)],
}

const update: Kind<PreparedUserUpdate> = {
  name: 'SCIM user update',
  statements: ({ organizationId, actor }, users) => [updatingPeople(organizationId, actor, users)],
}

const activation: Kind<PreparedUserUpdate> = {
  name: 'SCIM user activation',
  statements: ({ organizationId, actor }, users) => [
    updatingPeople(organizationId, actor, users),
    expectingNoSeats(organizationId, users),
  ],
}

const deactivation: Kind<PreparedUserUpdate> = {
  name: 'SCIM user deactivation',
  statements: ({ organizationId, actor }, users) => [
    updatingPeople(organizationId, actor, users),
    endingKeys(organizationId, users),
  ],
}

/** Creates a user. */
export const creating = (row: PreparedUser): GroupedWrite<ChangeLane> => ({ kind: creation, row })

/** Changes a user; `turns` says where it is activated or deactivated. */
export function updatingUser(
  row: PreparedUserUpdate,
  turns: 'on' | 'off' | undefined,
): GroupedWrite<ChangeLane> {
  if (turns === undefined) return { kind: update, row }
  return { kind: turns === 'on' ? activation : deactivation, row }
}
