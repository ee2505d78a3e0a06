import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Answer } from '../../../test/app.ts'
import type { DirectoryClient } from '../../../test/directory-client.ts'
import { type DomainWorld, openDomainWorld } from '../../../test/domain-world.ts'
import { findVerifiedDomain } from '../../directory/domains/verification.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let world: DomainWorld
let acme: DirectoryClient
before(async () => {
  world = await openDomainWorld()
  acme = await world.client('acme')
})

let made = 0
const verify = (domain: { id: string }) => acme.post(`/domains/${domain.id}/verify`)

describe('a verified domain', () => {
  const read = (domain: { id: string }) => acme.get(`/domains/${domain.id}`)
  const on = { just_in_time: true, sso_enforcement: 'oidc' }

  async function losing(): Promise<Answer['body']> {
    const domain = await world.verified(acme, `r${++made}.rechecks.example`)
    await acme.ok('PATCH', `/domains/${domain.id}`, on)
    world.dns.zone.delete(domain.challenge.name)
    return domain
  }
  const changesSince = async (number: number) =>
    (await acme.get(`/changes?after=${Buffer.from(String(number)).toString('base64url')}`)).data

  it('is looked for again, and keeps everything while its proof is there', async () => {
    const domain = await world.verified(acme, `r${++made}.rechecks.example`)
    const { number } = await acme.lastChange()
    await world.recheck()
    const after = await read(domain)
    assert.deepEqual([after.status, after.last_check.problem], ['verified', null])
    assert.ok(after.last_check.at > domain.last_check.at)
    assert.deepEqual(await changesSince(number), [], 'a look that finds what was there is no change')
  })

  it('that loses its proof is warned of first, keeps all, and is as before when the proof is back', async () => {
    const domain = await losing()
    await world.recheck()
    const warned = await read(domain)
    assert.deepEqual(
      [warned.status, warned.just_in_time, warned.sso_enforcement],
      ['proof_missing', true, 'oidc'],
    )
    assert.match(warned.last_check.problem, /no DNS entry/)
    const left = Date.parse(warned.unverified_from) - Date.now()
    assert.ok(left > 6.9 * DAY && left <= 7 * DAY)
    const warning = await acme.lastChange()
    assert.deepEqual([warning.kind, warning.actor.kind], ['domain.proof_missing', 'system'])
    await world.ageMissingProof(domain.name, 6.9 * DAY)
    await world.recheck()
    assert.equal((await acme.lastChange()).id, warning.id, 'one warning, however often it is looked for')
    world.prove(domain)
    await world.recheck()
    assert.equal((await acme.lastChange()).kind, 'domain.proof_found')
    const back = await read(domain)
    assert.deepEqual([back.status, back.unverified_from, back.sso_enforcement], ['verified', null, 'oidc'])
  })

  it('that is warned of may be verified by hand, without waiting for the next look', async () => {
    const domain = await losing()
    await world.recheck()
    assert.equal((await verify(domain)).status, 'proof_missing')
    world.prove(domain)
    assert.equal((await verify(domain)).status, 'verified')
  })

  it('loses its verification a week later, and with it what needs the proof; members stay', async () => {
    const domain = await losing()
    const member = await acme.member({ email: `ann@${domain.name}` })
    await world.recheck()
    await world.ageMissingProof(domain.name, 7 * DAY)
    await world.recheck()
    const lost = await read(domain)
    assert.deepEqual(
      [lost.status, lost.verified_at, lost.just_in_time, lost.sso_enforcement, lost.unverified_from],
      ['unverified', null, false, null, null],
    )
    const change = await acme.lastChange()
    assert.equal(change.kind, 'domain.unverified')
    assert.deepEqual(change.detail.before, { just_in_time: true, sso_enforcement: 'oidc' })
    assert.equal(await findVerifiedDomain(world.app.database, domain.name), undefined)
    assert.equal((await acme.get(`/members/${member.id}`)).status, 'active')
    const other = await world.client(`heir-${made}`)
    assert.equal((await world.verified(other, domain.name)).status, 'verified', 'the name is free')
  })

  it('keeps its verification while nobody can tell, however long', async () => {
    for (const failure of ['SERVFAIL', 'REFUSED'] as const) {
      const domain = await losing()
      world.dns.zone.set(domain.challenge.name, { failure })
      await world.recheck()
      assert.equal((await read(domain)).status, 'verified', failure)
      assert.match((await read(domain)).last_check.problem, new RegExp(failure))
      world.dns.zone.delete(domain.challenge.name)
      await world.recheck()
      await world.ageMissingProof(domain.name, 30 * DAY)
      world.dns.zone.set(domain.challenge.name, { failure })
      await world.recheck()
      assert.equal((await read(domain)).status, 'proof_missing', 'lost only by a look that shows it')
    }
  })

  it('is looked for at its own time: a day later, and within the hour while something is wrong', async () => {
    const domain = await losing()
    const waits = async () => {
      const row = await world.app.database.row<{ seconds: number }>({
        name: '',
        text: `select extract(epoch from next_check_at - now())::float as seconds from domain where name = $1`,
        values: [domain.name],
      })
      return row!.seconds * 1000
    }
    const near = (actual: number, wanted: number) =>
      assert.ok(Math.abs(actual - wanted) < HOUR / 2, String(actual))
    near(await waits(), DAY)
    await world.recheck()
    near(await waits(), HOUR)
  })
})
