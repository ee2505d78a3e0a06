import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { before, describe, it } from 'node:test'
import { startTestApp, type TestApp } from '../../../test/app.ts'
import { holdOpen, untilWaiting } from '../../../test/campaigns/pauses.ts'
import { openScim, type ScimTestClient } from '../../../test/scim-client.ts'

let app: TestApp
let scim: ScimTestClient
let port: number
before(async () => {
  app = await startTestApp({ withoutTasks: true })
  scim = await openScim(app, 'acme')
  port = Number(new URL(await app.http.listen({ host: '127.0.0.1', port: 0 })).port)
})

/** Sends a request, or the beginning of one, and hangs up without waiting for the answer. */
async function sendAndHangUp(method: string, body = ''): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const headers = ['Host: x', `Authorization: Bearer ${scim.token}`]
  if (body !== '') headers.push('Content-Type: application/scim+json', 'Content-Length: 1000')
  const head = [`${method} ${scim.base}/Users HTTP/1.1`, ...headers].join('\r\n')
  await new Promise<void>((resolve) => socket.write(`${head}\r\n\r\n${body}`, () => resolve()))
  // Some are under way by then, the others still wait for their turn.
  await new Promise((resolve) => setTimeout(resolve, 1))
  socket.destroy()
}

describe('clients that hang up', () => {
  it('leave no turn of their connection taken', async () => {
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 40 }, () => sendAndHangUp('GET')))
      await Promise.all(Array.from({ length: 40 }, () => sendAndHangUp('POST', '{"userName":')))
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
    await answersAll()
  })

  it('while they wait for a turn leave none taken either', async () => {
    const held = await holdOpen(app.connectionString)
    await held.query('select 1 from change_counter for update')
    // More than may run at once: they write, and wait.
    const busy = Array.from({ length: 40 }, () => scim.user())
    await untilWaiting(app.database, 1)
    await Promise.all(Array.from({ length: 20 }, () => sendAndHangUp('POST', '{"userName":')))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await held.rollback()
    await Promise.all(busy)
    await answersAll()
  })

  async function answersAll(): Promise<void> {
    const answers = Array.from({ length: 20 }, () =>
      fetch(`http://127.0.0.1:${port}${scim.base}/Users`, {
        headers: { authorization: `Bearer ${scim.token}` },
        signal: AbortSignal.timeout(5000),
      }),
    )
    for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)
  }
})
