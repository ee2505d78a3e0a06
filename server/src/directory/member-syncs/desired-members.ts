import { TextArrayBuilder } from '../../platform/postgres/binary-array.ts'
import { DirectoryError } from '../errors.ts'
import { attributeProblem } from '../members/attributes.ts'
import { parseEmail } from '../members/email.ts'
import type { MemberAttributes } from '../members/member.sql.ts'
import type { DesiredColumns } from './member-sync.sql.ts'

/** One person of a submission. What is absent stays as it is. */
export interface DesiredMember {
  readonly referenceId: string
  readonly email?: string | null | undefined
  readonly displayName?: string | null | undefined
  readonly firstName?: string | null | undefined
  readonly lastName?: string | null | undefined
  readonly attributes?: MemberAttributes | undefined
}

/**
 * The members of a submission, collected column by column while the request is still coming in: rows become
 * bytes at once, so 100,000 of them neither hold the event loop nor fill the heap.
 *
 * A value that breaks a rule (an email that is none) refuses its row by name; the others go on.
 */
export class DesiredMembers {
  readonly #referenceIds = new TextArrayBuilder()
  readonly #emails = new TextArrayBuilder()
  readonly #emailKeys = new TextArrayBuilder()
  readonly #displayNames = new TextArrayBuilder()
  readonly #firstNames = new TextArrayBuilder()
  readonly #lastNames = new TextArrayBuilder()
  readonly #attributes = new TextArrayBuilder()
  readonly #outcomes = new TextArrayBuilder()
  readonly #indexOf = new Map<string, number>()
  readonly #referenceField: string

  /** @param referenceField what the dialect calls the reference id, for messages */
  constructor(referenceField: string) {
    this.#referenceField = referenceField
  }

  get count(): number {
    return this.#indexOf.size
  }

  /** @throws {DirectoryError} member_sync.duplicate_reference_id, naming both rows */
  add(member: DesiredMember): void {
    const { referenceId } = member
    const first = this.#indexOf.get(referenceId)
    if (first !== undefined) {
      const field = `members[${this.count}].${this.#referenceField}`
      throw new DirectoryError(
        'member_sync.duplicate_reference_id',
        `${field} is the same as members[${first}].${this.#referenceField}: each person may stand once.`,
        { field },
      )
    }
    this.#indexOf.set(referenceId, this.count)
    let refusal: string | undefined
    let address: string | null = null
    let key: string | null = null
    if (member.email !== undefined && member.email !== null) {
      const parsed = parseEmail(member.email)
      if ('problem' in parsed) refusal = `email ${parsed.problem}`
      else ({ address, key } = parsed)
    }
    if (member.attributes !== undefined) refusal ??= attributeProblem(member.attributes)
    this.#referenceIds.push(referenceId)
    this.#emails.push(address)
    this.#emailKeys.push(key)
    this.#displayNames.push(member.displayName ?? null)
    this.#firstNames.push(member.firstName ?? null)
    this.#lastNames.push(member.lastName ?? null)
    this.#attributes.push(member.attributes === undefined ? null : JSON.stringify(member.attributes))
    this.#outcomes.push(refusal ?? null)
  }

  /** The columns as they are stored; one that nobody filled is null. */
  columns(): DesiredColumns {
    const filled = (column: TextArrayBuilder) => (column.hasValues ? column.toBuffer() : null)
    return {
      referenceIds: this.#referenceIds.toBuffer(),
      emails: filled(this.#emails),
      emailKeys: filled(this.#emailKeys),
      displayNames: filled(this.#displayNames),
      firstNames: filled(this.#firstNames),
      lastNames: filled(this.#lastNames),
      attributes: filled(this.#attributes),
      outcomes: filled(this.#outcomes),
    }
  }
}
