/** UTF-16 units of a text, by its place; also keeps what is indexed below PostgreSQL's 2,704 octets of a key. */
const lengthsMax: ReadonlyMap<string, number> = new Map([
  ['userName', 255],
  ['externalId', 255],
  ['displayName', 512],
  ['emails.value', 320],
  ['profileUrl', 2048],
  ['photos.value', 2048],
  ['addresses.formatted', 2048],
  ['x509Certificates.value', 16_384],
])
const otherLengthMax = 1024

/** Members in one request: of a group that is written whole, or of all operations of a PATCH. */
export const membersMax = 10_000
const otherEntriesMax = 100

/** @param place the canonical path of the attribute: `userName`, `emails.value`, `urn:…:department` */
export const lengthMaxOf = (place: string): number => lengthsMax.get(place) ?? otherLengthMax

/** Entries of a list. */
export const entriesMaxOf = (place: string): number => (place === 'members' ? membersMax : otherEntriesMax)
