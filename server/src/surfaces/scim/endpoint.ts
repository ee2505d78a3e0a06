import type { ResourcePage } from './lists.ts'
import type { ResourceType } from './protocol/attribute.ts'
import type { Projection } from './protocol/projection.ts'
import type { ListQuery } from './query.ts'
import type { ScimJson, ScimScope } from './scope.ts'

/** What every resource has. */
export interface Versioned {
  readonly id: string
  readonly version: number
}

/** One kind of resource, and what can be done with it: the same over its own routes and in a bulk request. */
export interface Endpoint<Row extends Versioned> {
  readonly kind: 'user' | 'group'
  readonly type: ResourceType
  url(baseUrl: string, id: string): string
  list(scope: ScimScope, query: ListQuery): Promise<ResourcePage>
  get(scope: ScimScope, id: string): Promise<Row>
  post(scope: ScimScope, body: unknown): Promise<Row>
  put(scope: ScimScope, id: string, body: unknown, expectedVersion?: number): Promise<Row>
  patch(scope: ScimScope, id: string, body: unknown, expectedVersion?: number): Promise<Row>
  delete(scope: ScimScope, id: string, expectedVersion?: number): Promise<void>
  /**
   * The resource as JSON.
   *
   * @param projection undefined: everything that is returned by default
   * @param isChanged it answers a change, not a read
   */
  json(scope: ScimScope, row: Row, projection: Projection | undefined, isChanged: boolean): Promise<ScimJson>
}
