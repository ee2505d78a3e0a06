import { getScimGroup, readMemberIds, type ScimGroupRow } from '../../directory/scim/group.ts'
import type { Endpoint } from './endpoint.ts'
import { deleteGroup, patchGroupById, postGroup, putGroup } from './group-operations.ts'
import { listGroups } from './lists.ts'
import { groupType } from './protocol/registry.ts'
import { groupJson, groupUrl } from './resource-text.ts'

/** Members that the answer to a change shows; of a larger group it shows the rest, as a read can do better. */
const SHOWN_MEMBERS_MAX = 100

export const groups: Endpoint<ScimGroupRow> = {
  ...{ kind: 'group', type: groupType, url: groupUrl, list: listGroups },
  ...{ post: postGroup, put: putGroup, patch: patchGroupById, delete: deleteGroup },
  get: async (scope, id) => await getScimGroup(scope.reading, id),
  async json(scope, row, projection, isChanged) {
    const isWanted = projection?.keeps('members') ?? true
    const isShown = isWanted && !(isChanged && row.member_count > SHOWN_MEMBERS_MAX)
    const isEmpty = row.member_count === 0
    const memberIds = isShown ? (isEmpty ? '' : await readMemberIds(scope.reading, row.id)) : undefined
    return groupJson(row, scope.baseUrl, memberIds, projection)
  },
}
