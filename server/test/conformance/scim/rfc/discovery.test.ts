import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { ENTERPRISE, GROUP, PATCH, USER } from '../../../scim-client.ts'
import { type IdentityProvider, startIdentityProvider } from '../identity-provider.ts'

interface Attribute {
  readonly name: string
  readonly type: string
  readonly multiValued: boolean
  readonly required: boolean
  readonly caseExact?: boolean
  readonly mutability: string
  readonly returned: string
  readonly canonicalValues?: readonly string[]
  readonly subAttributes?: readonly Attribute[]
}

let scim: IdentityProvider
let core: readonly Attribute[]
let enterprise: readonly Attribute[]
let group: readonly Attribute[]
before(async () => {
  scim = await startIdentityProvider()
  const attributesOf = async (id: string) => (await scim.expect(200, 'GET', `/Schemas/${id}`)).attributes
  core = await attributesOf(USER)
  enterprise = await attributesOf(ENTERPRISE)
  group = await attributesOf(GROUP)
})

const isWritable = ({ mutability }: Attribute) => mutability !== 'readOnly'
const isShown = ({ returned }: Attribute) => returned !== 'never'

/** A value of the type that is announced. */
function exampleOf(attribute: Attribute, path: string): unknown {
  const one = oneOf(attribute, path)
  return attribute.multiValued ? [one] : one
}

function oneOf({ type, subAttributes = [], canonicalValues }: Attribute, path: string): unknown {
  if (type === 'complex') {
    const writable = subAttributes.filter(isWritable)
    return Object.fromEntries(writable.map((sub) => [sub.name, exampleOf(sub, `${path}.${sub.name}`)]))
  }
  if (type === 'boolean') return true
  if (type === 'binary') return 'QWJj'
  if (type === 'reference') return `https://people.example/Ab-${path}`
  if (path === 'emails.value') return 'Ab@people.example'
  return canonicalValues?.[0] ?? `Ab ${path.replace(/^.*:/, '')}`
}

const documentOf = (attributes: readonly Attribute[], prefix = '') =>
  Object.fromEntries(
    attributes.filter(isWritable).map((one) => [one.name, exampleOf(one, prefix + one.name)]),
  )

/** Every announced attribute that has one simple value somewhere, by the path that a filter names it with. */
function leavesOf(attributes: readonly Attribute[], prefix = ''): { path: string; attribute: Attribute }[] {
  return attributes.flatMap((attribute) => {
    const path = prefix + attribute.name
    return attribute.type === 'complex'
      ? leavesOf(attribute.subAttributes ?? [], `${path}.`)
      : [{ path, attribute }]
  })
}

const swapped = (text: string) =>
  [...text]
    .map((letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()))
    .join('')

describe('what is announced is what is enforced', () => {
  it('every writable attribute is stored and answered as it was sent, but for what is never returned', async () => {
    const sent = { ...documentOf(core), [ENTERPRISE]: documentOf(enterprise, `${ENTERPRISE}:`) }
    const { id } = await scim.expect(201, 'POST', '/Users', { schemas: [USER, ENTERPRISE], ...sent })
    const shown = await scim.expect(200, 'GET', `/Users/${id}`)
    const hidden = core.filter((one) => !isShown(one)).map(({ name }) => name)
    assert.deepEqual(hidden, ['password'])
    const { schemas, id: _, meta: __, ...rest } = shown
    const { password: ___, ...kept } = sent as Record<string, unknown>
    assert.deepEqual(schemas, [USER, ENTERPRISE])
    assert.deepEqual(rest, kept)
    for (const name of hidden) {
      const asked = await scim.expect(200, 'GET', `/Users/${id}?attributes=${name}`)
      assert.deepEqual(Object.keys(asked).sort(), ['id', 'schemas'])
    }
  })

  it('letter case counts in a filter where caseExact says so, and what is never returned is no filter', async () => {
    const filters = [...leavesOf(core), ...leavesOf(enterprise, `${ENTERPRISE}:`)]
    const [id] = await scim.find(`userName eq "Ab userName"`)
    let compared = 0
    for (const { path, attribute } of filters) {
      const top = core.find(({ name }) => path.split('.')[0] === name)
      if (!isShown(attribute)) {
        const query = encodeURIComponent(`${path} eq "x"`)
        await scim.refused(400, 'invalidFilter', 'GET', `/Users?filter=${query}`)
      } else if (isWritable(attribute) && top?.name !== 'groups' && attribute.type !== 'boolean') {
        const value = String(oneOf(attribute, path.replace(`${ENTERPRISE}:`, '')))
        assert.deepEqual(await scim.find(`${path} eq "${value}"`), [id], path)
        const isExact = attribute.caseExact === true
        assert.deepEqual(await scim.find(`${path} eq "${swapped(value)}"`), isExact ? [] : [id], path)
        compared++
      }
    }
    assert.ok(compared > 40, String(compared))
  })

  it('read-only attributes are 400 mutability by their path, required ones cannot be left out or removed', async () => {
    const user = await scim.user()
    const one = await scim.group('Discovery')
    for (const [path, attributes] of [
      [`/Users/${user.id}`, core],
      [`/Users/${user.id}`, enterprise],
      [`/Groups/${one.id}`, group],
    ] as const) {
      for (const { name, mutability, required } of attributes) {
        const operation =
          mutability === 'readOnly' ? { op: 'add', path: name, value: 'x' } : { op: 'remove', path: name }
        const body = { schemas: [PATCH], Operations: [operation] }
        if (mutability === 'readOnly' || required) await scim.refused(400, 'mutability', 'PATCH', path, body)
        else await scim.expect(200, 'PATCH', path, body)
      }
    }
    const requiredOf = (attributes: readonly Attribute[]) => attributes.filter(({ required }) => required)
    assert.deepEqual(
      requiredOf(core).map(({ name }) => name),
      ['userName'],
    )
    assert.deepEqual(
      requiredOf(group).map(({ name }) => name),
      ['displayName'],
    )
  })

  it('of each canonical type an entry is made by a path that names it', async () => {
    const [full] = await scim.find('userName eq "Ab userName"')
    await scim.expect(204, 'DELETE', `/Users/${full}`)
    for (const { name, subAttributes = [], multiValued } of core) {
      const types = subAttributes.find((sub) => sub.name === 'type')?.canonicalValues ?? []
      const value = subAttributes.find((sub) => sub.name === 'value' && isWritable(sub))
      if (!multiValued || value === undefined) continue
      const { id } = await scim.user()
      for (const type of types) {
        const path = `${name}[type eq "${type}"].value`
        await scim.patch(`/Users/${id}`, { op: 'replace', path, value: oneOf(value, `${name}.value`) })
      }
      const shown = (await scim.expect(200, 'GET', `/Users/${id}`))[name] ?? []
      assert.deepEqual(
        shown.map((entry: { type: string }) => entry.type),
        types,
        name,
      )
      if (types.length > 0) await scim.expect(204, 'DELETE', `/Users/${id}`)
    }
  })

  it('the configuration says what the other tests of this folder hold it to', async () => {
    const config = await scim.expect(200, 'GET', '/ServiceProviderConfig')
    const supported = ['patch', 'bulk', 'filter', 'sort', 'etag'].filter((name) => config[name].supported)
    assert.deepEqual(supported, ['patch', 'bulk', 'filter', 'sort', 'etag'])
    assert.equal(config.changePassword.supported, false)
    assert.deepEqual(
      config.authenticationSchemes.map(({ type }: { type: string }) => type),
      ['oauthbearertoken'],
    )
  })
})
