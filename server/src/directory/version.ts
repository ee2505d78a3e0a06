import { DirectoryError } from './errors.ts'

/** @throws {DirectoryError} version.mismatch if the row has moved on; undefined expects nothing */
export function requireVersion(current: number, expected: number | undefined): void {
  if (expected === undefined || expected === current) return
  throw new DirectoryError(
    'version.mismatch',
    `The resource is at version ${current}, not ${expected}: read it again and repeat the change.`,
  )
}
