import type { Database } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

/** How long answers for Idempotency-Key are kept. */
const IDEMPOTENCY_HOURS = 24

export async function deleteOldIdempotencyKeys(db: Database): Promise<number> {
  return await db.run(sql`
    delete from idempotency_key where created_at < now() - make_interval(hours => ${IDEMPOTENCY_HOURS})`)
}
