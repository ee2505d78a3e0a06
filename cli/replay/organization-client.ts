import type { HttpClient } from './http-client.ts'

/** A change as the Directory API lists it. */
export interface Change {
  readonly id: string
  readonly number: number
  readonly at: string
  readonly kind: string
  readonly cause: { readonly kind: string; readonly id: string } | null
  readonly group: string | null
  readonly opened: number
  readonly ended: number
}

/** The kind of the changes that member syncs record. */
export const SYNC_CHANGE = 'group.members_synced'

interface Page<Item> {
  readonly data: Item[]
  readonly next_cursor: string | null
}

const PAGE_LIMIT = 1000

/** One organization of the server, with a key of it that may do everything. */
export class OrganizationClient {
  readonly name: string
  readonly slug: string
  readonly http: HttpClient
  /** Of the organization; it may do everything. */
  readonly key: string
  /** The number of the last change before the replay touched it. */
  readonly baseline: number

  private constructor(name: string, slug: string, http: HttpClient, key: string, baseline: number) {
    this.name = name
    this.slug = slug
    this.http = http
    this.key = key
    this.baseline = baseline
  }

  /** Opens the organization of a slug; creates it where there is none. */
  static async open(root: HttpClient, name: string, slug: string): Promise<OrganizationClient> {
    const path = `/directory/v1/organizations/${slug}`
    const found = await root.send('GET', path, [200, 404])
    if (found.status === 404) {
      const owner = { email: `owner@${slug}.example`, display_name: `Owner of ${name}` }
      // 409: made by an attempt that was not answered.
      await root.send('POST', '/directory/v1/organizations', [201, 409], { name, slug, owner })
    }
    const made = await root.send('POST', `${path}/api_keys`, [201], { name: 'replay', scopes: ['*'] })
    const { key } = made.body
    const http = root.withKey(key)
    const newest = await http.send('GET', `${path}/changes?order=desc&limit=1`, [200])
    return new OrganizationClient(name, slug, http, key, newest.body.data[0]?.number ?? 0)
  }

  get path(): string {
    return `/directory/v1/organizations/${this.slug}`
  }

  /** Everything that a list of the Directory API holds, page after page. */
  async *list<Item>(path: string, query: Readonly<Record<string, string>> = {}): AsyncGenerator<Item> {
    for (let cursor: string | null = null; ; ) {
      const parameters = new URLSearchParams({ limit: String(PAGE_LIMIT), ...query })
      if (cursor !== null) parameters.set('after', cursor)
      const { body } = await this.http.send('GET', `${this.path}${path}?${parameters}`, [200])
      const page = body as Page<Item>
      yield* page.data
      if (page.next_cursor === null) return
      cursor = page.next_cursor
    }
  }

  /** The change feed after a number, oldest first. */
  async changesAfter(number: number, pageLimit = PAGE_LIMIT): Promise<Change[]> {
    const changes: Change[] = []
    // From the end, because a cursor is the server's own: a number is no place to start from.
    const query = { order: 'desc', limit: String(pageLimit) }
    for await (const change of this.list<Change>('/changes', query)) {
      if (change.number <= number) break
      changes.push(change)
    }
    return changes.reverse()
  }
}

/** The slug of an organization of the history. */
export function toSlug(prefix: string, name: string): string {
  return `${prefix}${name}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
}
