import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { openAuthentication } from './directory/api-keys/authentication.ts'
import { createHttpServer } from './http-server.ts'
import { openDatabase } from './platform/postgres/database.ts'
import { createSealer, SEALING_KEY_BYTES } from './platform/sealer.ts'

/** The OpenAPI document of every surface. Needs no database: nothing is asked of it. */
export async function openApiDocument(): Promise<object> {
  const database = openDatabase({ connectionString: 'postgres://unused' })
  const authentication = await openAuthentication(database, 'root key of no server')
  const sealer = createSealer(randomBytes(SEALING_KEY_BYTES))
  const mailing = { publicUrl: () => '', sealer, isDelivering: false }
  const http = await createHttpServer({
    directory: { database, wakeTasks: () => {}, mailing },
    authentication,
    log: pino({ level: 'silent' }),
  })
  await http.ready()
  const document = http.swagger()
  await http.close()
  await authentication.close()
  await database.close()
  return document
}
