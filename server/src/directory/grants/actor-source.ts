import type { Context } from '../context.ts'
import { findStandingSource } from './source.ts'

/** The source of a grant that an actor makes by itself: `api` for keys, `manual` for everybody else. */
export async function actorSource(context: Context): Promise<string> {
  const kind = context.actor.kind === 'api_key' ? 'api' : 'manual'
  return await findStandingSource(context.db, context.organizationId, kind)
}
