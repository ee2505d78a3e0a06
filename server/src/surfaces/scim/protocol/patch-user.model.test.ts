import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ResourceDocument } from './attribute.ts'
import { readPatchRequest } from './patch-request.ts'
import { patchUser } from './patch-user.ts'
import { readResource } from './read-resource.ts'
import { userType } from './registry.ts'
import { ScimError } from './scim-error.ts'

// A model of RFC 7644 section 3.5.2 over plain objects, operation by operation as the sections read. It knows the few
// attributes below by heart, and works on a copy in place.

type Model = { [name: string]: unknown; emails?: Mail[]; name?: Record<string, unknown> }
type Mail = Record<string, unknown>
interface Operation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly target:
    | { kind: 'text'; name: 'title' | 'displayName' }
    | { kind: 'name' }
    | { kind: 'part'; part: 'givenName' | 'familyName' }
    | { kind: 'emails' }
    | { kind: 'mails'; by: 'type' | 'value'; of: string }
    | { kind: 'mail'; by: 'type' | 'value'; of: string; part: 'value' | 'display' | 'primary' }
  readonly value: unknown
}

class NoTarget extends Error {}

function applyToModel(model: Model, { op, target, value }: Operation): void {
  if (target.kind === 'text') {
    // "The attribute and its associated value are removed"; "replaced with the new value"; "added".
    if (op === 'remove') delete model[target.name]
    else model[target.name] = value
  } else if (target.kind === 'name') {
    if (op === 'remove') delete model.name
    // "A set of sub-attributes … replaces any existing values or adds where an attribute did not previously exist."
    else model.name = { ...model.name, ...(value as object) }
  } else if (target.kind === 'part') {
    model.name ??= {}
    if (op === 'remove') delete model.name[target.part]
    else model.name[target.part] = value
  } else {
    model.emails ??= []
    applyToMails(model, target, op, value)
  }
}

function applyToMails(model: Model, target: Operation['target'], op: Operation['op'], value: unknown): void {
  const mails = model.emails!
  if (target.kind === 'emails') {
    if (op === 'remove') mails.length = 0
    if (op === 'replace') mails.length = 0
    if (op !== 'remove') for (const mail of value as Mail[]) addMail(mails, mail)
    return
  }
  if (target.kind !== 'mails' && target.kind !== 'mail') return
  const found = mails.filter(
    (mail) => String(mail[target.by] ?? '').toLowerCase() === target.of.toLowerCase(),
  )
  // Identity providers: a canonical type that no entry has makes one; a removal that finds nothing is done.
  if (found.length === 0) {
    if (op === 'remove') return
    const type = ['work', 'home', 'other'].find((canonical) => canonical === target.of.toLowerCase())
    if (target.by !== 'type' || type === undefined) throw new NoTarget()
    const made = target.kind === 'mail' ? { type, [target.part]: value } : { type, ...(value as Mail) }
    mails.push(made)
    onePrimary(mails, [made])
    return
  }
  if (target.kind === 'mail') {
    for (const mail of found) {
      if (op === 'remove') delete mail[target.part]
      else mail[target.part] = value
    }
    if (op !== 'remove' && target.part === 'primary') onePrimary(mails, found)
  } else if (op === 'remove') {
    model.emails = mails.filter((mail) => !found.includes(mail))
  } else {
    for (const mail of found) {
      // "All matching record values SHALL be replaced"; what a canonical type found keeps it.
      const type = ['work', 'home', 'other'].find((canonical) => canonical === target.of.toLowerCase())
      if (op === 'replace') for (const key of Object.keys(mail)) delete mail[key]
      if (op === 'replace' && target.by === 'type' && type !== undefined) mail.type = type
      Object.assign(mail, value)
    }
    if ((value as Mail).primary === true) onePrimary(mails, found)
  }
}

/** "If the value already exists, no changes": two of one value and type are one. */
function addMail(mails: Mail[], mail: Mail): void {
  const bare = ({ primary: _, ...rest }: Mail) => rest
  const known = mails.find((other) =>
    mail.value === undefined && other.value === undefined
      ? Object.keys({ ...bare(mail), ...bare(other) }).every((key) => mail[key] === other[key])
      : mail.value === other.value && mail.type === other.type,
  )
  const added = known ?? {}
  if (known === undefined) mails.push(added)
  Object.assign(added, mail)
  onePrimary(mails, [added])
}

/** "The server SHALL set the value of the existing attribute's primary to false." */
function onePrimary(mails: Mail[], touched: Mail[]): void {
  const chosen = touched.findLast((mail) => mail.primary === true)
  if (chosen === undefined) return
  for (const mail of mails) if (mail !== chosen && mail.primary === true) mail.primary = false
}

function model(document: ResourceDocument, operations: readonly Operation[]): Model | 'noTarget' {
  const result = structuredClone(document) as Model
  try {
    for (const operation of operations) applyToModel(result, operation)
  } catch (error) {
    if (error instanceof NoTarget) return 'noTarget'
    throw error
  }
  // A PATCH leaves no shells: no mail without an address or a name, no empty list, no empty name.
  const mails: Mail[] = []
  for (const mail of result.emails ?? []) if ('value' in mail || 'display' in mail) addMail(mails, mail)
  result.emails = mails
  if (mails.length === 0) delete result.emails
  if (Object.keys(result.name ?? {}).length === 0) delete result.name
  return result
}

function pathOf(target: Operation['target']): string {
  switch (target.kind) {
    case 'text':
      return target.name
    case 'name':
    case 'emails':
      return target.kind
    case 'part':
      return `NAME.${target.part}`
    case 'mails':
      return `emails[${target.by} eq "${target.of}"]`
    case 'mail':
      return `emails[${target.by} eq "${target.of}"].${target.part}`
  }
}

const address = fc.constantFrom('a@x.example', 'A@x.example', 'b@x.example', 'c@x.example')
const someMail = fc.record(
  {
    value: address,
    type: fc.constantFrom('work', 'Home', 'fax'),
    display: fc.constantFrom('D', 'E'),
    primary: fc.boolean(),
  },
  { requiredKeys: ['value'] },
)
const mailPart = fc.oneof(
  someMail,
  fc.record({ display: fc.constantFrom('D', 'E'), primary: fc.boolean() }, { requiredKeys: ['display'] }),
)
const text = fc.constantFrom('x', 'y', 'Z')
const names = fc.record({ givenName: text, familyName: text }, { requiredKeys: ['givenName'] })
const op = fc.constantFrom('add', 'replace', 'remove')
const finder = fc.oneof(
  fc.record({ by: fc.constant('type'), of: fc.constantFrom('work', 'HOME', 'other', 'fax') }),
  fc.record({ by: fc.constant('value'), of: address }),
)
const operation = fc.oneof(
  fc.record({
    op,
    target: fc.record({ kind: fc.constant('text'), name: fc.constantFrom('title', 'displayName') }),
    value: text,
  }),
  fc.record({ op, target: fc.constant({ kind: 'name' }), value: names }),
  fc.record({
    op,
    target: fc.record({ kind: fc.constant('part'), part: fc.constantFrom('givenName', 'familyName') }),
    value: text,
  }),
  fc.record({
    op,
    target: fc.constant({ kind: 'emails' }),
    value: fc.array(someMail, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ op, target: finder.map((by) => ({ kind: 'mails', ...by })), value: mailPart }),
  fc.record({ op, target: finder.map((by) => ({ kind: 'mail', part: 'value', ...by })), value: address }),
  fc.record({ op, target: finder.map((by) => ({ kind: 'mail', part: 'display', ...by })), value: text }),
  fc.record({
    op,
    target: finder.map((by) => ({ kind: 'mail', part: 'primary', ...by })),
    value: fc.boolean(),
  }),
) as fc.Arbitrary<Operation>

const document = fc
  .record(
    { userName: fc.constant('ann'), title: text, name: names, emails: fc.array(someMail, { maxLength: 4 }) },
    { requiredKeys: ['userName'] },
  )
  .map((body) => readResource(userType, body))

test('RFC 7644 3.5.2: any sequence of operations does what an independent model of the RFC does', () => {
  let refusals = 0
  let changes = 0
  fc.assert(
    fc.property(document, fc.array(operation, { minLength: 1, maxLength: 6 }), (before, operations) => {
      const expected = model(before, operations)
      const wire = operations.map(({ op, target, value }) => ({
        op,
        path: pathOf(target),
        ...(op === 'remove' ? {} : { value }),
      }))
      let patched: ResourceDocument | 'noTarget'
      try {
        patched = patchUser(before, readPatchRequest({ Operations: wire }))
      } catch (error) {
        assert.ok(error instanceof ScimError && error.scimType === 'noTarget', String(error))
        patched = 'noTarget'
      }
      assert.deepEqual(patched, expected)
      if (patched === 'noTarget') refusals += 1
      else if (patched !== before) changes += 1
      // What is left is what would have been read, had it been written whole.
      if (patched !== 'noTarget') assert.deepEqual(readResource(userType, patched), patched)
    }),
    { numRuns: 5000, seed: 20261122 },
  )
  assert.ok(refusals > 100 && changes > 1000, `${refusals} refusals and ${changes} changes were compared`)
})
