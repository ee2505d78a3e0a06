// The bare floor of access questions: a process of its own that parses the same JSON and runs one prepared statement
// for each request. It knows no credentials, no rules, no levels and no errors, and takes ids as the database has
// them. Frozen: reviewed like code, changed only with the schema.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'

interface Check {
  readonly member: string
  readonly permission: string
  /** A project. */
  readonly target: string
}

const GROUPS_OF_MEMBER = `
  select g.id, g.name, g.external_reference_id
  from group_membership gm
  join org_group g on g.organization_id = gm.organization_id and g.id = gm.group_id
  where gm.organization_id = $1 and gm.member_id = $2 and (gm.expires_at is null or gm.expires_at > now())
  order by gm.group_id limit 100`

const ROLES_OF_MEMBER = `
  select r.id, r.name, h.group_id, h.workspace_id, h.project_id
  from (
    select id, role_id, workspace_id, project_id, null::uuid as group_id
    from role_grant
    where organization_id = $1 and member_id = $2 and ended_change is null
      and (expires_at is null or expires_at > now())
    union all
    select g.id, g.role_id, g.workspace_id, g.project_id, gm.group_id
    from group_membership gm
    join role_grant g on g.organization_id = gm.organization_id and g.group_id = gm.group_id
      and g.ended_change is null and (g.expires_at is null or g.expires_at > now())
    where gm.organization_id = $1 and gm.member_id = $2 and (gm.expires_at is null or gm.expires_at > now())
  ) h
  join role r on r.organization_id = $1 and r.id = h.role_id
  order by h.id limit 100`

const REACHES = `g.ended_change is null and (g.expires_at is null or g.expires_at > now())
    and (g.workspace_id is null and g.project_id is null or g.project_id = $4
      or g.workspace_id = (select workspace_id from project where organization_id = $1 and id = $4))`
const MAY = `
  select exists (
    select 1 from role_grant g
    join role r on r.organization_id = g.organization_id and r.id = g.role_id
    where g.organization_id = $1 and g.member_id = $2 and ${REACHES} and $3 = any (r.permissions)
  ) or exists (
    select 1 from group_membership gm
    join role_grant g on g.organization_id = gm.organization_id and g.group_id = gm.group_id
    join role r on r.organization_id = g.organization_id and r.id = g.role_id
    where gm.organization_id = $1 and gm.member_id = $2 and (gm.expires_at is null or gm.expires_at > now())
      and ${REACHES} and $3 = any (r.permissions)
  ) as allowed`

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const ask = async (name: string, text: string, values: string[]) =>
  (await pool.query({ name, text, values })).rows

async function answer(request: IncomingMessage): Promise<unknown> {
  // /<organization>/groups/<member>, /<organization>/roles/<member>, /<organization>/check
  const [, organization = '', question, member = ''] = (request.url ?? '').split('/')
  if (question === 'groups') return { data: await ask('groups', GROUPS_OF_MEMBER, [organization, member]) }
  if (question === 'roles') return { data: await ask('roles', ROLES_OF_MEMBER, [organization, member]) }
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  const check = JSON.parse(body) as Check
  return (await ask('may', MAY, [organization, check.member, check.permission, check.target]))[0]
}

const server = createServer((request, response) => {
  void answer(request).then(
    (body) => {
      const text = JSON.stringify(body)
      response.writeHead(200, {
        'content-type': 'application/json',
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
