import { getScimUser, type ScimUserRow } from '../../directory/scim/user.ts'
import type { Endpoint } from './endpoint.ts'
import { listUsers } from './lists.ts'
import { userType } from './protocol/registry.ts'
import { userText, userUrl } from './resource-text.ts'
import { deleteUser, patchUserById, postUser, putUser } from './user-operations.ts'

export const users: Endpoint<ScimUserRow> = {
  ...{ kind: 'user', type: userType, url: userUrl, list: listUsers },
  ...{ post: postUser, put: putUser, patch: patchUserById, delete: deleteUser },
  get: async (scope, id) => await getScimUser(scope.reading, id),
  json: async (scope, row, projection) => userText(row, scope.baseUrl, projection),
}
