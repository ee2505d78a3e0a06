import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

export const SEALING_KEY_BYTES = 32

/** Keeps what must be stored and read again, but not by whoever reads the database. */
export interface Sealer {
  /** @param about what the text belongs to: it opens only for the same. */
  seal(text: string, about: string): Buffer
  /** The text, or undefined if it was sealed with another key or for something else. */
  open(sealed: Buffer, about: string): string | undefined
}

/** Seals with AES-256-GCM: a nonce, the tag, then the text. */
export function createSealer(key: Buffer): Sealer {
  return {
    seal(text, about) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(about))
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
    },
    open(sealed, about) {
      if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
      const nonce = sealed.subarray(0, NONCE_BYTES)
      const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(about)).setAuthTag(tag)
      try {
        const text = Buffer.concat([
          decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)),
          decipher.final(),
        ])
        return text.toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** The key behind a passphrase of the settings. The salt is fixed: every process has to find the same key. */
export function sealingKeyOf(passphrase: string): Buffer {
  return scryptSync(passphrase, 'rollcall sealing key', SEALING_KEY_BYTES)
}
