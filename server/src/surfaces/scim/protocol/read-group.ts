import { readMemberIds } from './group-members.ts'
import { isJsonObject, memberOf } from './json-object.ts'
import { readResource } from './read-resource.ts'
import { groupType } from './registry.ts'

/** A group as a client writes it whole. */
export interface WrittenGroup {
  readonly displayName: string
  readonly externalId: string | null
  /** Ids of users; none for a body without members, which clears them (RFC 7644 section 3.5.1). */
  readonly members: readonly string[]
}

/**
 * Reads the body of a POST or PUT of a group.
 *
 * @throws ScimError 400: `invalidSyntax`, `invalidValue`, as `readResource` and `readMemberIds`
 */
export function readGroup(body: unknown): WrittenGroup {
  const { displayName, externalId } = readResource(groupType, body)
  return {
    // Required by its schema and of this type: readResource has seen to both.
    displayName: displayName as string,
    externalId: (externalId as string | undefined) ?? null,
    members: readMemberIds(isJsonObject(body) ? memberOf(body, 'members') : undefined),
  }
}
