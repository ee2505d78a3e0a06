/** The detail error keywords of RFC 7644 section 3.12. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount'

/** A refusal of the protocol itself; refusals of the directory are mapped onto the same answers (errors.ts). */
export class ScimError extends Error {
  readonly status: number
  readonly scimType: ScimType | undefined

  /** @param detail a sentence that an admin can act on: identity providers show it in their consoles */
  constructor(status: number, scimType: ScimType | undefined, detail: string) {
    super(detail)
    this.name = 'ScimError'
    this.status = status
    this.scimType = scimType
  }
}
