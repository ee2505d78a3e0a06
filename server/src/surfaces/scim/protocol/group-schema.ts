import type { Schema } from './attribute.ts'
import { complex, reference, string } from './define-attribute.ts'

/** What names a user in a group. */
export const groupMemberId = string('value', 'Id of the user.', { caseExact: true, mutability: 'immutable' })

/**
 * The Group of RFC 7643 section 4.2. Members are users: groups in groups are refused. They are shown without `display`:
 * names of 50,000 users would have to be looked up for a client that has them.
 */
export const groupSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  description: 'A named set of users.',
  attributes: [
    string('displayName', 'Name of the group.', { required: true }),
    complex(
      'members',
      'Users in the group.',
      [
        groupMemberId,
        reference('$ref', 'Address of the user.', ['User'], { mutability: 'readOnly' }),
        string('type', 'What the member is.', { mutability: 'immutable', canonicalValues: ['User'] }),
      ],
      { multiValued: true },
    ),
  ],
}
