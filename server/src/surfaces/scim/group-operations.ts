import { foldText } from '../../directory/scim/fold.ts'
import {
  changeScimGroup,
  createScimGroup,
  deleteScimGroup,
  type ScimGroupRow,
} from '../../directory/scim/group.ts'
import { readGroupPatch } from './protocol/patch-group.ts'
import { readPatchRequest } from './protocol/patch-request.ts'
import { readGroup } from './protocol/read-group.ts'
import type { ScimScope } from './scope.ts'

/** POST of a group (RFC 7644 section 3.3). @throws ScimError, and what `createScimGroup` throws */
export async function postGroup(scope: ScimScope, body: unknown): Promise<ScimGroupRow> {
  const { members, displayName, externalId } = readGroup(body)
  const fields = { displayName, displayNameKey: foldText(displayName), externalId }
  return await scope.write((context) => createScimGroup(context, fields, members))
}

/** PUT of a group: its members become those of the body, none without any. @throws as `changeScimGroup` */
export async function putGroup(
  scope: ScimScope,
  id: string,
  body: unknown,
  expectedVersion?: number,
): Promise<ScimGroupRow> {
  const { members, displayName, externalId } = readGroup(body)
  const wanted = {
    fields: { displayName, displayNameKey: foldText(displayName), externalId },
    members: { replaces: true, added: members, removed: [] },
  }
  return await scope.write((context) => changeScimGroup(context, id, wanted, expectedVersion))
}

/** PATCH of a group, without reading its members. @throws ScimError, and what `changeScimGroup` throws */
export async function patchGroupById(
  scope: ScimScope,
  id: string,
  body: unknown,
  expectedVersion?: number,
): Promise<ScimGroupRow> {
  const { members, displayName, externalId } = readGroupPatch(readPatchRequest(body))
  const fields = {
    ...(displayName === undefined ? {} : { displayName, displayNameKey: foldText(displayName) }),
    ...(externalId === undefined ? {} : { externalId }),
  }
  return await scope.write((context) => changeScimGroup(context, id, { fields, members }, expectedVersion))
}

/** DELETE of a group (RFC 7644 section 3.6). @throws what `deleteScimGroup` throws */
export async function deleteGroup(scope: ScimScope, id: string, expectedVersion?: number): Promise<void> {
  await scope.write((context) => deleteScimGroup(context, id, expectedVersion))
}
