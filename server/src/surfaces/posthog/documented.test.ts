import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Answer } from '../../../test/app.ts'
import { openPosthogWorld, type PosthogWorld, uuidOf } from '../../../test/posthog-world.ts'

let world: PosthogWorld
before(async () => {
  world = await openPosthogWorld('acme')
})

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The ids that stand in the paths, of things made for one request each. */
interface Made {
  readonly domain: string
  readonly verified: string
  readonly config: string
  readonly integration: string
  readonly project: number
  readonly invite: string
}

let made = 0
async function make(): Promise<Made> {
  made += 1
  const { client, directory } = world
  const scim = { scim_enabled: true }
  const domain = await client.post('/domains/', { domain: `d${made}.example` })
  const verified = await world.verified(`v${made}.example`)
  await client.patch(`/domains/${verified.id}/`, scim)
  const config = await client.post('/identity_provider_configs/', { name: 'Okta', ...scim })
  const connected = { kind: 'hosting', integration_id: `i${made}`, config: { type: 'connectable' } }
  await directory.post('/integrations', connected)
  const { results } = await client.get('/integrations/?limit=1000')
  const invite = await client.post('/invites/', { target_email: `i${made}@people.example` })
  return {
    domain: domain.id,
    verified: verified.id,
    config: config.id,
    integration: results.at(-1).id,
    project: await world.project(),
    invite: invite.id,
  }
}

const SETTINGS =
  'saml_entity_id saml_acs_url saml_x509_cert scim_enabled id_jag_issuer_url id_jag_jwks_url id_jag_allowed_clients'
const SHOWN = `${SETTINGS} has_saml has_scim has_id_jag scim_bearer_token`
const DOMAIN = `${SHOWN} id domain is_verified verified_at verification_challenge jit_provisioning_enabled
  sso_enforcement scim_base_url identity_provider_config`
const CONFIG = `${SHOWN} id name created_at updated_at`
const INTEGRATION = 'id kind integration_id config created_at updated_at created_by'
const INVITE = `id target_email first_name emailing_attempt_made level is_expired created_by created_at updated_at
  message private_project_access`
const LIST = 'count next previous results'

const domainBody = {
  jit_provisioning_enabled: true,
  sso_enforcement: '',
  saml_entity_id: 'https://idp.example/metadata',
  saml_acs_url: 'https://idp.example/sso',
  saml_x509_cert: '',
  scim_enabled: true,
  id_jag_issuer_url: 'https://idp.example/',
  id_jag_jwks_url: null,
  id_jag_allowed_clients: ['client'],
}
const configBody = {
  name: 'Entra',
  saml_entity_id: 'https://idp.example/metadata',
  saml_acs_url: 'https://idp.example/sso',
  saml_x509_cert: null,
  scim_enabled: true,
  id_jag_issuer_url: 'https://idp.example',
  id_jag_jwks_url: 'https://idp.example/jwks',
  id_jag_allowed_clients: [],
}

interface Documented {
  readonly request: string
  readonly body?: (ids: Made) => unknown
  readonly status: number
  /** Of the answer; null: it has no body. */
  readonly fields: string | null
  /** The answer is a list of things with these fields. */
  readonly items?: string
}

const documented: readonly Documented[] = [
  {
    request: 'PATCH /api/organizations/:organization_id/domains/:verified',
    body: (ids) => ({ domain: 'other.example', ...domainBody, identity_provider_config: ids.config }),
    status: 200,
    fields: DOMAIN,
  },
  { request: 'DELETE /api/organizations/:organization_id/domains/:domain', status: 204, fields: null },
  {
    request: 'GET /api/organizations/:organization_id/domains/:verified/scim/logs',
    status: 200,
    fields: LIST,
  },
  {
    request: 'POST /api/organizations/:organization_id/domains/:verified/scim/token',
    body: (ids) => ({ domain: 'other.example', ...domainBody, identity_provider_config: ids.config }),
    status: 200,
    fields: 'scim_enabled scim_base_url scim_bearer_token',
  },
  {
    request: 'POST /api/organizations/:organization_id/domains/:domain/verify',
    body: (ids) => ({ domain: 'other.example', ...domainBody, identity_provider_config: ids.config }),
    status: 200,
    fields: DOMAIN,
  },
  {
    request: 'GET /api/organizations/:organization_id/identity_provider_configs',
    status: 200,
    fields: LIST,
    items: CONFIG,
  },
  {
    request: 'POST /api/organizations/:organization_id/identity_provider_configs',
    body: () => configBody,
    status: 201,
    fields: CONFIG,
  },
  {
    request: 'GET /api/organizations/:organization_id/identity_provider_configs/:config',
    status: 200,
    fields: CONFIG,
  },
  {
    request: 'PATCH /api/organizations/:organization_id/identity_provider_configs/:config',
    body: () => configBody,
    status: 200,
    fields: CONFIG,
  },
  {
    request: 'DELETE /api/organizations/:organization_id/identity_provider_configs/:config',
    status: 204,
    fields: null,
  },
  {
    request: 'POST /api/organizations/:organization_id/identity_provider_configs/:config/scim/token',
    status: 200,
    fields: 'scim_enabled scim_bearer_token',
  },
  {
    request: 'GET /api/organizations/:organization_id/integrations',
    status: 200,
    fields: LIST,
    items: INTEGRATION,
  },
  {
    request: 'GET /api/organizations/:organization_id/integrations/:integration',
    status: 200,
    fields: INTEGRATION,
  },
  {
    request: 'DELETE /api/organizations/:organization_id/integrations/:integration',
    status: 204,
    fields: null,
  },
  {
    request: 'PATCH /api/organizations/:organization_id/integrations/:integration/environment-mapping',
    body: (ids) => ({ production: ids.project }),
    status: 200,
    fields: INTEGRATION,
  },
  { request: 'GET /api/organizations/:organization_id/invites', status: 200, fields: LIST, items: INVITE },
  {
    request: 'POST /api/organizations/:organization_id/invites',
    body: (ids) => ({
      target_email: `new-${ids.project}@people.example`,
      first_name: 'Ann',
      level: 8,
      message: 'Welcome',
      private_project_access: [{ id: ids.project, level: 'admin' }],
      send_email: true,
      combine_pending_invites: false,
    }),
    status: 201,
    fields: INVITE,
  },
  { request: 'DELETE /api/organizations/:organization_id/invites/:invite', status: 204, fields: null },
  // Above what the page's text still shows, and documented beside it.
  { request: 'GET /api/organizations/:organization_id/domains', status: 200, fields: LIST, items: DOMAIN },
  {
    request: 'POST /api/organizations/:organization_id/domains',
    body: (ids) => ({ domain: `new-${ids.project}.example` }),
    status: 201,
    fields: DOMAIN,
  },
  { request: 'GET /api/organizations/:organization_id/domains/:domain', status: 200, fields: DOMAIN },
]

const words = (text: string) => text.split(/\s+/).toSorted()

async function send(
  { request, body }: Documented,
  ids: Made,
  slash: string,
  organization: string,
): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ')
  const url = path
    .replace(':organization_id', organization)
    .replace(/:(\w+)/, (_, name: keyof Made) => String(ids[name]))
  return await world.app.call(method, url + slash, {
    key: world.key,
    ...(body === undefined ? {} : { body: body(ids) }),
  })
}

describe('every endpoint of the organizations page', () => {
  for (const one of documented) {
    it(`${one.request}, with and without a slash, answers what is documented`, async () => {
      for (const slash of ['', '/']) {
        for (const organization of [world.organizationId, '@current']) {
          const { status, body } = await send(one, await make(), slash, organization)
          assert.equal(status, one.status, JSON.stringify(body))
          if (one.fields === null) assert.equal(body, '')
          else assert.deepEqual(Object.keys(body).toSorted(), words(one.fields))
          if (one.items === undefined) continue
          assert.ok(body.results.length > 0)
          for (const item of body.results) assert.deepEqual(Object.keys(item).toSorted(), words(one.items))
        }
      }
    })
  }

  it('shows ids as plain lower-case UUIDs', async () => {
    const { project, ...ids } = await make()
    for (const id of Object.values(ids)) assert.match(id, UUID)
    assert.ok(Number.isSafeInteger(project), 'but for projects, which have numbers')
    assert.match(world.organizationId, UUID)
  })

  it('is closed to the organization of somebody else as to one that is not there', async () => {
    const other = await world.app.organization('other')
    const answers = []
    const ids = await make()
    for (const organization of [uuidOf(other.id), '01990000-0000-7000-8000-00000000abcd', 'acme', '%20']) {
      for (const one of documented) {
        const { status, body } = await send(one, ids, '', organization)
        answers.push(`${status} ${JSON.stringify(body)}`)
      }
    }
    assert.equal(new Set(answers).size, 1, [...new Set(answers)].join('\n'))
    assert.match(answers[0]!, /^403 {"type":"authentication_error","code":"permission_denied",/)
  })
})
