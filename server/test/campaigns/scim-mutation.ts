import { type SeededRandom, seededRandom } from '../../../cli/replay/seeded-random.ts'

/** Values that programs stumble over. */
const ODD_TEXTS = [
  ...[
    '',
    ' ',
    '\0',
    'null',
    'true',
    '\u{202e}abc',
    '\ud800',
    'İ',
    'ß',
    'ſ',
    '🧑‍🚀'.repeat(20),
    '%',
    '\\',
    '"',
    "'",
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'urn:',
    'a'.repeat(300),
    'x'.repeat(20_000),
    'é'.normalize('NFD'),
  ],
  ...[
    'bulkId:',
    'bulkId:nobody',
    '$ref',
    '[',
    ']',
    '9999-12-31T23:59:59Z',
    '-1',
    '1e999',
    '\u2028',
    '\ufffe',
  ],
] as const
/** The same as they stand in JSON. */
const ODD_JSON = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-1',
    '1e400',
    '123456789012345678901234567890',
    '1.5',
    '[]',
    '{}',
    '[[]]',
  ],
  ...[
    '[null]',
    '{"":""}',
    '{"__proto__":{"isAdmin":true}}',
    '{"constructor":{"prototype":{"a":1}}}',
    '"\\ud800"',
  ],
  ...[
    '"\\u0000"',
    '[{"value":null}]',
    '{"value":{"value":{"value":1}}}',
    '{"length":4294967295}',
    '"true"',
    '"False"',
  ],
] as const

/** Odd changes of texts, bytes and JSON, the same at each run of a seed. */
export class Mutation {
  readonly random: SeededRandom

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  chance(share: number): boolean {
    return this.random.next() < share
  }

  oddText(): string {
    return this.random.pick(ODD_TEXTS)
  }

  /** JSON text of a value with some of it replaced, left out, doubled, renamed or nested. */
  json(value: unknown): string {
    const changes = this.random.below(4)
    const text = this.#write(value, { left: changes })
    return this.chance(0.06) ? this.text(text) : text
  }

  #write(value: unknown, changes: { left: number }): string {
    if (changes.left > 0 && this.chance(0.12)) {
      changes.left -= 1
      return this.#odd(value)
    }
    if (Array.isArray(value)) return `[${value.map((one) => this.#write(one, changes)).join(',')}]`
    if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
    const members = Object.entries(value).flatMap(([name, one]) => {
      const member = `${JSON.stringify(this.#name(name, changes))}:${this.#write(one, changes)}`
      if (changes.left > 0 && this.chance(0.05)) {
        changes.left -= 1
        return this.chance(0.5) ? [] : [member, `${JSON.stringify(name)}:${this.random.pick(ODD_JSON)}`]
      }
      return [member]
    })
    if (changes.left > 0 && this.chance(0.03)) members.push(`"__proto__":${this.random.pick(ODD_JSON)}`)
    return `{${members.join(',')}}`
  }

  #name(name: string, changes: { left: number }): string {
    if (changes.left === 0 || !this.chance(0.05)) return name
    changes.left -= 1
    return this.random.pick([
      name.toUpperCase(),
      this.oddText(),
      `${name}.value`,
      `${name}[type eq "work"].value`,
    ])
  }

  #odd(value: unknown): string {
    switch (this.random.below(6)) {
      case 0:
        return JSON.stringify(this.oddText())
      case 1: {
        const depth = this.random.pick([3, 40, 200, 20_000])
        const [open, close] = this.random.pick([
          ['[', ']'],
          ['{"a":', '}'],
        ] as const)
        return open.repeat(depth) + JSON.stringify(value ?? null) + close.repeat(depth)
      }
      case 2:
        return `[${JSON.stringify(value ?? null)},${JSON.stringify(value ?? null)}]`
      case 3:
        return JSON.stringify(String(JSON.stringify(value)))
      default:
        return this.random.pick(ODD_JSON)
    }
  }

  /** A text with pieces left out, doubled, swapped for odd ones. */
  text(text: string): string {
    let changed = text
    for (let left = 1 + this.random.below(3); left > 0; left--) {
      const from = this.random.below(changed.length + 1)
      const to = Math.min(changed.length, from + this.random.below(12))
      const piece = this.random.pick([
        '',
        this.oddText(),
        changed.slice(from, to).repeat(2),
        '\\',
        '"',
        '(',
        ')',
      ])
      changed = changed.slice(0, from) + piece + changed.slice(to)
    }
    return changed
  }

  /** Bytes of a text, some of them not of any encoding. */
  bytes(text: string): Buffer {
    const bytes = Buffer.from(text)
    for (let left = this.random.below(4); left > 0 && bytes.length > 0; left--) {
      bytes[this.random.below(bytes.length)] = this.random.below(256)
    }
    return this.chance(0.2) ? bytes.subarray(0, this.random.below(bytes.length + 1)) : bytes
  }
}
