import { type EncryptionContext, EncryptionUnavailable } from '../platform/encryption.ts'
import type { Directory } from './context.ts'
import { DirectoryError } from './errors.ts'

export type Secrets = Pick<Directory, 'encryption'>

/** A secret as it is stored. @throws {DirectoryError} encryption.unavailable */
export async function sealSecret(tools: Secrets, plain: string, place: EncryptionContext): Promise<string> {
  return await tools.encryption.encrypt(plain, place).catch(unavailable)
}

/** A stored secret as it was given. @throws {DirectoryError} encryption.unavailable */
export async function openSecret(tools: Secrets, sealed: string, place: EncryptionContext): Promise<string> {
  return await tools.encryption.decrypt(sealed, place).catch(unavailable)
}

function unavailable(error: unknown): never {
  if (!(error instanceof EncryptionUnavailable)) throw error
  // The reason names a path of the server: it is for whoever runs it.
  throw new DirectoryError(
    'encryption.unavailable',
    'This server has no key to keep secrets with: its operator has to set ROLLCALL_ENCRYPTION_KEY.',
  )
}
