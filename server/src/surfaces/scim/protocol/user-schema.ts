import type { Schema } from './attribute.ts'
import { binary, boolean, complex, list, reference, string, typeAndPrimary } from './define-attribute.ts'

/** The core User of RFC 7643 section 4.1. */
export const userSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  description: 'A person as the identity provider knows them.',
  attributes: [
    string('userName', 'The name that identifies the user to the identity provider; unique here.', {
      required: true,
      uniqueness: 'server',
    }),
    complex('name', "The parts of the user's name.", [
      string('formatted', 'The whole name as it is shown; kept as given, never computed from the parts.'),
      string('familyName', 'Family name.'),
      string('givenName', 'Given name.'),
      string('middleName', 'Middle names.'),
      string('honorificPrefix', 'Title before the name, such as Dr.'),
      string('honorificSuffix', 'Suffix after the name, such as III.'),
    ]),
    string('displayName', 'The name to show to others.'),
    string('nickName', 'What the user is called casually.'),
    reference('profileUrl', 'Address of a page about the user, http or https.', ['external']),
    string('title', 'Job title.'),
    string('userType', 'How the user relates to the organization, such as Employee or Contractor.'),
    string('preferredLanguage', 'Preferred languages, as in Accept-Language.'),
    string('locale', 'Locale for dates, numbers and currency, such as en-US.'),
    string('timezone', 'Time zone by its IANA name, such as Europe/Berlin.'),
    boolean('active', 'Whether the user may sign in; false ends sessions and access.'),
    string('password', 'Accepted and discarded: this service keeps no passwords.', {
      caseExact: true,
      mutability: 'writeOnly',
      returned: 'never',
    }),
    list('emails', 'E-mail addresses.', string('value', 'The address.'), ['work', 'home', 'other']),
    list('phoneNumbers', 'Phone numbers.', string('value', 'The number, kept as given.'), [
      'work',
      'home',
      'mobile',
      'fax',
      'pager',
      'other',
    ]),
    list('ims', 'Instant messaging addresses.', string('value', 'The address.'), [
      'aim',
      'gtalk',
      'icq',
      'xmpp',
      'msn',
      'skype',
      'qq',
      'yahoo',
    ]),
    list('photos', 'Pictures of the user.', reference('value', 'Address, http or https.', ['external']), [
      'photo',
      'thumbnail',
    ]),
    complex(
      'addresses',
      'Postal addresses.',
      [
        string('formatted', 'The whole address as it is printed, with line breaks.'),
        string('streetAddress', 'Street, house number and what else stands on those lines.'),
        string('locality', 'City.'),
        string('region', 'State or region.'),
        string('postalCode', 'Postal code.'),
        string('country', 'Country, an ISO 3166-1 alpha-2 code.'),
        ...typeAndPrimary(['work', 'home', 'other']),
      ],
      { multiValued: true },
    ),
    complex(
      'groups',
      'Groups the user is in; changed through the groups.',
      [
        string('value', 'Id of the group.', { caseExact: true, mutability: 'readOnly' }),
        reference('$ref', 'Address of the group.', ['Group'], { mutability: 'readOnly' }),
        string('display', 'Name of the group.', { mutability: 'readOnly' }),
        string('type', 'How the user is in the group.', {
          mutability: 'readOnly',
          canonicalValues: ['direct', 'indirect'],
        }),
      ],
      { multiValued: true, mutability: 'readOnly' },
    ),
    list('entitlements', 'What the user is entitled to.', string('value', 'The entitlement.')),
    list('roles', 'Roles as the identity provider names them.', string('value', 'The role.')),
    list('x509Certificates', 'Certificates of the user.', binary('value', 'DER in base64.')),
  ],
}
