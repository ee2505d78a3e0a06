export type JsonObject = Readonly<Record<string, unknown>>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What an object holds under a name in any letter case; of several, the last. */
export function memberOf(object: JsonObject, name: string): unknown {
  const lower = name.toLowerCase()
  const key = Object.keys(object).findLast((own) => own.toLowerCase() === lower)
  return key === undefined ? undefined : object[key]
}
