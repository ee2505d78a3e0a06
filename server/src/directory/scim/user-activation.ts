import type { WriteKind } from '../../platform/postgres/group-commit.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { expectingNoSeats } from '../changes/invariants.sql.ts'
import type { ChangeLane, PreparedChange } from '../changes/prepared-change.ts'
import { endingKeys, membersOf } from './prepared-user.sql.ts'
import type { ScimUserRow } from './user.sql.ts'
import { activatingPeople, activationKind, type UserActivation } from './user-activation.sql.ts'
import { userConflict } from './user-refusals.ts'

type Kind = WriteKind<ChangeLane, UserActivation>

const activation: Kind = {
  mayWait: false,
  statements: ({ organizationId, actor }, users) => [
    activatingPeople(organizationId, actor, true, users),
    expectingNoSeats(organizationId, membersOf(organizationId, users)),
  ],
}

const deactivation: Kind = {
  mayWait: false,
  statements: ({ organizationId, actor }, users) => [
    activatingPeople(organizationId, actor, false, users),
    endingKeys(organizationId, membersOf(organizationId, users), users[0]!.now),
  ],
}

/**
 * Prepares that a user becomes active or inactive and stays as it is otherwise: what identity providers ask most. Nothing
 * is read before; what is not so simple takes the way of `changeScimUser`.
 */
export function prepareScimUserActivation(id: string, active: boolean): PreparedChange<ScimUserRow> {
  const row = { id, change_id: uuidV7(), now: new Date() }
  return {
    result: (answer) => answer as ScimUserRow,
    write: {
      ...{ kind: active ? activation : deactivation, row },
      record: { kind: activationKind(active), detail: { scim_user: id } },
      refuse: userConflict,
    },
  }
}
