// `npm run generate` writes the generated files; with --check it changes nothing and fails when one is out of date.
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { migrate } from '../server/src/platform/postgres/migrate.ts'
import { startThrowawayServer } from '../server/test/throwaway-server.ts'
import { dumpSchema } from './dump-schema.ts'

const GENERATED = new URL('../server/generated/', import.meta.url)
const OPENAPI_SOURCE = new URL('../server/src/openapi.ts', import.meta.url)

const isCheck = process.argv.includes('--check')

const files = new Map([['schema.sql', await schemaText()]])
const openApi = await openApiText()
if (openApi !== undefined) files.set('openapi.json', openApi)

const stale: string[] = []
await mkdir(GENERATED, { recursive: true })
for (const [name, text] of files) {
  const path = new URL(name, GENERATED)
  const present = await readFile(path, 'utf8').catch(() => undefined)
  if (present === text) continue
  stale.push(`server/generated/${name}`)
  if (!isCheck) await writeFile(path, text)
}
if (!isCheck) {
  console.log(stale.length === 0 ? 'Every generated file was up to date.' : `Written: ${stale.join(', ')}`)
} else if (stale.length > 0) {
  console.error(`Out of date: ${stale.join(', ')}. Run npm run generate and commit the result.`)
}
// What openapi.ts has imported may keep timers or sockets open.
process.exit(isCheck && stale.length > 0 ? 1 : 0)

async function schemaText(): Promise<string> {
  const server = await startThrowawayServer()
  try {
    await migrate(server.adminUrl)
    const client = new pg.Client({ connectionString: server.adminUrl })
    await client.connect()
    return await dumpSchema(client).finally(() => client.end())
  } finally {
    await server.stop()
  }
}

async function openApiText(): Promise<string | undefined> {
  if (!existsSync(fileURLToPath(OPENAPI_SOURCE))) return undefined
  const { openApiDocument }: { openApiDocument(): Promise<object> } = await import(OPENAPI_SOURCE.href)
  return `${JSON.stringify(await openApiDocument(), null, 2)}\n`
}
