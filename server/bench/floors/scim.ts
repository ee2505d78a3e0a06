// The bare floor of a SCIM service provider: a process of its own that parses the same JSON, runs one prepared statement
// for each request on bare tables, and answers the same resources. It knows no credentials, no organizations, no filters
// but one, no versions, no history and no errors, and trusts what it is sent. Frozen: reviewed like code.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'

interface Body {
  readonly userName: string
  readonly active: boolean
  readonly Operations: readonly [{ readonly op: string; readonly value: unknown }]
}

interface UserRow {
  readonly id: string
  /** The resource as JSON text. */
  readonly document: string
  readonly active: boolean
}

const COLUMNS = 'id, document, active'
const CREATE = `
  insert into bare_user (id, user_name_key, document, active) values ($1, $2, $3, $4) returning ${COLUMNS}`
const READ = `select ${COLUMNS} from bare_user where id = $1`
const LOOK_UP = `select ${COLUMNS} from bare_user where user_name_key = $1`
const SET_ACTIVE = `update bare_user set active = $2 where id = $1 returning ${COLUMNS}`
// By position and with the number of all, as the protocol asks for: without keeping a count, or places in the list.
const LIST = `
  select ${COLUMNS}, (select count(*) from bare_user)::integer as total
  from bare_user order by id offset $1 limit $2`
const ADD = `
  insert into bare_group_member (group_id, user_id) select $1, id from unnest($2::uuid[]) u (id)
  on conflict do nothing`
const REMOVE = 'delete from bare_group_member where group_id = $1 and user_id = any($2::uuid[])'
const READ_GROUP = `
  select string_agg('{"value":"' || user_id || '","type":"User"}', ',' order by user_id) as members
  from bare_group_member where group_id = $1`

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const run = async (name: string, text: string, values: unknown[]) =>
  (await pool.query({ name, text, values })).rows

const userText = ({ id, document, active }: UserRow) =>
  `${document.slice(0, -1)},"id":"${id}","active":${active}}`
const listText = (total: number, rows: readonly UserRow[]) =>
  `{"totalResults":${total},"Resources":[${rows.map(userText).join(',')}]}`
const idsOf = (value: unknown) => (value as readonly { value: string }[]).map((member) => member.value)

async function readBody(request: IncomingMessage): Promise<Body> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return JSON.parse(text) as Body
}

/** /Users, /Users/<id>, /Users?filter=userName eq "…", /Users?startIndex=…&count=…, /Groups/<id> */
async function answer(request: IncomingMessage): Promise<string> {
  const [path = '', query] = (request.url ?? '').split('?')
  const [, kind, id] = path.split('/')
  if (kind === 'Groups') return await answerGroup(request, id!)
  if (request.method === 'POST') {
    const { active, ...document } = await readBody(request)
    const values = [randomUUID(), document.userName.toLowerCase(), JSON.stringify(document), active]
    return userText((await run('create', CREATE, values))[0])
  }
  if (request.method === 'PATCH') {
    const { Operations } = await readBody(request)
    return userText((await run('active', SET_ACTIVE, [id, Operations[0].value]))[0])
  }
  if (id !== undefined) return userText((await run('read', READ, [id]))[0])
  const parameters = new URLSearchParams(query)
  const filter = parameters.get('filter')
  if (filter !== null) {
    const rows = await run('look-up', LOOK_UP, [filter.slice('userName eq "'.length, -1).toLowerCase()])
    return listText(rows.length, rows)
  }
  const offset = Number(parameters.get('startIndex')) - 1
  const rows = await run('list', LIST, [offset, Number(parameters.get('count'))])
  return listText(rows[0].total, rows)
}

async function answerGroup(request: IncomingMessage, id: string): Promise<string> {
  if (request.method === 'GET') {
    const [{ members }] = await run('read-group', READ_GROUP, [id])
    return `{"id":"${id}","members":[${members}]}`
  }
  const [{ op, value }] = (await readBody(request)).Operations
  await (op === 'add' ? run('add', ADD, [id, idsOf(value)]) : run('remove', REMOVE, [id, idsOf(value)]))
  return `{"id":"${id}"}`
}

const server = createServer((request, response) => {
  void answer(request).then(
    (text) => {
      response.writeHead(200, {
        'content-type': 'application/scim+json',
        'content-length': Buffer.byteLength(text),
      })
      response.end(text)
    },
    (error: Error) => response.writeHead(500).end(error.message),
  )
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
