import { formatUuid, uuidBytes } from '../../platform/uuid.ts'

/** Every id prefix that surfaces show; inside, ids are bare UUIDs. */
export const idPrefixes = {
  organization: 'org_',
  member: 'mem_',
  group: 'grp_',
  workspace: 'wsp_',
  project: 'prj_',
  page: 'pag_',
  teamspace: 'tsp_',
  groupSyncMapping: 'gsm_',
  role: 'role_',
  roleAssignment: 'rga_',
  invitation: 'inv_',
  domain: 'dom_',
  identityProvider: 'idp_',
  scimToken: 'sct_',
  scimRequest: 'scr_',
  integration: 'int_',
  mail: 'mail_',
  apiKey: 'key_',
  change: 'chg_',
  plan: 'plan_',
  memberSync: 'sync_',
} as const

const ENCODED_LENGTH = 22
const ENCODED = /^[A-Za-z0-9_-]{22}$/

/** A UUID as a prefix and the unpadded base64url of its 16 bytes. */
export function encodeId(prefix: string, uuid: string): string {
  return prefix + uuidBytes(uuid).toString('base64url')
}

/** The UUID behind an id, or undefined if the text is not the one form we write. */
export function decodeId(prefix: string, id: string): string | undefined {
  if (!id.startsWith(prefix) || id.length !== prefix.length + ENCODED_LENGTH) return undefined
  const encoded = id.slice(prefix.length)
  if (!ENCODED.test(encoded)) return undefined
  const bytes = Buffer.from(encoded, 'base64url')
  // The last character carries 4 unused bits: other values of them would be other names of the same thing.
  return bytes.toString('base64url') === encoded ? formatUuid(bytes) : undefined
}
