import type { Schema } from './attribute.ts'
import { complex, reference, string } from './define-attribute.ts'

/** The enterprise extension of User, RFC 7643 section 4.3. */
export const enterpriseUserSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  name: 'EnterpriseUser',
  description: 'What an employer knows of a user.',
  attributes: [
    string('employeeNumber', 'Number or other sign that the organization gave the user.'),
    string('costCenter', 'Cost center.'),
    string('organization', 'Organization.'),
    string('division', 'Division.'),
    string('department', 'Department.'),
    complex('manager', "The user's manager.", [
      // Any text: an identity provider may name a manager before it has provisioned them.
      string('value', 'Id of the manager; need not be a user here.', { caseExact: true }),
      reference('$ref', 'Address of the manager.', ['User'], { mutability: 'readOnly' }),
      string('displayName', 'Name of the manager.', { mutability: 'readOnly' }),
    ]),
  ],
}
