/**
 * What is compared where letter case does not count: NFC, lower case, one sigma, NFC again. The same for uniqueness,
 * look-up and order, and always done here, never by PostgreSQL, whose own `lower` depends on the locale.
 *
 * Stable: folding its own result changes nothing. Lower-casing may leave a pair that composes (`J` + caron, to `ǰ`),
 * so NFC runs again; `toLowerCase` chooses between two sigmas by position, so one is kept. Dotless `ı` is a letter of
 * its own, `İ` is `i` + U+0307, `ß` is not `ss`, and a full-width `ａ` is not `a`.
 */
export function foldText(text: string): string {
  return text.normalize('NFC').toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}
