import { parseEmail } from '../../directory/members/email.ts'
import type { StatedPerson } from '../../directory/scim/stated-person.ts'
import type { ResourceDocument } from './protocol/attribute.ts'

interface Email {
  readonly value?: string
  readonly type?: string
  readonly primary?: boolean
}

interface Name {
  readonly formatted?: string
  readonly givenName?: string
  readonly familyName?: string
}

type Person = Required<StatedPerson>

/**
 * What a user's document says of the person. The address is the primary one, else that of work, else the first, else the
 * userName if it is an address.
 */
function personOf(document: ResourceDocument): Person {
  const name = (document.name ?? {}) as Name
  const full = [name.givenName, name.familyName].filter((part) => part !== undefined).join(' ')
  return {
    email: emailOf(document),
    displayName: textOf(document.displayName) ?? name.formatted ?? (full === '' ? null : full),
    firstName: name.givenName ?? null,
    lastName: name.familyName ?? null,
  }
}

function emailOf(document: ResourceDocument): string | null {
  const emails = ((document.emails ?? []) as readonly Email[]).filter(({ value }) => value !== undefined)
  const chosen =
    emails.find(({ primary }) => primary === true) ??
    emails.find(({ type }) => type?.toLowerCase() === 'work') ??
    emails[0]
  if (chosen?.value !== undefined) return chosen.value
  const userName = textOf(document.userName)
  return userName !== undefined && !('problem' in parseEmail(userName)) ? userName : null
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** What a document says of the person that the one before did not: the rest is not touched, whoever changed it. */
export function statedPerson(document: ResourceDocument, before: ResourceDocument | undefined): StatedPerson {
  const now = personOf(document)
  if (before === undefined) return now
  const was = personOf(before)
  return Object.fromEntries(
    Object.entries(now).filter(([field, value]) => value !== was[field as keyof Person]),
  ) as StatedPerson
}
