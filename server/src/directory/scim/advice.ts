/** What a refused request was refused for. */
export interface Refused {
  readonly status: number
  readonly scim_type: string | null
}

const BY_TYPE: Readonly<Record<string, string>> = {
  uniqueness:
    'Another user or group has this name already. Look for it in the directory: rename or remove it, or let the ' +
    'identity provider link to it instead of creating it again.',
  invalidFilter:
    'The identity provider looks users or groups up by an attribute that cannot be looked up. Set its matching ' +
    'attribute to userName or externalId.',
  mutability:
    'The identity provider sends an attribute that cannot be changed. Remove it from the attribute mapping.',
  invalidPath:
    'The identity provider names an attribute that is not known here. Correct the attribute mapping.',
  noTarget:
    'The identity provider changes a value that is not there. Let it send the whole user or group again.',
  invalidValue:
    'A value that the identity provider sends is missing or not valid. The reason names the attribute: correct the ' +
    'attribute mapping or the value at its source.',
  invalidSyntax:
    'The request is not SCIM as this server knows it. Check that the identity provider speaks SCIM 2.0.',
  tooMany: 'The identity provider asks for more than one answer holds. Let it ask by pages.',
  sensitive:
    'The identity provider puts personal values into the address. Let it search by POST to /.search.',
}

/** What an administrator can do about a refused request, in one or two sentences. */
export function adviceFor({ status, scim_type: type }: Refused): string {
  const known = BY_TYPE[type ?? '']
  if (known !== undefined) return known
  if (status >= 500) {
    return 'This server could not do its work. The identity provider tries again by itself; if it lasts, look into the server’s log.'
  }
  switch (status) {
    case 401:
    case 403:
      return 'The token that the identity provider sends does not work. Create a new one and enter it there.'
    case 404:
      return 'The identity provider names a user or group that is not there (any more). Restart its provisioning, so that it looks everything up again.'
    case 409:
      return 'The request does not go together with what is there. The reason tells what stands in its way.'
    case 412:
      return 'The user or group has changed since the identity provider read it. It reads it again by itself.'
    case 413:
      return 'The request is too large. Let the identity provider send fewer members or operations at once.'
    case 415:
      return 'The identity provider sends another media type than application/scim+json. Check that it speaks SCIM 2.0.'
    case 429:
      return 'The identity provider asks faster than it may. It tries again by itself: there is nothing to do unless it lasts.'
    default:
      return 'The reason tells what is wrong with the request. Check the settings of the identity provider.'
  }
}
