import type { Logger } from 'pino'
import type { Database } from '../../platform/postgres/database.ts'
import { GroupCommit } from '../../platform/postgres/group-commit.ts'
import type { ChangeLane } from '../changes/prepared-change.ts'
import { openScimAuthentication, type ScimAuthentication } from './authentication.ts'
import { openScimLimits, type ScimLimits } from './limits.ts'
import { openScimRequestLog, type ScimRequestLog } from './request-log.ts'

/** What this process keeps for the SCIM clients that it serves. */
export interface ScimServiceProvider {
  readonly authentication: ScimAuthentication
  readonly limits: ScimLimits
  readonly requestLog: ScimRequestLog
  readonly commits: GroupCommit<ChangeLane>
  /** Writes what has not been written yet. */
  close(): Promise<void>
}

export function openScimServiceProvider(database: Database, log: Logger): ScimServiceProvider {
  const authentication = openScimAuthentication(database)
  const requestLog = openScimRequestLog(database, log)
  return {
    ...{ authentication, requestLog, limits: openScimLimits() },
    commits: new GroupCommit(database),
    async close() {
      await requestLog.close()
      await authentication.close()
    },
  }
}
