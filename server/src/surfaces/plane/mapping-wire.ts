import { z } from 'zod'
import type { ReadContext } from '../../directory/context.ts'
import { DirectoryError } from '../../directory/errors.ts'
import {
  IDP_GROUP_NAME_LENGTH_MAX,
  type MappingList,
  type MappingPlace,
  type MappingRow,
  type NewMapping,
} from '../../directory/group-sync/mappings.ts'
import { type ProjectsShown, requireProjectIdentified } from '../../directory/projects/project-page.ts'
import { moment, text } from '../http/wire-types.ts'
import { resolveRole, roleSlug } from './role-wire.ts'

const SLUG_LENGTH_MAX = 255
const IDENTIFIER_LENGTH_MAX = 255

const common = {
  id: z.string(),
  /** Compared exactly. */
  idp_group_name: z.string(),
  role: z.string(),
}
const times = { created_at: moment, updated_at: moment }

export const workspaceMapping = z.object({ ...common, ...times }).meta({ id: 'PlaneWorkspaceMapping' })
export const projectMapping = z
  .object({
    ...common,
    /** An identifier; null: all projects of the workspace, later ones too. */
    project: z.string().nullable(),
    all_projects: z.boolean(),
    ...times,
  })
  .meta({ id: 'PlaneProjectMapping' })

/** The slug of a mapping's role. The vendor's mappings still call contributors members. */
function mappedSlug(row: MappingRow): string {
  const kind = row.kind === 'workspace' ? 'workspace' : 'project'
  if (row.role_key === 'member') return 'member'
  return roleSlug(kind, { id: row.role_id, key: row.role_key, name: row.role_name })
}

/** @param sent the slug that the request called the role, which is said again */
export function toWorkspaceMapping(row: MappingRow, sent?: string): z.infer<typeof workspaceMapping> {
  return {
    id: row.id,
    idp_group_name: row.idp_group_name,
    role: sent ?? mappedSlug(row),
    created_at: row.created_at,
    updated_at: row.updated_at,
  }
}

export function toProjectMapping(row: MappingRow, sent?: string): z.infer<typeof projectMapping> {
  return {
    ...toWorkspaceMapping(row, sent),
    project: row.project_identifier,
    all_projects: row.kind === 'all_projects',
  }
}

const groupName = text(IDP_GROUP_NAME_LENGTH_MAX)
const slug = text(SLUG_LENGTH_MAX)
const place = {
  project: text(IDENTIFIER_LENGTH_MAX).nullish(),
  all_projects: z.boolean().nullish(),
}

export const newMapping = {
  workspace: z.object({ idp_group_name: groupName, role: slug }),
  projects: z.object({ idp_group_name: groupName, role: slug, ...place }),
} as const

const changed = { idp_group_name: groupName.optional(), role: slug.optional() }
export const mappingUpdate = {
  workspace: z.object(changed).nullish(),
  projects: z.object({ ...changed, ...place }).nullish(),
} as const

/** What bodies of both lists may have. */
export interface MappingBody {
  readonly idp_group_name?: string | undefined
  readonly role?: string | undefined
  readonly project?: string | null | undefined
  readonly all_projects?: boolean | null | undefined
}

/** @throws {DirectoryError} request.invalid, if a body states nothing at all */
export function requireStated(body: MappingBody | null | undefined): MappingBody {
  const stated = Object.values(body ?? {}).some((value) => value !== undefined)
  if (body !== null && body !== undefined && stated) return body
  throw new DirectoryError('request.invalid', 'Request body cannot be empty.')
}

function wrongPlace(): DirectoryError {
  return new DirectoryError('request.invalid', 'project or all_projects is required, and not both.')
}

/**
 * Where a mapping of projects is to be.
 *
 * @param before where it is, if there is one; what a body does not state stays
 * @throws {DirectoryError} request.invalid, for both or neither of the two; project.not_found
 */
async function placeOf(
  context: ReadContext,
  shown: ProjectsShown,
  body: MappingBody,
  before?: MappingRow,
): Promise<MappingPlace | undefined> {
  const { project, all_projects: isOfAll } = body
  if (typeof project === 'string') {
    if (isOfAll === true) throw wrongPlace()
    return { kind: 'project', projectId: await requireProjectIdentified(context, shown, project) }
  }
  if (isOfAll === true) return { kind: 'all_projects' }
  const clears = before?.kind === 'project' ? project === null : isOfAll === false
  if (before === undefined || clears) throw wrongPlace()
  return undefined
}

/** What a body states of a mapping, in terms of the directory. @throws {DirectoryError} request.invalid, project.not_found */
export async function toMappingFields(
  context: ReadContext,
  shown: ProjectsShown,
  list: MappingList,
  body: MappingBody,
  before?: MappingRow,
): Promise<Partial<NewMapping>> {
  const kind = list === 'workspace' ? 'workspace' : 'project'
  const { idp_group_name: idpGroupName, role } = body
  const to =
    role === undefined ? undefined : await resolveRole(context, shown.entered.workspace.id, kind, role)
  const isNew = before === undefined
  const where =
    list === 'workspace'
      ? isNew
        ? ({ kind: 'workspace' } as const)
        : undefined
      : await placeOf(context, shown, body, before)
  return {
    ...(idpGroupName === undefined ? {} : { idpGroupName }),
    ...(to === undefined ? {} : { roleId: to.id }),
    ...(where === undefined ? {} : { place: where }),
  }
}
