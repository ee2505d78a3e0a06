/** A row of a member sync in Vitable's dialect. */
export interface MemberRow {
  readonly reference_id: string
  readonly first_name: string
  readonly last_name: string
}

const SYLLABLES = [
  ...['ba', 'de', 'fi', 'go', 'hu', 'ka', 'le', 'mi'],
  ...['no', 'pu', 'ra', 'se', 'ti', 'vo', 'yu', 'za'],
]

/** A person of the history. The name is made from the pseudonym: speakable, and the same every time. */
export function toMemberRow(pseudonym: string): MemberRow {
  const syllables = [...pseudonym.replace(/^p/, '')].map(
    (digit) => SYLLABLES[Number.parseInt(digit, 16)] ?? digit,
  )
  return {
    reference_id: pseudonym,
    first_name: capitalized(syllables.slice(0, 3).join('')),
    last_name: capitalized(syllables.slice(3, 7).join('')),
  }
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
