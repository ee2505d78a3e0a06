import { sqlState, violatedConstraint } from '../../platform/postgres/database.ts'
import { Conflict } from '../changes/conflicts.ts'
import { DirectoryError } from '../errors.ts'
import { memberConflict } from '../members/member.ts'
import { connectionGone } from './roster.sql.ts'

export function userNotFound(): DirectoryError {
  return new DirectoryError('scim_user.not_found', 'There is no user with this id.')
}

/** A user without a place in the lists of its connection. */
const NOT_NULL_VIOLATION = '23502'

export function userConflict(error: unknown): never {
  if (sqlState(error) === NOT_NULL_VIOLATION) connectionGone()
  const constraint = violatedConstraint(error)
  if (constraint === 'scim_user_name') {
    throw new DirectoryError(
      'scim_user.user_name_taken',
      'Another user of this connection has this userName; letter case does not tell them apart.',
      { field: 'userName' },
    )
  }
  if (constraint === 'scim_user_member') throw new Conflict('linked meanwhile')
  return memberConflict(error)
}

/** An address that somebody has since it was looked for: tried again, the member may be taken over. */
export function newUserConflict(error: unknown): never {
  try {
    return userConflict(error)
  } catch (refusal) {
    if (!(refusal instanceof DirectoryError) || refusal.code !== 'member.email_taken') throw refusal
    throw new Conflict('the address was taken meanwhile', { cause: refusal })
  }
}
