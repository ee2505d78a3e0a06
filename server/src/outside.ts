import type { Config } from './config.ts'
import type { Directory } from './directory/context.ts'
import { domainProofs } from './directory/domains/proof.ts'
import { dnsRecords } from './platform/dns/dns-records.ts'
import { openEncryption } from './platform/encryption.ts'
import { createOutbound } from './platform/outbound/outbound.ts'
import type { Database } from './platform/postgres/database.ts'
import { readServerSecret } from './platform/server-secret.ts'
import { challengeLabels } from './surfaces/http/challenge-labels.ts'

/**
 * What the directory reaches beside its database. Opens nothing yet.
 *
 * @param database where processes that share it find one key, if the settings give none
 */
export function openOutside(
  config: Config,
  database?: Database,
): Omit<Directory, 'database' | 'wakeTasks' | 'mailing'> {
  return {
    encryption: openEncryption({
      keys: config.encryptionKeys,
      dataDir: config.dataDir,
      ...(config.databaseUrl === undefined || database === undefined
        ? {}
        : { sharedSecret: () => readServerSecret(database, 'encryption_key') }),
    }),
    outbound: createOutbound({
      allowed: config.outboundAllowed,
      ownHost: config.publicUrl === undefined ? undefined : new URL(config.publicUrl).hostname,
    }),
    domainProofs: domainProofs({
      dns: dnsRecords({ servers: config.dnsServers }),
      labels: challengeLabels,
    }),
    domainCheckMillis: config.domainCheckMillis,
    scimRequestDays: config.scimRequestDays,
  }
}
