import { TextArrayBuilder } from '../../platform/postgres/binary-array.ts'
import { DistinctTextArrayBuilder } from '../../platform/postgres/distinct-text-array.ts'
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

/** A column that many submissions leave out: it costs nothing until the first value. */
class OptionalColumn {
  #values: TextArrayBuilder | undefined

  /** @param row the row's index; rows before it that had no value get null */
  push(value: string | null | undefined, row: number): void {
    if (value === null || value === undefined) {
      this.#values?.push(null)
      return
    }
    if (this.#values === undefined) {
      this.#values = new TextArrayBuilder()
      for (let earlier = 0; earlier < row; earlier++) this.#values.push(null)
    }
    this.#values.push(value)
  }

  toBuffer(): Buffer | null {
    return this.#values?.toBuffer() ?? null
  }
}

/**
 * The members of a submission, collected column by column while the request is still coming in: rows become
 * bytes at once, so 100,000 of them neither hold the event loop nor fill the heap.
 *
 * A value that breaks a rule (an email that is none) refuses its row by name; the others go on.
 */
export class DesiredMembers {
  readonly #referenceIds = new DistinctTextArrayBuilder()
  readonly #emails = new OptionalColumn()
  readonly #emailKeys = new OptionalColumn()
  readonly #displayNames = new OptionalColumn()
  readonly #firstNames = new OptionalColumn()
  readonly #lastNames = new OptionalColumn()
  readonly #attributes = new OptionalColumn()
  readonly #outcomes = new OptionalColumn()
  readonly #referenceField: string

  /** @param referenceField what the dialect calls the reference id, for messages */
  constructor(referenceField: string) {
    this.#referenceField = referenceField
  }

  get count(): number {
    return this.#referenceIds.length
  }

  /** @throws {DirectoryError} member_sync.duplicate_reference_id, naming both rows */
  add(member: DesiredMember): void {
    const { referenceId } = member
    const row = this.count
    const first = this.#referenceIds.pushDistinct(referenceId)
    if (first !== undefined) {
      const field = `members[${row}].${this.#referenceField}`
      throw new DirectoryError(
        'member_sync.duplicate_reference_id',
        `${field} is the same as members[${first}].${this.#referenceField}: each person may stand once.`,
        { field },
      )
    }
    let refusal: string | undefined
    let address: string | null = null
    let key: string | null = null
    if (member.email !== undefined && member.email !== null) {
      const parsed = parseEmail(member.email)
      if ('problem' in parsed) refusal = `email ${parsed.problem}`
      else ({ address, key } = parsed)
    }
    if (member.attributes !== undefined) refusal ??= attributeProblem(member.attributes)
    this.#emails.push(address, row)
    this.#emailKeys.push(key, row)
    this.#displayNames.push(member.displayName, row)
    this.#firstNames.push(member.firstName, row)
    this.#lastNames.push(member.lastName, row)
    this.#attributes.push(member.attributes && JSON.stringify(member.attributes), row)
    this.#outcomes.push(refusal, row)
  }

  /** The columns as they are stored; one that nobody filled is null. */
  columns(): DesiredColumns {
    return {
      referenceIds: this.#referenceIds.toBuffer(),
      emails: this.#emails.toBuffer(),
      emailKeys: this.#emailKeys.toBuffer(),
      displayNames: this.#displayNames.toBuffer(),
      firstNames: this.#firstNames.toBuffer(),
      lastNames: this.#lastNames.toBuffer(),
      attributes: this.#attributes.toBuffer(),
      outcomes: this.#outcomes.toBuffer(),
    }
  }
}
