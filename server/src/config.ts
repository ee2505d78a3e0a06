import { isIP } from 'node:net'
import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { type Allowed, nothingAllowed, parseAllowed } from './platform/outbound/allowed.ts'

/** A start-up problem an operator can mend: `main.ts` prints the sentence alone and exits with code 1. */
export class StartupError extends Error {}

const HOUR_MILLIS = 3_600_000
const emptyIsAbsent = (value: unknown) => (value === '' ? undefined : value)
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(emptyIsAbsent, schema.optional())

/** Entries between commas, without the space around them. */
const list = z.string().transform((text) => text.split(',').map((part) => part.trim()))

const ENCRYPTION_KEY_LENGTH_MIN = 16
const encryptionKeys = list.refine(
  (keys) => keys.every((key) => key.length >= ENCRYPTION_KEY_LENGTH_MIN),
  `must have at least ${ENCRYPTION_KEY_LENGTH_MIN} characters in each key`,
)

const DNS_SERVER = /^(?:\[([^\]]+)\](?::\d{1,5})?|([\d.]+)(?::\d{1,5})?|([0-9a-f:.]+))$/i
const dnsServers = list.refine((servers) => {
  const hosts = servers.map((server) => DNS_SERVER.exec(server)?.slice(1).find(Boolean) ?? '')
  return hosts.every((host) => isIP(host) !== 0)
}, 'must be addresses such as 10.0.0.53 or 127.0.0.1:5353, separated by commas')

function toAllowed(text: string, context: z.RefinementCtx): Allowed {
  const parsed = parseAllowed(text)
  if (!('problem' in parsed)) return parsed
  context.addIssue(parsed.problem)
  return z.NEVER
}
/** `address` or `Name <address>`; quotes and line ends have no place in the header it becomes. */
const MAIL_FROM =
  /^(?:[^<>"\p{Cc}]{0,100}<[^\s<>@"]{1,64}@[^\s<>@"]{1,253}>|[^\s<>@"]{1,64}@[^\s<>@"]{1,253})$/u

const environmentSchema = z.object({
  PORT: z.preprocess(emptyIsAbsent, z.coerce.number().int().min(0).max(65535).default(8484)),
  HOST: z.preprocess(emptyIsAbsent, z.string().default('127.0.0.1')),
  DATABASE_URL: optional(z.string().regex(/^postgres(ql)?:\/\//, 'must start with postgres://')),
  ROLLCALL_DATA_DIR: z.preprocess(emptyIsAbsent, z.string().default('./data')),
  ROLLCALL_PUBLIC_URL: optional(z.url({ protocol: /^https?$/ })),
  ROLLCALL_ROOT_KEY: optional(z.string().min(16, 'must have at least 16 characters').max(512)),
  SMTP_URL: optional(z.string().regex(/^smtps?:\/\//, 'must start with smtp:// or smtps://')),
  ROLLCALL_ENCRYPTION_KEY: z.preprocess(emptyIsAbsent, encryptionKeys.default([])),
  ROLLCALL_OUTBOUND_ALLOW: optional(z.string().transform(toAllowed)),
  ROLLCALL_DNS_SERVERS: z.preprocess(emptyIsAbsent, dnsServers.default([])),
  ROLLCALL_DOMAIN_CHECK_HOURS: z.preprocess(emptyIsAbsent, z.coerce.number().positive().max(720).default(24)),
  ROLLCALL_SCIM_REQUEST_DAYS: z.preprocess(
    emptyIsAbsent,
    z.coerce.number().int().min(1).max(3650).default(30),
  ),
  ROLLCALL_MAIL_FROM: optional(
    z
      .string()
      .regex(MAIL_FROM, 'must be an address, or a name and an address such as Acme <no-reply@acme.example>'),
  ),
  LOG_LEVEL: z.preprocess(
    emptyIsAbsent,
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  ),
})

/** Every setting of the process, parsed once and passed down. */
export interface Config {
  readonly port: number
  readonly host: string
  /** Absent: the embedded database under `dataDir`. */
  readonly databaseUrl: string | undefined
  /** Absolute path. */
  readonly dataDir: string
  readonly publicUrl: string | undefined
  readonly rootKey: string | undefined
  /** Absent: mails are kept in the outbox. */
  readonly smtpUrl: string | undefined
  /** The first encrypts, all decrypt. None: a key file under `dataDir`. */
  readonly encryptionKeys: readonly string[]
  /** What requests to customers' addresses may reach although it is near this server. */
  readonly outboundAllowed: Allowed
  /** None: those of the system. */
  readonly dnsServers: readonly string[]
  /** How often the proof of a verified domain is looked for again. */
  readonly domainCheckMillis: number
  /** How long the requests of SCIM clients are kept. */
  readonly scimRequestDays: number
  readonly mailFrom: string | undefined
  readonly logLevel: string
}

/**
 * Reads the settings of the process. The only reader of the environment.
 *
 * @throws {StartupError} naming every setting that is not valid and its rule.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environmentSchema.safeParse(environment)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new StartupError(`Settings are not valid. ${problems.join('; ')}`)
  }
  const settings = parsed.data
  const dataDir = settings.ROLLCALL_DATA_DIR
  return {
    port: settings.PORT,
    host: settings.HOST,
    databaseUrl: settings.DATABASE_URL,
    dataDir: isAbsolute(dataDir) ? dataDir : resolve(dataDir),
    publicUrl: settings.ROLLCALL_PUBLIC_URL?.replace(/\/+$/, ''),
    rootKey: settings.ROLLCALL_ROOT_KEY,
    smtpUrl: settings.SMTP_URL,
    encryptionKeys: settings.ROLLCALL_ENCRYPTION_KEY,
    outboundAllowed: settings.ROLLCALL_OUTBOUND_ALLOW ?? nothingAllowed,
    dnsServers: settings.ROLLCALL_DNS_SERVERS,
    domainCheckMillis: settings.ROLLCALL_DOMAIN_CHECK_HOURS * HOUR_MILLIS,
    scimRequestDays: settings.ROLLCALL_SCIM_REQUEST_DAYS,
    mailFrom: settings.ROLLCALL_MAIL_FROM,
    logLevel: settings.LOG_LEVEL,
  }
}
