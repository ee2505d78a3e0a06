import { pino } from 'pino'
import { readConfig } from './config.ts'
import { openAuthentication } from './directory/api-keys/authentication.ts'
import { openScimServiceProvider } from './directory/scim/service-provider.ts'
import { createHttpServer } from './http-server.ts'
import { openOutside } from './outside.ts'
import { openDatabase } from './platform/postgres/database.ts'

/** The OpenAPI document of every surface. Needs no database: nothing is asked of it. */
export async function openApiDocument(): Promise<object> {
  const database = openDatabase({ connectionString: 'postgres://unused' })
  const authentication = await openAuthentication(database, 'root key of no server')
  const log = pino({ level: 'silent' })
  const scim = openScimServiceProvider(database, log)
  const outside = openOutside(readConfig({}))
  const mailing = { publicUrl: () => '', encryption: outside.encryption, isDelivering: false }
  const http = await createHttpServer({
    directory: { database, wakeTasks: () => {}, mailing, ...outside },
    ...{ authentication, scim, log },
  })
  await http.ready()
  const document = http.swagger()
  await http.close()
  await scim.close()
  await authentication.close()
  await database.close()
  return document
}
