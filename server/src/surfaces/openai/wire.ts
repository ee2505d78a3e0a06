import { DirectoryError, type DirectoryErrorCode } from '../../directory/errors.ts'
import { decodeId, encodeId, idPrefixes } from '../http/prefixed-id.ts'

/** OpenAI's ids: a prefix and the base64url of the UUID. The Directory API's own ids name the same things. */
const prefixes = {
  organization: ['org_'],
  group: ['group_', idPrefixes.group],
  user: ['user-', idPrefixes.member],
  project: ['proj_', idPrefixes.project],
  role: [idPrefixes.role],
  invite: ['invite-'],
} as const satisfies Record<string, readonly [string, ...string[]]>

export type OpenaiNoun = keyof typeof prefixes

export function toOpenaiId(noun: OpenaiNoun, uuid: string): string {
  return encodeId(prefixes[noun][0], uuid)
}

/** The UUID behind an id in any of its forms, or undefined. */
export function decodeOpenaiId(noun: OpenaiNoun, id: string): string | undefined {
  for (const prefix of prefixes[noun]) {
    const uuid = decodeId(prefix, id)
    if (uuid !== undefined) return uuid
  }
  return undefined
}

const NOT_FOUND: Record<Exclude<OpenaiNoun, 'organization' | 'role'>, [DirectoryErrorCode, string]> = {
  group: ['group.not_found', 'There is no group with this id.'],
  user: ['member.not_found', 'There is no user with this id.'],
  project: ['project.not_found', 'There is no project with this id.'],
  invite: ['invitation.not_found', 'There is no invite with this id.'],
}

/**
 * The UUID behind an id of a path or, with `field`, of a body. A malformed id is an unknown one. Where a single thing
 * was asked for by its id, the answer calls it by that very id.
 *
 * @throws {DirectoryError} not_found
 */
export function fromOpenaiId(noun: keyof typeof NOT_FOUND, id: string, field?: string): string {
  const uuid = decodeOpenaiId(noun, id)
  if (uuid !== undefined) return uuid
  const [code, message] = NOT_FOUND[noun]
  throw new DirectoryError(code, message, field === undefined ? {} : { field })
}

/** Unix seconds, as every time of the dialect. */
export function toUnixSeconds(moment: string): number {
  return Math.floor(Date.parse(moment) / 1000)
}

/**
 * Runs something and gives its refusals the names that fields have in this dialect.
 *
 * @param names the directory's name of a field, or the code of a refusal that names none, to this dialect's name
 */
export async function withFields<T>(
  names: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error
    const { code, message, details } = error
    const field = names[details.field ?? code]
    if (field === undefined) throw error
    const said = message.startsWith(`${details.field} `)
      ? field + message.slice(details.field!.length)
      : message
    throw new DirectoryError(code, said, { ...details, field })
  }
}
