import type { Attribute } from './attribute.ts'

type Traits = Partial<Omit<Attribute, 'name' | 'description' | 'type'>>

const usual = {
  multiValued: false,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
} satisfies Traits

/** A string that ignores case unless its traits say otherwise (the defaults of RFC 7643 section 2.2). */
export const string = (name: string, description: string, traits: Traits = {}): Attribute => ({
  ...usual,
  name,
  type: 'string',
  description,
  ...traits,
})

export const boolean = (name: string, description: string): Attribute => ({
  ...usual,
  name,
  type: 'boolean',
  description,
})

export const dateTime = (name: string, description: string, traits: Traits = {}): Attribute => ({
  ...usual,
  name,
  type: 'dateTime',
  description,
  ...traits,
})

/** A URI; exact in case (RFC 7643 section 2.3.7). `external` is any address, other types are resources here. */
export const reference = (
  name: string,
  description: string,
  referenceTypes: readonly string[],
  traits: Traits = {},
): Attribute => ({
  ...usual,
  name,
  type: 'reference',
  description,
  caseExact: true,
  referenceTypes,
  ...traits,
})

/** Base64 text; exact in case (RFC 7643 section 2.3.6). */
export const binary = (name: string, description: string): Attribute => ({
  ...usual,
  name,
  type: 'binary',
  description,
  caseExact: true,
})

export const complex = (
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  traits: Traits = {},
): Attribute => ({ ...usual, name, type: 'complex', description, subAttributes, ...traits })

/** A list of entries: `value` first, then the sub-attributes that every list has (RFC 7643 section 2.4). */
export const list = (
  name: string,
  description: string,
  value: Attribute,
  types: readonly string[] = [],
): Attribute =>
  complex(
    name,
    description,
    [value, string('display', 'A name of the entry to show to people.'), ...typeAndPrimary(types)],
    { multiValued: true },
  )

/** The sub-attributes that tell the entries of a list apart. */
export const typeAndPrimary = (types: readonly string[]): readonly Attribute[] => [
  string('type', 'What the entry is for.', types.length > 0 ? { canonicalValues: types } : {}),
  boolean('primary', 'Whether this is the preferred entry; at most one of a list is.'),
]
