import { DirectoryError } from '../errors.ts'
import { parseEmail } from '../members/email.ts'
import type { Person } from '../members/member.sql.ts'
import type { ProvisionedPersonRow } from './user.sql.ts'
import type { FoundPersonRow } from './user-creation.sql.ts'

/** What a resource says of the person: what is undefined it says nothing new about. */
export interface StatedPerson {
  readonly email?: string | null | undefined
  readonly displayName?: string | null | undefined
  readonly firstName?: string | null | undefined
  readonly lastName?: string | null | undefined
}

/** The person with what is stated; what is not stays. @throws {DirectoryError} request.invalid (the address) */
export function withStated(person: Person, stated: StatedPerson): Person {
  const kept = <T>(value: T | undefined, old: T): T => (value === undefined ? old : value)
  return {
    ...readAddress(person, stated.email),
    displayName: kept(stated.displayName, person.displayName),
    firstName: kept(stated.firstName, person.firstName),
    lastName: kept(stated.lastName, person.lastName),
  }
}

function readAddress(person: Person, email: string | null | undefined): Pick<Person, 'email' | 'emailKey'> {
  if (email === undefined) return { email: person.email, emailKey: person.emailKey }
  if (email === null) return { email: null, emailKey: null }
  const parsed = parseEmail(email)
  if ('problem' in parsed) {
    throw new DirectoryError('request.invalid', `The address ${parsed.problem}.`, { field: 'emails' })
  }
  return { email: parsed.address, emailKey: parsed.key }
}

/** What a new resource leaves out it does not deny: a member who is taken over keeps it. */
export function withoutSilence(stated: StatedPerson): StatedPerson {
  return Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== null))
}

export const NOBODY: Person = {
  email: null,
  emailKey: null,
  displayName: null,
  firstName: null,
  lastName: null,
}

export function personOf(row: FoundPersonRow | ProvisionedPersonRow): Person {
  const { email, email_key: emailKey, display_name: displayName, first_name: firstName } = row
  return { email, emailKey, displayName, firstName, lastName: row.last_name }
}

export const isSamePerson = (a: Person, b: Person) =>
  a.email === b.email &&
  a.displayName === b.displayName &&
  a.firstName === b.firstName &&
  a.lastName === b.lastName
