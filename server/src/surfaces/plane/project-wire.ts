import { z } from 'zod'
import { PROJECT_NAME_LENGTH_MAX, type ProjectRow } from '../../directory/projects/project.ts'
import type { ProjectSummaryRow } from '../../directory/projects/project-page.ts'
import { moment, text } from '../http/wire-types.ts'
import { noteFields, readNote } from './project-notes.ts'
import { roleNumber } from './role-wire.ts'
import { uuid } from './wire.ts'

const IDENTIFIER_LENGTH_MAX = 12
const DESCRIPTION_LENGTH_MAX = 10_000

/** Who sees a project: its members, or everybody in the workspace. */
const networks = { private: 0, public: 2 } as const

export const project = z
  .object({
    id: z.string(),
    name: z.string(),
    identifier: z.string(),
    description: z.string(),
    network: z.union([z.literal(0), z.literal(2)]),
    workspace: z.string(),
    total_members: z.number().int(),
    total_cycles: z.literal(0),
    total_modules: z.literal(0),
    is_member: z.boolean(),
    member_role: z.number().int().nullable(),
    is_deployed: z.literal(false),
    emoji: z.string().nullable(),
    icon_prop: z.null(),
    cover_image: z.string().nullable(),
    cover_image_url: z.null(),
    cover_image_asset: z.null(),
    module_view: z.boolean(),
    cycle_view: z.boolean(),
    issue_views_view: z.boolean(),
    page_view: z.boolean(),
    intake_view: z.boolean(),
    is_time_tracking_enabled: z.boolean(),
    is_issue_type_enabled: z.boolean(),
    guest_view_all_features: z.boolean(),
    archive_in: z.number().int(),
    close_in: z.number().int(),
    timezone: z.string(),
    project_lead: z.null(),
    default_assignee: z.null(),
    default_state: z.null(),
    estimate: z.null(),
    external_id: z.string().nullable(),
    external_source: z.string().nullable(),
    archived_at: moment.nullable(),
    created_at: moment,
    updated_at: moment,
    deleted_at: z.null(),
    created_by: z.null(),
    updated_by: z.null(),
  })
  .meta({ id: 'PlaneProject' })

/** @param summary of the project for who asks */
export function toProject(row: ProjectRow, summary: ProjectSummaryRow | undefined): z.infer<typeof project> {
  const isMember = summary !== undefined && summary.role_id !== null
  return {
    id: row.id,
    name: row.name,
    // A workspace's project has one.
    identifier: row.identifier ?? '',
    description: row.description ?? '',
    network: networks[row.visibility],
    workspace: row.workspace_id ?? '',
    total_members: summary?.members ?? 0,
    total_cycles: 0,
    total_modules: 0,
    is_member: isMember,
    member_role: isMember ? roleNumber('project', { key: summary.role_key }) : null,
    is_deployed: false,
    emoji: readNote(row, 'emoji'),
    icon_prop: null,
    cover_image: readNote(row, 'cover_image'),
    cover_image_url: null,
    cover_image_asset: null,
    module_view: readNote(row, 'module_view'),
    cycle_view: readNote(row, 'cycle_view'),
    issue_views_view: readNote(row, 'issue_views_view'),
    page_view: readNote(row, 'page_view'),
    intake_view: readNote(row, 'intake_view'),
    is_time_tracking_enabled: readNote(row, 'is_time_tracking_enabled'),
    is_issue_type_enabled: readNote(row, 'is_issue_type_enabled'),
    guest_view_all_features: readNote(row, 'guest_view_all_features'),
    archive_in: readNote(row, 'archive_in'),
    close_in: readNote(row, 'close_in'),
    timezone: readNote(row, 'timezone'),
    project_lead: null,
    default_assignee: null,
    default_state: null,
    estimate: null,
    external_id: readNote(row, 'external_id'),
    external_source: readNote(row, 'external_source'),
    archived_at: row.archived_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
    deleted_at: null,
    created_by: null,
    updated_by: null,
  }
}

export const projectLite = z
  .object({
    id: z.string(),
    identifier: z.string(),
    name: z.string(),
    description: z.string(),
    cover_image: z.string().nullable(),
    cover_image_url: z.null(),
    icon_prop: z.null(),
    emoji: z.string().nullable(),
    archived_at: moment.nullable(),
  })
  .meta({ id: 'PlaneProjectLite' })

export function toProjectLite(row: ProjectRow): z.infer<typeof projectLite> {
  return {
    id: row.id,
    identifier: row.identifier ?? '',
    name: row.name,
    description: row.description ?? '',
    cover_image: readNote(row, 'cover_image'),
    cover_image_url: null,
    icon_prop: null,
    emoji: readNote(row, 'emoji'),
    archived_at: row.archived_at,
  }
}

const network = z.union([z.literal(0), z.literal(2)], { error: 'must be 0 or 2' })

const fields = {
  description: text(DESCRIPTION_LENGTH_MAX, 0).nullish(),
  network: network.nullish(),
  ...noteFields,
}

const identifier = text(IDENTIFIER_LENGTH_MAX)
  .regex(/^[A-Za-z][A-Za-z0-9]*$/, 'must be letters and digits, and begin with a letter')
  .transform((value) => value.toUpperCase())

export const newProject = z.object({
  name: text(PROJECT_NAME_LENGTH_MAX),
  identifier,
  project_lead: uuid.nullish(),
  ...fields,
})

export const projectUpdate = z
  .object({ name: text(PROJECT_NAME_LENGTH_MAX).nullish(), identifier: identifier.nullish(), ...fields })
  .nullish()

/** The fields of the directory that a body states; of what cannot be cleared, null says nothing. */
export function toFields(body: {
  description?: string | null | undefined
  network?: 0 | 2 | null | undefined
}) {
  return {
    description: body.description,
    visibility:
      body.network === undefined || body.network === null
        ? undefined
        : body.network === 0
          ? ('private' as const)
          : ('public' as const),
  }
}
