import { Mutation } from './scim-mutation.ts'

export interface FuzzedRequest {
  readonly method: string
  /** Below the connection. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
}

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const MESSAGE = 'urn:ietf:params:scim:api:messages:2.0'

const ATTRIBUTES = [
  ...['userName', 'displayName', 'externalId', 'active', 'id', 'meta.created', 'meta.lastModified', 'title'],
  ...[
    'name',
    'name.givenName',
    'emails',
    'emails.value',
    'emails[type eq "work"].value',
    'members',
    'groups',
  ],
  ...[
    'members.value',
    'groups.value',
    'phoneNumbers[primary eq true]',
    `${USER}:userName`,
    'password',
    'schemas',
  ],
  ...[
    `${ENTERPRISE}:department`,
    `${ENTERPRISE}:manager`,
    `${ENTERPRISE}:manager.value`,
    'roles',
    'addresses',
  ],
] as const
const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'EQ', 'pr', 'in'] as const
const LITERALS = [
  '"a"',
  '""',
  'true',
  'null',
  '1',
  '-1e9',
  '"2026-01-01T00:00:00Z"',
  '"%"',
  '"\\u0000"',
  '"\\""',
  '"İ"',
] as const
const MEDIA_TYPES = [
  ...['application/scim+json', 'application/json', 'application/scim+json; charset=utf-8', 'text/plain'],
  ...['', 'application/json; charset=latin1', 'multipart/form-data', 'application/scim+json;;;', '*/*'],
] as const
const HEADERS = [
  'if-match',
  'if-none-match',
  'accept',
  'content-encoding',
  'x-http-method-override',
  'prefer',
] as const
const HEADER_VALUES = [
  '*',
  'W/"1"',
  'W/"99999999999999999999"',
  '"',
  'W/"1", W/"2"',
  'gzip',
  'PATCH',
  'return=minimal',
  'text/html',
] as const

/** Requests of a SCIM client that has lost its mind: valid ones with odd changes, the same at each run of a seed. */
export class ScimRequests {
  readonly #mutation: Mutation
  /** Ids that exist, here and elsewhere, and such that do not. */
  readonly #userIds: string[]
  readonly #groupIds: string[]
  #made = 0
  readonly #name: string

  constructor(seed: number, name: string, ids: { users: readonly string[]; groups: readonly string[] }) {
    this.#mutation = new Mutation(seed)
    this.#userIds = [...ids.users, '00000000-0000-7000-8000-000000000000', 'nobody']
    this.#groupIds = [...ids.groups, '00000000-0000-7000-8000-000000000000', '..']
    this.#name = name
  }

  next(): FuzzedRequest {
    const { random } = this.#mutation
    const [method, path, body] = this.#valid()
    return {
      method: this.#mutation.chance(0.02)
        ? random.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
        : method,
      path: this.#path(path),
      headers: this.#headers(),
      body: body === undefined && !this.#mutation.chance(0.02) ? undefined : this.#body(body ?? {}),
    }
  }

  /** What of an answer later requests can use. */
  learn(kind: 'user' | 'group', id: string): void {
    const ids = kind === 'user' ? this.#userIds : this.#groupIds
    if (ids.length < 60) ids.push(id)
    else ids[this.#mutation.random.below(ids.length)] = id
  }

  #valid(): readonly [method: string, path: string, body?: unknown] {
    const { random } = this.#mutation
    const user = `/Users/${random.pick(this.#userIds)}`
    const group = `/Groups/${random.pick(this.#groupIds)}`
    const kind = random.pick(['/Users', '/Groups'])
    switch (random.below(16)) {
      case 0:
      case 1:
        return ['POST', '/Users', this.#user()]
      case 2:
        return ['POST', '/Groups', this.#group()]
      case 3:
      case 4:
        return ['PATCH', user, this.#patch()]
      case 5:
      case 6:
        return ['PATCH', group, this.#patch()]
      case 7:
        return ['PUT', user, this.#user()]
      case 8:
        return ['PUT', group, this.#group()]
      case 9:
        return this.#mutation.chance(0.3)
          ? ['DELETE', random.pick([user, group])]
          : ['GET', random.pick([user, group])]
      case 10:
        return ['POST', random.pick(['/.search', '/Users/.search', '/Groups/.search']), this.#query()]
      case 11:
        return ['POST', '/Bulk', this.#bulk()]
      case 12:
        return [
          'GET',
          random.pick(['/ServiceProviderConfig', '/Schemas', '/ResourceTypes', '/Me', '/Schemas/x']),
        ]
      default:
        return ['GET', `${kind}?${this.#queryText()}`]
    }
  }

  #user(): unknown {
    const number = this.#mutation.chance(0.7)
      ? this.#mutation.random.below(200)
      : 1000 + (this.#made++ % 5000)
    const userName = `${this.#name}-${number}@fuzz.example`
    return {
      ...{
        schemas: [USER, ENTERPRISE],
        userName,
        active: this.#mutation.chance(0.8),
        externalId: `x${number}`,
      },
      ...{
        name: { givenName: 'Ada', familyName: 'Byron' },
        emails: [{ value: userName, type: 'work', primary: true }],
      },
      ...{ phoneNumbers: [{ value: '+49 30 1', type: 'work' }], title: 'Countess', password: 'secret' },
      [ENTERPRISE]: { department: 'Engines', manager: { value: this.#mutation.random.pick(this.#userIds) } },
    }
  }

  #group(): unknown {
    const displayName = `${this.#name} group ${this.#mutation.random.below(100)}`
    return { schemas: [GROUP], displayName, externalId: 'g', members: this.#members() }
  }

  #members(): unknown {
    const { random } = this.#mutation
    return Array.from({ length: random.below(4) }, () => ({
      value: random.pick(this.#userIds),
      type: 'User',
    }))
  }

  #patch(): unknown {
    const { random } = this.#mutation
    const operations = Array.from({ length: 1 + random.below(3) }, () => ({
      op: random.pick(['add', 'replace', 'remove', 'Replace']),
      path: random.pick([
        this.#attribute(),
        'members',
        `members[value eq "${random.pick(this.#userIds)}"]`,
        'active',
      ]),
      value: random.pick([true, 'False', 'text', this.#members(), { active: false }, this.#user(), [], null]),
    }))
    return { schemas: [`${MESSAGE}:PatchOp`], Operations: operations }
  }

  #bulk(): unknown {
    const { random } = this.#mutation
    const operations = Array.from({ length: 1 + random.below(4) }, (_, index) => ({
      method: random.pick(['POST', 'PUT', 'PATCH', 'DELETE']),
      path: random.pick([
        '/Users',
        '/Groups',
        `/Users/${random.pick(this.#userIds)}`,
        `/Groups/bulkId:b${index}`,
      ]),
      bulkId: `b${random.below(4)}`,
      data: random.pick([this.#user(), this.#group(), this.#patch(), { members: [{ value: 'bulkId:b0' }] }]),
    }))
    return { schemas: [`${MESSAGE}:BulkRequest`], failOnErrors: random.below(3), Operations: operations }
  }

  #attribute(): string {
    const attribute = this.#mutation.random.pick(ATTRIBUTES)
    return this.#mutation.chance(0.1) ? this.#mutation.text(attribute) : attribute
  }

  #filter(depth = 0): string {
    const { random } = this.#mutation
    const simple = () => `${this.#attribute()} ${random.pick(OPERATORS)} ${random.pick(LITERALS)}`
    if (this.#mutation.chance(0.01)) return '('.repeat(random.pick([10, 5000])) + simple()
    if (this.#mutation.chance(0.01)) return Array.from({ length: 400 }, simple).join(' or ')
    const filter =
      depth > 3 || this.#mutation.chance(0.6)
        ? simple()
        : random.pick([
            () => `(${this.#filter(depth + 1)}) and ${this.#filter(depth + 1)}`,
            () => `not (${this.#filter(depth + 1)})`,
            () => `emails[${this.#filter(depth + 1)}]`,
            () => `${this.#filter(depth + 1)} or ${this.#filter(depth + 1)}`,
          ])()
    return this.#mutation.chance(0.08) ? this.#mutation.text(filter) : filter
  }

  #query(): Record<string, unknown> {
    const { random } = this.#mutation
    const number = () => random.pick([1, 0, -5, 3, 999_999_999, '2', 'x', 1.5, 2 ** 53])
    const all = {
      filter: this.#filter(),
      sortBy: this.#attribute(),
      sortOrder: random.pick(['ascending', 'descending', 'up']),
      startIndex: number(),
      count: number(),
      attributes: random.pick([this.#attribute(), [this.#attribute(), 'id']]),
      excludedAttributes: this.#attribute(),
      cursor: random.pick(['', 'abc', Buffer.from('{"of":"x","until":1,"seq":1}').toString('base64url')]),
    }
    return Object.fromEntries(
      Object.entries(all).filter(([name]) => this.#mutation.chance(name === 'cursor' ? 0.1 : 0.4)),
    )
  }

  #queryText(): string {
    const pairs = Object.entries(this.#query()).map(([name, value]) => {
      return `${name}=${encodeURIComponent(String(value).toWellFormed())}`
    })
    return pairs.join('&')
  }

  #path(path: string): string {
    const { random } = this.#mutation
    if (!this.#mutation.chance(0.04)) return path
    const from = random.below(path.length + 1)
    const piece = random.pick([
      '%',
      '%00',
      '%ff',
      '%2e%2e',
      '//',
      '?',
      '?aadOptscim062020',
      '%F0%9F',
      ';',
      '#',
      '&&=',
      '+',
    ])
    return path.slice(0, from) + piece + path.slice(from)
  }

  #headers(): Record<string, string> {
    const { random } = this.#mutation
    return {
      'content-type': this.#mutation.chance(0.95) ? 'application/scim+json' : random.pick(MEDIA_TYPES),
      ...(this.#mutation.chance(0.1) ? { [random.pick(HEADERS)]: random.pick(HEADER_VALUES) } : {}),
    }
  }

  #body(value: unknown): Buffer {
    const text = this.#mutation.json(value).toWellFormed()
    return this.#mutation.chance(0.03) ? this.#mutation.bytes(text) : Buffer.from(text)
  }
}
