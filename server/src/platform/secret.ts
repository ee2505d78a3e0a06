import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const SECRET_BYTES = 32

/** A new secret of 256 random bits behind a prefix that secret scanners can look for. */
export function makeSecret(prefix: string): string {
  return prefix + randomBytes(SECRET_BYTES).toString('base64url')
}

/**
 * What is stored of a secret. Our secrets are 256 random bits, so one round of SHA-256 cannot be searched
 * backwards, and a lookup by digest leaks nothing useful through its timing.
 */
export function digestSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Compares two digests in constant time. */
export function sameDigest(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
