import type { Context, ReadContext } from '../context.ts'

/** One identity provider's SCIM client and the organization it provisions. */
export interface ScimConnection {
  readonly organizationId: string
  readonly connectionId: string
}

/** The connection that acts; everything it reads and writes is its own. */
export function connectionOf({ actor }: Context | ReadContext): string {
  if (actor.kind !== 'scim_connection') throw new Error('only a SCIM connection provisions')
  return actor.id
}
