import { createCipheriv, createDecipheriv, createHmac, randomBytes, scrypt } from 'node:crypto'
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What an encrypted value belongs to. It is authenticated with it: moved to another row, it cannot be read. */
export interface EncryptionContext {
  readonly organizationId: string
  readonly table: string
  readonly rowId: string
}

/** Encryption of secrets that must be read again (those that need not be are stored as digests). */
export interface Encryption {
  /** @throws {EncryptionUnavailable} */
  encrypt(plain: string, context: EncryptionContext): Promise<string>
  /** @throws {EncryptionUnavailable} without the key it was encrypted with; Error if the value was tampered with */
  decrypt(encrypted: string, context: EncryptionContext): Promise<string>
}

/** There is no key to work with. The message is for whoever operates the server, and tells no secret. */
export class EncryptionUnavailable extends Error {}

export interface EncryptionOptions {
  /** The first encrypts, all decrypt. None: the shared secret, or the key file, made when first needed. */
  readonly keys: readonly string[]
  readonly dataDir: string
  /** Where processes that share a database find one secret; absent: the key file. */
  readonly sharedSecret?: () => Promise<string>
}

const KEY_FILE = 'encryption.key'
const FORMAT = 'v1'
const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_ID_BYTES = 6
const OTHERS = 0o077

interface Key {
  /** In every value it encrypted, so that keys can be rotated; tells nothing about the key. */
  readonly id: string
  readonly bytes: Buffer
}

/**
 * AES-256-GCM with a fresh nonce each time. A value is `v1.<key id>.<nonce, tag and text>`; the format, the key id and
 * the row are authenticated as well.
 */
export function openEncryption(options: EncryptionOptions): Encryption {
  let opened: Promise<readonly Key[]> | undefined
  async function keys(): Promise<readonly Key[]> {
    opened ??= readKeys(options)
    return await opened.catch((error: unknown) => {
      // The operator may mend it without a restart.
      opened = undefined
      throw error
    })
  }
  return {
    async encrypt(plain, context) {
      const key = (await keys())[0]!
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, key.bytes, iv).setAAD(additionalData(key.id, context))
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return [FORMAT, key.id, Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')].join('.')
    },
    async decrypt(encrypted, context) {
      const [format, id = '', payload = ''] = encrypted.split('.')
      if (format !== FORMAT) throw new Error('an encrypted value of an unknown format')
      const key = (await keys()).find((known) => known.id === id)
      if (key === undefined) {
        throw new EncryptionUnavailable(
          `A secret was encrypted with a key (${id}) that this server does not have: add it to ROLLCALL_ENCRYPTION_KEY.`,
        )
      }
      const bytes = Buffer.from(payload, 'base64url')
      const decipher = createDecipheriv(CIPHER, key.bytes, bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(additionalData(id, context))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      return Buffer.concat([
        decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)),
        decipher.final(),
      ]).toString()
    },
  }
}

function additionalData(keyId: string, { organizationId, table, rowId }: EncryptionContext): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, keyId, organizationId, table, rowId]))
}

async function readKeys({ keys, dataDir, sharedSecret }: EncryptionOptions): Promise<readonly Key[]> {
  const secrets = keys.length > 0 ? keys : [await (sharedSecret ?? (() => readKeyFile(dataDir)))()]
  return await Promise.all(secrets.map(deriveKey))
}

const derive = promisify<string, string, number, Buffer>(scrypt)

/** A setting may be a passphrase, so it is stretched; the salt can only be constant, there is one key to a server. */
async function deriveKey(secret: string): Promise<Key> {
  const bytes = await derive(secret, 'rollcall secrets at rest', KEY_BYTES)
  const id = createHmac('sha256', bytes)
    .update('key id')
    .digest()
    .subarray(0, KEY_ID_BYTES)
    .toString('base64url')
  return { id, bytes }
}

async function readKeyFile(dataDir: string): Promise<string> {
  const path = join(dataDir, KEY_FILE)
  try {
    await makeKeyFile(dataDir, path)
    if (((await stat(path)).mode & OTHERS) !== 0) {
      throw new EncryptionUnavailable(`${path} can be read by other users: make it mode 0600.`)
    }
    const secret = (await readFile(path, 'utf8')).trim()
    if (secret === '') throw new EncryptionUnavailable(`${path} is empty: restore it from a backup.`)
    return secret
  } catch (error) {
    if (error instanceof EncryptionUnavailable) throw error
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new EncryptionUnavailable(
      `Secrets cannot be encrypted: ${path} cannot be made or read (${reason}). Set ROLLCALL_ENCRYPTION_KEY.`,
      { cause: error },
    )
  }
}

/** Makes the file whole or not at all: another process that starts at the same moment sees all of one key. */
async function makeKeyFile(dataDir: string, path: string): Promise<void> {
  if (await exists(path)) return
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`)
    await file.sync()
    await file.close()
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await unlink(draft)
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
