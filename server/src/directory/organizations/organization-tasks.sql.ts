import type { Transaction } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { uuidV7 } from '../../platform/uuid.ts'
import { MEMBER_SYNC_TASK } from '../member-syncs/member-sync.sql.ts'
import { OUTBOX_TASK } from '../outbox/mail.sql.ts'

/** Asks again for the work of an organization that was deleted meanwhile. */
export async function wakeOrganizationTasks(tx: Transaction, organizationId: string): Promise<void> {
  await tx.run(sql`
    insert into task (id, kind, key, organization_id, run_at)
    select distinct on (group_id) uuid_v7(), ${MEMBER_SYNC_TASK}, group_id::text, organization_id, now()
    from member_sync where organization_id = ${organizationId} and status = 'pending'
    on conflict (kind, key) do update set wakes = task.wakes + 1`)
  await tx.run(sql`
    insert into task (id, kind, key, organization_id, run_at)
    select ${uuidV7()}, ${OUTBOX_TASK}, organization_id::text, organization_id, now()
    from mail where organization_id = ${organizationId} and status = 'pending' limit 1
    on conflict (kind, key) do update set wakes = task.wakes + 1`)
}
