import type { Mailing } from '../../directory/outbox/mailing.ts'

/** Where a provider's SCIM client is pointed to: the same for every domain that is linked to it. */
export function scimBaseUrl(mailing: Pick<Mailing, 'publicUrl'>, providerId: string): string {
  return `${mailing.publicUrl()}/scim/v2/${providerId}`
}
