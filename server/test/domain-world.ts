import assert from 'node:assert/strict'
import type { Logger } from 'pino'
import { checkDueDomains } from '#src/directory/domains/domain.tasks.ts'
import { type Answer, startTestApp, type TestApp } from './app.ts'
import { makeCertificate } from './certificate.ts'
import { type DirectoryClient, directoryClient } from './directory-client.ts'
import { type DnsServer, startDnsServer } from './dns-server.ts'

/** A server whose resolver is a real DNS server of the test. */
export interface DomainWorld {
  readonly app: TestApp
  readonly dns: DnsServer
  client(slug: string): Promise<DirectoryClient>
  /** Puts a domain's challenge into DNS. */
  prove(domain: Answer['body']): void
  /** A domain that is named, proven and verified. */
  verified(client: DirectoryClient, name: string): Promise<Answer['body']>
  /** Lets the proofs of all verified domains be due, and looks for them. */
  recheck(): Promise<void>
  /** Moves the moment since when a domain's proof is gone into the past. */
  ageMissingProof(name: string, millis: number): Promise<void>
}

export async function openDomainWorld(
  options: { log?: Logger; withTasks?: boolean } = {},
): Promise<DomainWorld> {
  const dns = await startDnsServer()
  const app = await startTestApp({
    withoutTasks: options.withTasks !== true,
    settings: { ROLLCALL_DNS_SERVERS: dns.address },
    ...(options.log === undefined ? {} : { log: options.log }),
  })
  const run = (text: string, ...values: unknown[]) => app.database.run({ name: '', text, values })
  function prove(domain: Answer['body']): void {
    dns.zone.set(domain.challenge.name, { txt: [domain.challenge.value] })
  }
  return {
    app,
    dns,
    async client(slug) {
      const { path, key } = await app.organization(slug)
      return directoryClient(app, path, key)
    },
    prove,
    async verified(client, name) {
      const domain = await client.post('/domains', { name })
      prove(domain)
      const verified = await client.post(`/domains/${domain.id}/verify`)
      assert.equal(verified.status, 'verified', JSON.stringify(verified.last_check))
      return verified
    },
    async recheck() {
      await run(`update domain set next_check_at = now() where verified_at is not null`)
      await checkDueDomains(app.directory)
    },
    async ageMissingProof(name, millis) {
      await run(
        `update domain set proof_missing_since = proof_missing_since - make_interval(secs => $2) where name = $1`,
        name,
        millis / 1000,
      )
    },
  }
}

/** Settings of SAML with which somebody could sign in. */
export const completeSaml = () => ({
  entity_id: 'https://idp.acme.example/metadata',
  sso_url: 'https://idp.acme.example/sso',
  certificates: [makeCertificate().pem],
})
