import { z } from 'zod'
import { levels } from '../../directory/access/permission.ts'
import { changeKinds } from '../../directory/changes/change-draft.ts'
import type { Effects, GrantEffect } from '../../directory/changes/effects.ts'
import type { ChangeRow } from '../../directory/changes/read.ts'
import type { UndoRefusal } from '../../directory/changes/undo.ts'
import { DirectoryError, type DirectoryErrorCode } from '../../directory/errors.ts'
import { type SourceKind, sourceKinds } from '../../directory/grants/source.ts'
import type { GroupKind } from '../../directory/groups/group.ts'
import type { MemberRow } from '../../directory/members/member.ts'
import { ORGANIZATION, type Target, targetKinds } from '../../directory/roles/target.ts'
import { decodeId, encodeId, idPrefixes } from '../http/prefixed-id.ts'
import { moment, queryFlag, queryNumber, text } from '../http/wire-types.ts'

const LIMIT_MAX = 1000
const LIMIT_DEFAULT = 100
const CURSOR_LENGTH_MAX = 200

export const orgParams = z.object({ org: z.string() })
export const pageQuery = z.object({
  limit: queryNumber(1, LIMIT_MAX, LIMIT_DEFAULT),
  after: text(CURSOR_LENGTH_MAX).optional(),
})
export const previewQuery = z.object({
  preview: queryFlag.describe('Answer what would be done, and do nothing.'),
})

/** The envelope of every list. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item), has_more: z.boolean(), next_cursor: z.string().nullable() })
}

/** A cursor is the place of the last row, opaque to the caller. */
function toCursor(place: string | number): string {
  return Buffer.from(String(place)).toString('base64url')
}

function cursorText(after: string): string {
  return Buffer.from(after, 'base64url').toString()
}

function invalidCursor(): DirectoryError {
  return new DirectoryError('request.invalid', 'after is not a cursor of this list.', { field: 'after' })
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The id a cursor stands for. @throws {DirectoryError} request.invalid */
export function idCursor(after: string | undefined): string | null {
  if (after === undefined) return null
  const place = cursorText(after)
  if (!UUID.test(place)) throw invalidCursor()
  return place
}

/** The number a cursor stands for. @throws {DirectoryError} request.invalid */
export function numberCursor(after: string | undefined): number | null {
  if (after === undefined) return null
  const place = cursorText(after)
  if (!/^\d{1,15}$/.test(place)) throw invalidCursor()
  return Number(place)
}

/**
 * A page of rows read with one row more than asked for.
 *
 * @param place where a row stands in the list, for the cursor
 */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  place: (row: Row) => string | number,
): { data: Item[]; has_more: boolean; next_cursor: string | null } {
  const shown = rows.slice(0, limit)
  const hasMore = rows.length > limit
  const last = shown.at(-1)
  return {
    data: shown.map(toItem),
    has_more: hasMore,
    next_cursor: hasMore && last !== undefined ? toCursor(place(last)) : null,
  }
}

type IdNoun = keyof typeof idPrefixes

/** The id of a noun on the wire. */
export function toId(noun: IdNoun, uuid: string): string {
  return encodeId(idPrefixes[noun], uuid)
}

export function toIdOrNull(noun: IdNoun, uuid: string | null): string | null {
  return uuid === null ? null : toId(noun, uuid)
}

/** What is asked for by its id below an organization. */
type NamedNoun = Exclude<IdNoun, 'organization' | 'mail' | 'scimRequest'>

const NOT_FOUND: Record<NamedNoun, [DirectoryErrorCode, string]> = {
  member: ['member.not_found', 'There is no member with this id.'],
  group: ['group.not_found', 'There is no group with this id.'],
  workspace: ['workspace.not_found', 'There is no workspace with this slug.'],
  project: ['project.not_found', 'There is no project with this id.'],
  page: ['page.not_found', 'There is no page with this id.'],
  teamspace: ['teamspace.not_found', 'There is no teamspace with this id.'],
  apiKey: ['api_key.not_found', 'There is no API key with this id.'],
  groupSyncMapping: ['group_sync_mapping.not_found', 'There is no group sync mapping with this id.'],
  role: ['role.not_found', 'There is no role with this id.'],
  roleAssignment: ['role_assignment.not_found', 'There is no role assignment with this id.'],
  invitation: ['invitation.not_found', 'There is no invitation with this id.'],
  domain: ['domain.not_found', 'There is no domain with this id.'],
  identityProvider: ['identity_provider.not_found', 'There is no identity provider with this id.'],
  scimToken: ['scim_token.not_found', 'There is no SCIM token with this id.'],
  integration: ['integration.not_found', 'There is no integration with this id.'],
  change: ['change.not_found', 'There is no change with this id.'],
  plan: ['plan.not_found', 'There is no plan with this id.'],
  memberSync: ['member_sync.not_found', 'There is no member sync with this id in this group.'],
}

/** The UUID behind an id in a path. A malformed id is an unknown one. @throws {DirectoryError} not_found */
export function fromId(noun: NamedNoun, id: string): string {
  const uuid = decodeId(idPrefixes[noun], id)
  if (uuid !== undefined) return uuid
  const [code, message] = NOT_FOUND[noun]
  throw new DirectoryError(code, message)
}

/** The UUID behind an id in a body or query. @throws {DirectoryError} not_found, naming the field */
export function fromIdField(noun: NamedNoun, id: string, field: string): string {
  const uuid = decodeId(idPrefixes[noun], id)
  if (uuid !== undefined) return uuid
  const [code, message] = NOT_FOUND[noun]
  throw new DirectoryError(code, message, { field })
}

/** The id of a group as what it is: a teamspace is a group with an id of its own kind. */
export function toGroupId(kind: GroupKind | null, uuid: string): string {
  return toId(kind === 'teamspace' ? 'teamspace' : 'group', uuid)
}

/** The group or the teamspace of a query. @throws {DirectoryError} not_found, naming the field */
export function fromGroupIdField(id: string, field: string): string {
  return fromIdField(id.startsWith(idPrefixes.teamspace) ? 'teamspace' : 'group', id, field)
}

/** A person's name to show: the display name, else first and last name, else the email. */
export function shownName(
  row: Pick<MemberRow, 'display_name' | 'first_name' | 'last_name' | 'email'>,
): string | null {
  if (row.display_name !== null) return row.display_name
  const full = [row.first_name, row.last_name].filter((name) => name !== null && name !== '').join(' ')
  return full === '' ? row.email : full
}

export const levelName = z.enum(levels, { error: `must be one of ${levels.join(', ')}` })
export const sourceName = z.enum(sourceKinds)

/** A role as others refer to it. */
export const roleRef = z.object({ id: z.string(), key: z.string().nullable(), name: z.string() })

export function toRoleRef(role: { id: string; key: string | null; name: string }): z.infer<typeof roleRef> {
  return { id: toId('role', role.id), key: role.key, name: role.name }
}

/** Where a role holds. */
export const target = z.object({
  type: z.enum(targetKinds),
  /** Null: the organization itself. */
  id: z.string().nullable(),
})

export function toTarget(row: {
  workspaceId: string | null
  projectId: string | null
  pageId: string | null
}): z.infer<typeof target> {
  if (row.pageId !== null) return { type: 'page', id: toId('page', row.pageId) }
  if (row.projectId !== null) return { type: 'project', id: toId('project', row.projectId) }
  if (row.workspaceId !== null) return { type: 'workspace', id: toId('workspace', row.workspaceId) }
  return { type: 'organization', id: null }
}

const TARGET_LENGTH_MAX = 100

/** A target in a query or a body: `organization`, or the id of a workspace or a project. */
export const targetName = text(TARGET_LENGTH_MAX).describe('organization, wsp_…, prj_… or pag_…')

/** @throws {DirectoryError} request.invalid, workspace.not_found, project.not_found, naming the field */
export function fromTargetName(name: string, field = 'target'): Target {
  if (name === 'organization') return ORGANIZATION
  for (const kind of ['workspace', 'project', 'page'] as const) {
    if (name.startsWith(idPrefixes[kind])) return { kind, id: fromIdField(kind, name, field) }
  }
  throw new DirectoryError(
    'request.invalid',
    `${field} must be organization, or the id of a workspace (wsp_…), a project (prj_…) or a page (pag_…).`,
    { field },
  )
}

/** Filters of lists by what is held: a role, where, and where it comes from. */
export const holdingQuery = z.object({
  role: z.string().optional(),
  target: targetName.optional(),
  source: sourceName.optional(),
})

export function fromHoldingQuery(query: z.infer<typeof holdingQuery>): {
  roleId: string | null
  target: Target | null
  sourceKind: SourceKind | null
} {
  return {
    roleId: query.role === undefined ? null : fromIdField('role', query.role, 'role'),
    target: query.target === undefined ? null : fromTargetName(query.target),
    sourceKind: query.source ?? null,
  }
}

/** Filters that do not go together. @throws {DirectoryError} request.invalid, naming the one that is too much */
export function requireOnly(query: Record<string, unknown>, others: readonly string[]): void {
  const field = others.find((name) => query[name] !== undefined)
  if (field === undefined) return
  throw new DirectoryError('request.invalid', `${field} does not go together with role, target or source.`, {
    field,
  })
}

export const grantEffect = z.object({
  effect: z.enum(['opened', 'ended']),
  grant: z.enum(['group_membership', 'role']),
  /** Null: a role that a group has. */
  member: z
    .object({
      id: z.string(),
      external_reference_id: z.string().nullable(),
      display_name: z.string().nullable(),
    })
    .nullable(),
  group: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
  role: roleRef.nullable(),
  target: target.nullable(),
  source: sourceName,
  expires_at: moment.nullable(),
})

export const effects = z.object({
  opened: z.number().int(),
  ended: z.number().int(),
  grants: z.array(grantEffect),
  grants_complete: z.boolean(),
})

export function toEffect(effect: GrantEffect): z.infer<typeof grantEffect> {
  return {
    effect: effect.effect,
    grant: effect.grant,
    member:
      effect.memberId === null
        ? null
        : {
            id: toId('member', effect.memberId),
            external_reference_id: effect.memberReference,
            display_name: effect.memberName,
          },
    group:
      effect.groupId === null
        ? null
        : { id: toGroupId(effect.groupKind, effect.groupId), name: effect.groupName },
    role: effect.role === null ? null : toRoleRef(effect.role),
    target: effect.role === null ? null : toTarget(effect),
    source: effect.source as z.infer<typeof sourceName>,
    expires_at: effect.expiresAt,
  }
}

export function toEffects(found: Effects): z.infer<typeof effects> {
  return {
    opened: found.opened,
    ended: found.ended,
    grants: found.grants.map(toEffect),
    grants_complete: found.grants.length === found.opened + found.ended,
  }
}

export const changeKindName = z.enum(changeKinds)

/** Ids within a change's detail, by the noun they are ids of. */
const DETAIL_NOUNS = {
  api_key: 'apiKey',
  from: 'member',
  member_sync: 'memberSync',
  mapping: 'groupSyncMapping',
  role: 'role',
  invitation: 'invitation',
  workspace: 'workspace',
  project: 'project',
  page: 'page',
  teamspace: 'teamspace',
  domain: 'domain',
  identity_provider: 'identityProvider',
  scim_token: 'scimToken',
  integration: 'integration',
  production: 'project',
  preview: 'project',
  development: 'project',
} as const

/** Lists of ids within a change's detail. */
const DETAIL_LISTS = { invitations: 'invitation', retired: 'invitation' } as const

/** What a change tells about itself, with ids as they are written here. */
export function toDetail(detail: Record<string, unknown>): Record<string, unknown> {
  const shown = { ...detail }
  for (const [key, noun] of Object.entries(DETAIL_LISTS)) {
    const value = shown[key]
    if (Array.isArray(value)) shown[key] = value.map((id: string) => toId(noun, id))
  }
  for (const [key, noun] of Object.entries(DETAIL_NOUNS)) {
    const value = shown[key]
    if (typeof value === 'string') shown[key] = toId(noun, value)
  }
  // What fields were, and what they became, may be ids as well.
  for (const key of ['before', 'after']) {
    const value = shown[key]
    if (typeof value === 'object' && value !== null) shown[key] = toDetail(value as Record<string, unknown>)
  }
  return shown
}

/** What a preview answers: the plan. */
export const preview = effects.extend({
  object: z.literal('preview'),
  /** The kind of change it would be, and what that would tell about itself; null: nothing would change. */
  change: z.object({ kind: changeKindName, detail: z.record(z.string(), z.unknown()) }).nullable(),
})

export const actor = z.object({
  kind: z.enum(['root', 'api_key', 'member', 'system', 'scim_connection']),
  id: z.string().nullable(),
})

const ACTOR_NOUNS: Partial<Record<ChangeRow['actor_kind'], IdNoun>> = {
  member: 'member',
  scim_connection: 'identityProvider',
}

export function toActor(kind: ChangeRow['actor_kind'], id: string | null): z.infer<typeof actor> {
  if (id === null) return { kind, id: null }
  return { kind, id: toId(ACTOR_NOUNS[kind] ?? 'apiKey', id) }
}

const CAUSE_NOUNS: Record<string, IdNoun> = {
  member_sync: 'memberSync',
  plan: 'plan',
  change: 'change',
  group_sync: 'workspace',
  invitation: 'invitation',
}

export const cause = z.object({ kind: z.string(), id: z.string() })

export function toCause(kind: string | null, id: string | null): z.infer<typeof cause> | null {
  if (kind === null || id === null) return null
  const noun = CAUSE_NOUNS[kind]
  return { kind, id: noun === undefined ? id : toId(noun, id) }
}

/** A grant that an undo does not give back. */
export const undoRefusal = z.object({
  grant: z.enum(['group_membership', 'role']),
  member: z.string().nullable(),
  group: z.string().nullable(),
  role: z.string().nullable(),
  reason: z.enum([
    'expired',
    'group_deleted',
    'member_removed',
    'role_deleted',
    'page_deleted',
    'not_asserted',
    'changed_since',
  ]),
})

export function toUndoRefusal(refusal: UndoRefusal): z.infer<typeof undoRefusal> {
  return {
    grant: refusal.grant,
    member: toIdOrNull('member', refusal.member_id),
    group: refusal.group_id === null ? null : toGroupId(refusal.group_kind, refusal.group_id),
    role: refusal.role,
    reason: refusal.reason,
  }
}
