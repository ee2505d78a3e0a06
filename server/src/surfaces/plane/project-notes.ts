import { z } from 'zod'
import type { ProjectRow } from '../../directory/projects/project.ts'
import { text } from '../http/wire-types.ts'

const TEXT_LENGTH_MAX = 255
const TEXT_NOTE_LENGTH_MAX = 1000
const MONTHS_MAX = 12

/** Marks an archived project as one that was deleted here. */
export const DELETED_NOTE = 'plane_deleted'

type Note = string | number | boolean | null

const flag = (fallback: boolean) => ({ fallback: fallback as Note, schema: z.boolean().nullish() })
const label = (fallback: string | null, lengthMax = TEXT_LENGTH_MAX) => ({
  fallback: fallback as Note,
  schema: text(lengthMax, 0).nullish(),
})
const months = () => ({
  fallback: 0 as Note,
  schema: z
    .number()
    .int('must be a whole number')
    .min(0, 'must be at least 0')
    .max(MONTHS_MAX, `must be at most ${MONTHS_MAX}`)
    .nullish(),
})

/** What a project's metadata keeps for this dialect; nothing acts on it. */
const notes = {
  emoji: label(null),
  cover_image: label(null, TEXT_NOTE_LENGTH_MAX),
  timezone: label('UTC'),
  external_id: label(null),
  external_source: label(null),
  archive_in: months(),
  close_in: months(),
  is_time_tracking_enabled: flag(false),
  guest_view_all_features: flag(false),
  module_view: flag(false),
  cycle_view: flag(false),
  issue_views_view: flag(false),
  page_view: flag(true),
  intake_view: flag(false),
  is_issue_type_enabled: flag(false),
  epics: flag(false),
} as const

type NoteName = keyof typeof notes
const names = Object.keys(notes) as NoteName[]

/** The features of a project, by the field of the project that each is. */
export const projectFeatures = {
  epics: 'epics',
  modules: 'module_view',
  cycles: 'cycle_view',
  views: 'issue_views_view',
  pages: 'page_view',
  intakes: 'intake_view',
  work_item_types: 'is_issue_type_enabled',
} as const satisfies Record<string, NoteName>

export const noteFields = Object.fromEntries(names.map((name) => [name, notes[name].schema])) as {
  [Name in NoteName]: (typeof notes)[Name]['schema']
}

const keyOf = (name: string) => `plane_${name}`

/** Entries of the metadata for what a body states; null takes one away. */
export function toNotes(body: Readonly<Record<string, unknown>>): Record<string, Note> {
  return Object.fromEntries(
    names.flatMap((name) => (body[name] === undefined ? [] : [[keyOf(name), body[name] as Note]])),
  )
}

/** What is noted of a project. Metadata is anybody's to write: what has another shape counts for nothing. */
export function readNote<Value extends Note>(row: Pick<ProjectRow, 'metadata'>, name: NoteName): Value {
  const { fallback, schema } = notes[name]
  const parsed = schema.safeParse(row.metadata[keyOf(name)])
  return ((parsed.success ? parsed.data : undefined) ?? fallback) as Value
}
