import type { Answer, TestApp } from './app.ts'
import { type DirectoryClient, directoryClient } from './directory-client.ts'
import { type DomainWorld, openDomainWorld } from './domain-world.ts'
import { type PosthogClient, posthogClient } from './posthog-client.ts'

/** One organization, asked in PostHog's dialect; its DNS is a real server of the test. */
export interface PosthogWorld {
  readonly app: TestApp
  readonly dns: DomainWorld['dns']
  /** A key of the organization that may do everything. */
  readonly key: string
  readonly organizationId: string
  readonly ownerId: string
  readonly client: PosthogClient
  readonly directory: DirectoryClient
  /** Puts a domain's challenge into DNS, where this dialect tells people to. */
  prove(domain: Answer['body']): void
  /** A domain that is verified. */
  verified(name: string): Promise<Answer['body']>
  /** The number of a new project. */
  project(fields?: object): Promise<number>
  /** A key that acts as a new member at a level, and the member's UUID. */
  memberKey(level: 1 | 8 | 15): Promise<{ id: string; client: PosthogClient }>
}

/** The UUID behind an id of the Directory API. */
export function uuidOf(id: string): string {
  const hex = Buffer.from(id.slice(id.indexOf('_') + 1), 'base64url').toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** The number by which the dialect knows a project. */
export async function projectNumber(client: PosthogClient, uuid: string): Promise<number> {
  const { teams } = await client.get('/')
  return teams.find((team: { uuid: string }) => team.uuid === uuid).id
}

export async function openPosthogWorld(slug: string): Promise<PosthogWorld> {
  const { app, dns } = await openDomainWorld()
  const { id, path, key, ownerId } = await app.organization(slug)
  const client = posthogClient(app, key)
  const directory = directoryClient(app, path, key)
  function prove(domain: Answer['body']): void {
    dns.zone.set(`_posthog-challenge.${domain.domain}`, { txt: [domain.verification_challenge] })
  }
  let projects = 0
  return {
    ...{ app, dns, key, client, directory, prove },
    organizationId: uuidOf(id),
    ownerId: uuidOf(ownerId),
    async verified(name) {
      const domain = await client.post('/domains/', { domain: name })
      prove(domain)
      return await client.act(`/domains/${domain.id}/verify/`)
    },
    async project(fields = {}) {
      const body = { name: 'P', identifier: `NUM${++projects}`, ...fields }
      return await projectNumber(client, uuidOf((await directory.post('/projects', body)).id))
    },
    async memberKey(level) {
      const { id: memberId } = await directory.member()
      if (level !== 1) await client.patch(`/members/${uuidOf(memberId)}/`, { level })
      const secret = await directory.key(['*'], { member_id: memberId })
      return { id: uuidOf(memberId), client: posthogClient(app, secret) }
    },
  }
}
