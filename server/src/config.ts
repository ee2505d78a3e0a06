import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'

/** A start-up problem an operator can mend: `main.ts` prints the sentence alone and exits with code 1. */
export class StartupError extends Error {}

const emptyIsAbsent = (value: unknown) => (value === '' ? undefined : value)
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(emptyIsAbsent, schema.optional())

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
  ROLLCALL_ENCRYPTION_KEY: optional(z.string().min(16, 'must have at least 16 characters')),
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
  readonly mailFrom: string | undefined
  readonly encryptionKey: string | undefined
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
    mailFrom: settings.ROLLCALL_MAIL_FROM,
    encryptionKey: settings.ROLLCALL_ENCRYPTION_KEY,
    logLevel: settings.LOG_LEVEL,
  }
}
