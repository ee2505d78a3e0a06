import { isDeepStrictEqual } from 'node:util'
import { foldText } from '../../directory/scim/fold.ts'
import { deleteScimUser, type ScimUserRow, type ScimUserWrite } from '../../directory/scim/user.ts'
import { prepareScimUserActivation } from '../../directory/scim/user-activation.ts'
import {
  changeScimUser,
  prepareScimUserChange,
  type ScimUserTransform,
} from '../../directory/scim/user-change.ts'
import { createScimUser, prepareNewScimUser } from '../../directory/scim/user-creation.ts'
import { statedPerson } from './person.ts'
import type { ResourceDocument } from './protocol/attribute.ts'
import { readPatchRequest } from './protocol/patch-request.ts'
import { activeOnly, patchUser } from './protocol/patch-user.ts'
import { readResource } from './protocol/read-resource.ts'
import { userType } from './protocol/registry.ts'
import { emailKeys, searchDocument } from './protocol/search-document.ts'
import { fromStoredDocument, toStoredDocument } from './resource-text.ts'
import type { ScimScope } from './scope.ts'

/** @param before absent: the user is new, and active unless it says otherwise */
function toWrite(
  document: ResourceDocument,
  before?: { readonly document: ResourceDocument; readonly stored: string },
): ScimUserWrite {
  const userName = document.userName as string
  const stored = toStoredDocument(document)
  return {
    userName,
    userNameKey: foldText(userName),
    externalId: (document.externalId as string | undefined) ?? null,
    active: document.active !== false,
    document: stored,
    searched: stored === before?.stored ? null : toSearched(document),
    person: statedPerson(document, before?.document),
  }
}

/** `active` has a column of its own. */
function toSearched({ active: _, ...document }: ResourceDocument) {
  return { search: JSON.stringify(searchDocument(userType, document)), emailKeys: emailKeys(document) }
}

/** POST of a user (RFC 7644 section 3.3). @throws ScimError, and what `createScimUser` throws */
export async function postUser(scope: ScimScope, body: unknown): Promise<ScimUserRow> {
  const document = readResource(userType, body)
  const user = toWrite(document)
  return await scope.write(
    (context) => createScimUser(context, user),
    async () => prepareNewScimUser(user),
  )
}

/**
 * PUT of a user (RFC 7644 section 3.5.1): what the body leaves out is cleared, but for `active`, which stays, so that a
 * body without it never revives anybody.
 *
 * @throws ScimError, and what `changeScimUser` throws
 */
export async function putUser(
  scope: ScimScope,
  id: string,
  body: unknown,
  expectedVersion?: number,
): Promise<ScimUserRow> {
  const document = readResource(userType, body)
  return await change(scope, id, () => document, expectedVersion)
}

/** PATCH of a user (RFC 7644 section 3.5.2). @throws ScimError, and what `changeScimUser` throws */
export async function patchUserById(
  scope: ScimScope,
  id: string,
  body: unknown,
  expectedVersion?: number,
): Promise<ScimUserRow> {
  const operations = readPatchRequest(body)
  const active = expectedVersion === undefined ? activeOnly(operations) : undefined
  const patch = (before: ResourceDocument) => patchUser(before, operations)
  if (active === undefined) return await change(scope, id, patch, expectedVersion)
  return await scope.write(
    (context) => changeScimUser(context, id, transformingRow(patch), undefined),
    async () => prepareScimUserActivation(id, active),
  )
}

async function change(
  scope: ScimScope,
  id: string,
  transform: (before: ResourceDocument) => ResourceDocument,
  expectedVersion: number | undefined,
): Promise<ScimUserRow> {
  const transformRow = transformingRow(transform)
  return await scope.write(
    (context) => changeScimUser(context, id, transformRow, expectedVersion),
    (context) => prepareScimUserChange(context, id, transformRow, expectedVersion),
  )
}

/** What is said to be neither active nor inactive any more stays what it was. */
function transformingRow(transform: (before: ResourceDocument) => ResourceDocument): ScimUserTransform {
  return (row) => {
    const before = fromStoredDocument(row)
    const after = { active: before.active, ...transform(before) }
    if (isDeepStrictEqual(after, before)) return undefined
    return toWrite(after, { document: before, stored: row.document })
  }
}

/** DELETE of a user (RFC 7644 section 3.6). @throws what `deleteScimUser` throws */
export async function deleteUser(scope: ScimScope, id: string, expectedVersion?: number): Promise<void> {
  await scope.write((context) => deleteScimUser(context, id, expectedVersion))
}
