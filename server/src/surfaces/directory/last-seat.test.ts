import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Answer, startTestApp, type TestApp } from '../../../test/app.ts'
import { type DirectoryClient, directoryClient } from '../../../test/directory-client.ts'
import { tokenOf } from '../../../test/smtp-sink.ts'

const PEOPLE = 20

let app: TestApp
let acme: DirectoryClient
before(async () => {
  app = await startTestApp({ poolSize: PEOPLE + 4 })
  acme = directoryClient(app, (await app.organization('acme')).path)
})

/** Accepts as many invitations at the same time, each with the token of its mail and from an address of its own. */
async function acceptAll(tokens: readonly string[]): Promise<Pick<Answer, 'status' | 'body'>[]> {
  return await Promise.all(
    tokens.map(async (token, n) => {
      const response = await app.http.inject({
        ...{ method: 'POST', url: '/directory/v1/invitation_acceptances', remoteAddress: `10.0.1.${n}` },
        ...{ headers: { 'content-type': 'application/json' }, payload: JSON.stringify({ token }) },
      })
      return { status: response.statusCode, body: response.json() }
    }),
  )
}

const outcomes = (answers: readonly Pick<Answer, 'status' | 'body'>[]) =>
  answers.map(({ status, body }) => `${status} ${body.code ?? 'accepted'}`).toSorted()

describe('the last seat of a workspace, that 20 invited people take at the same time', () => {
  it('is taken by one; 19 are told that there is none, and can come as soon as one is bought', async () => {
    const slug = 'space'
    const { id } = await acme.post('/workspaces', { name: 'Space', slug, purchased_seats: 1 })
    const { data: roles } = await acme.get('/roles?limit=1000')
    const role = roles.find(
      (one: Record<string, string>) => one.resource === 'workspace' && one.key === 'member',
    )
    const invitations = Array.from({ length: PEOPLE }, (_, n) => ({
      ...{ email: `p${n}@people.example`, grants: [{ role: role.id, target: id }] },
    }))
    await acme.post('/invitations/bulk', { invitations })
    const { data: mails } = await acme.get('/mails?limit=1000&status=pending')
    const tokens: string[] = mails.map(({ body }: { body: { text: string; html: string } }) => tokenOf(body))
    assert.equal(new Set(tokens).size, PEOPLE)

    const first = await acceptAll(tokens)
    const refusal = '409 workspace.seats_exhausted'
    assert.deepEqual(outcomes(first), ['201 accepted', ...Array(PEOPLE - 1).fill(refusal)].toSorted())
    for (const { body } of first.filter(({ status }) => status === 409)) {
      assert.equal(body.detail, 'The workspace Space has 1 seat, and this would take 2.')
    }
    assert.deepEqual(await acme.get(`/workspaces/${slug}/seats`), {
      ...{ object: 'seats', purchased: 1, used: 1, guests: 0 },
    })
    // Who was refused is nobody here: not a member without a seat.
    const { data: members } = await acme.get('/members?limit=1000')
    assert.equal(members.length, 2, 'the owner, and who was the first')
    const pending = await acme.get('/invitations?limit=1000')
    const waiting = pending.data.filter((one: { status: string }) => one.status === 'pending')
    assert.equal(waiting.length, PEOPLE - 1)

    await acme.ok('PATCH', `/workspaces/${slug}`, { purchased_seats: 3 })
    const refused = tokens.filter((_, n) => first[n]!.status === 409)
    assert.deepEqual(
      outcomes(await acceptAll(refused)),
      ['201 accepted', '201 accepted', ...Array(PEOPLE - 3).fill(refusal)].toSorted(),
    )
  })
})
