import type { Context, ReadContext } from '../context.ts'

/** The connection that acts; everything it reads and writes is its own. */
export function connectionOf({ actor }: Context | ReadContext): string {
  if (actor.kind !== 'scim_connection') throw new Error('only a SCIM connection provisions')
  return actor.id
}
