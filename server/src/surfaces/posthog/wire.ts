import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { applyChange, applyChanges } from '../../directory/changes/change.ts'
import type { Context, ReadContext } from '../../directory/context.ts'
import { DirectoryError, type DirectoryErrorCode } from '../../directory/errors.ts'
import { inOrganization, type KeyScopeServices } from '../http/key-scope.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The UUID that a text is, or undefined. */
function decodeUuid(text: string): string | undefined {
  const lower = text.toLowerCase()
  return UUID.test(lower) ? lower : undefined
}

/** An id in a body or a query. */
export const uuid = z
  .string()
  .transform((text, context) => {
    const id = decodeUuid(text)
    if (id === undefined) context.addIssue({ code: 'custom', message: 'must be a UUID' })
    return id ?? ''
  })
  .meta({ format: 'uuid' })

const NOT_FOUND = {
  domain: ['domain.not_found', 'There is no domain with this id.'],
  config: ['identity_provider.not_found', 'There is no identity provider config with this id.'],
  invite: ['invitation.not_found', 'There is no invite with this id.'],
  integration: ['integration.not_found', 'There is no integration with this id.'],
  member: ['member.not_found', 'There is no member with this id.'],
  role: ['role.not_found', 'There is no role with this id.'],
  roleMembership: ['role_assignment.not_found', 'There is no role membership with this id.'],
} as const satisfies Record<string, readonly [DirectoryErrorCode, string]>

/** The UUID behind an id of a path. A malformed id is an unknown one. @throws {DirectoryError} not_found */
export function fromPath(noun: keyof typeof NOT_FOUND, id: string): string {
  const found = decodeUuid(id)
  if (found !== undefined) return found
  const [code, message] = NOT_FOUND[noun]
  throw new DirectoryError(code, message)
}

/** Stands for the key's organization. */
const CURRENT = '@current'

export const organizationParams = z.object({ organization_id: z.string() })

interface OrganizationRequest {
  readonly actor: FastifyRequest['actor']
  readonly params: { organization_id: string }
}

/**
 * The organization of the path, which has to be the key's. Of another one nothing is told, not even that it is there.
 *
 * @throws {DirectoryError} permission.denied
 */
export function reading(services: KeyScopeServices, request: OrganizationRequest): ReadContext {
  const context = inOrganization(services, request.actor)
  const { organization_id: asked } = request.params
  if (asked === CURRENT || decodeUuid(asked) === context.organizationId) return context
  throw new DirectoryError('permission.denied', 'The key does not give access to this organization.')
}

/** Runs one operation on the organization of the path. */
export async function write<T>(
  services: KeyScopeServices,
  request: OrganizationRequest,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  return await applyChange(services.directory, reading(services, request), work)
}

/** Runs several operations on the organization of the path, together or not at all. */
export async function writeAll(
  services: KeyScopeServices,
  request: OrganizationRequest,
  works: readonly ((context: Context) => Promise<void>)[],
): Promise<void> {
  await applyChanges(services.directory, reading(services, request), works)
}

/**
 * Runs something and gives its refusals the names that fields have in this dialect.
 *
 * @param names the directory's name of a field, or the code of a refusal, to this dialect's name; null: it names none
 */
export async function withFields<T>(
  names: Readonly<Record<string, string | null>>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error
    const { code, message, details } = error
    const { field: was, ...rest } = details
    const name = names[code] === undefined ? renamed(names, was) : names[code]
    if (name === undefined) throw error
    const said = was !== undefined && name !== null && message.startsWith(`${was} `)
    throw new DirectoryError(code, said ? name + message.slice(was.length) : message, {
      ...rest,
      ...(name === null ? {} : { field: name }),
    })
  }
}

/** The name of a field, which may be an entry of a list: `saml.certificates[0]` goes by `saml.certificates`. */
function renamed(names: Readonly<Record<string, string | null>>, field = ''): string | null | undefined {
  return names[field] ?? names[field.replace(/\[\d+\]$/, '')]
}
