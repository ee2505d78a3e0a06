import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Answer } from '../../../test/app.ts'
import type { DirectoryClient } from '../../../test/directory-client.ts'
import type { DnsEntry } from '../../../test/dns-server.ts'
import { type DomainWorld, openDomainWorld } from '../../../test/domain-world.ts'
import { findVerifiedDomain } from '../../directory/domains/verification.ts'

let world: DomainWorld
let acme: DirectoryClient
before(async () => {
  world = await openDomainWorld()
  acme = await world.client('acme')
})

let made = 0
const named = (client = acme): Promise<Answer['body']> =>
  client.post('/domains', { name: `p${++made}.proofs.example` })
const verify = (domain: { id: string }, client = acme) => client.post(`/domains/${domain.id}/verify`)
const put = (record: string, entry: DnsEntry) => world.dns.zone.set(record, entry)

describe('the proof of a domain', () => {
  it('is a TXT record with the challenge, one among others, in one string or several', async () => {
    const ways: ((value: string) => DnsEntry)[] = [
      (value) => ({ txt: [value] }),
      (value) => ({ txt: ['v=spf1 -all', [value], 'other'] }),
      (value) => ({ txt: [[value.slice(0, 10), value.slice(10, 11), value.slice(11)]] }),
      // Too long for a datagram: asked again over TCP.
      (value) => ({
        txt: [...Array.from({ length: 20 }, (_, n) => `filler ${n} ${'x'.repeat(100)}`), value],
      }),
    ]
    for (const way of ways) {
      const domain = await named()
      put(domain.challenge.name, way(domain.challenge.value))
      const verified = await verify(domain)
      assert.deepEqual([verified.status, verified.last_check.problem], ['verified', null])
      assert.equal(verified.verified_at, verified.last_check.at)
      assert.equal((await acme.lastChange()).kind, 'domain.verified')
    }
    assert.ok(world.dns.questions.some((question) => question.endsWith('over tcp')))
  })

  it('may stand under the label that a dialect tells people', async () => {
    const domain = await named()
    put(`_posthog-challenge.${domain.name}`, { txt: [domain.challenge.value] })
    assert.equal((await verify(domain)).status, 'verified')
  })

  it('may stand behind an alias of its own name, followed by the resolver or not', async () => {
    for (const aliasOnly of [false, true]) {
      const domain = await named()
      put(domain.challenge.name, { cname: `first.alias-${aliasOnly}.example`, aliasOnly })
      put(`first.alias-${aliasOnly}.example`, { cname: `proof.alias-${aliasOnly}.example`, aliasOnly })
      put(`proof.alias-${aliasOnly}.example`, { txt: [domain.challenge.value] })
      assert.equal((await verify(domain)).status, 'verified', String(aliasOnly))
    }
  })

  it('is nothing less than the exact challenge of this domain of this organization at its label', async () => {
    const [other, sibling] = [await named(await world.client('other-challenge')), await named()]
    const wrong: ((value: string, name: string) => [string, DnsEntry])[] = [
      (value, name) => [`_rollcall-challenge.${name}`, { txt: [`${value} `] }],
      (value, name) => [`_rollcall-challenge.${name}`, { txt: [`rollcall=${value}`] }],
      (value, name) => [`_rollcall-challenge.${name}`, { txt: [value.toUpperCase()] }],
      (value, name) => [`_rollcall-challenge.${name}`, { txt: [value.slice(0, 42)] }],
      (_value, name) => [`_rollcall-challenge.${name}`, { txt: [other.challenge.value] }],
      (_value, name) => [`_rollcall-challenge.${name}`, { txt: [sibling.challenge.value] }],
      (value, name) => [name, { txt: [value] }],
      (value, name) => [`_rollcall-challenge.sub.${name}`, { txt: [value] }],
      (value, name) => [`_acme-challenge.${name}`, { txt: [value] }],
      (_value, name) => [`_rollcall-challenge.${name}`, { txt: [''] }],
    ]
    for (const way of wrong) {
      const domain = await named()
      const [record, entry] = way(domain.challenge.value, domain.name)
      put(record, entry)
      const answered = await verify(domain)
      assert.deepEqual([answered.status, answered.verified_at], ['unverified', null], record)
      assert.match(answered.last_check.problem, /does not hold the challenge|no DNS entry|no such DNS record/)
    }
  })

  it('is not there at the end of aliases that lead round in a circle', async () => {
    const domain = await named()
    put(domain.challenge.name, { cname: 'circle.example', aliasOnly: true })
    put('circle.example', { cname: domain.challenge.name, aliasOnly: true })
    assert.match((await verify(domain)).last_check.problem, /no such DNS record/)
  })

  it('is not given by a record that answers for every name, nor by an alias of every name', async () => {
    const texts = await named()
    put(`*.${texts.name}`, { txt: [texts.challenge.value] })
    assert.match((await verify(texts)).last_check.problem, /Every name below/)
    for (const aliasOnly of [false, true]) {
      const aliased = await named()
      const target = `dangling-${aliasOnly}.evil.example`
      put(`*.${aliased.name}`, { cname: target, aliasOnly })
      put(target, { txt: [aliased.challenge.value] })
      assert.match((await verify(aliased)).last_check.problem, /Every name below/)
    }
    // A wildcard beside a record of its own does no harm.
    const own = await named()
    put(`*.${own.name}`, { txt: ['wildcard'] })
    put(own.challenge.name, { txt: [own.challenge.value] })
    assert.equal((await verify(own)).status, 'verified')
  })

  it('that cannot be looked up is a clean “not yet” with a sentence, whatever the resolver does', async () => {
    const failures: [DnsEntry, RegExp][] = [
      [{ failure: 'SERVFAIL' }, /SERVFAIL/],
      [{ failure: 'REFUSED' }, /REFUSED/],
      [{ failure: 'NOTIMP' }, /does not answer such questions/],
      [{ failure: 'FORMERR' }, /did not understand/],
      [{ failure: 'silence' }, /did not answer in time/],
      [{ failure: 'garbage' }, /could not be looked up/],
      [{ txt: [] }, /no such DNS record/],
    ]
    await Promise.all(
      failures.map(async ([entry, sentence]) => {
        const domain = await named()
        put(domain.challenge.name, entry)
        const { status, body } = await acme.send('POST', `/domains/${domain.id}/verify`)
        assert.deepEqual([status, body.status, body.verified_at], [200, 'unverified', null])
        assert.match(body.last_check.problem, sentence)
        assert.match(
          body.last_check.problem,
          new RegExp(`^${domain.challenge.name.replaceAll('.', '\\.')} .*\\.$`),
        )
      }),
    )
    const missing = await named()
    assert.match((await verify(missing)).last_check.problem, /has no DNS entry/)
    assert.equal((await acme.lastChange()).kind, 'domain.created', 'looking changes nothing')
  })

  it('is asked for once: what is verified is refused, and a repetition is answered as the first request', async () => {
    const domain = await named()
    world.prove(domain)
    const given = { headers: { 'idempotency-key': `verify-${domain.id}` } }
    const first = await acme.send('POST', `/domains/${domain.id}/verify`, given)
    const again = await acme.send('POST', `/domains/${domain.id}/verify`, given)
    assert.deepEqual([again.status, again.headers['idempotency-replayed']], [200, 'true'])
    assert.deepEqual(again.body, first.body)
    await acme.refused('POST', `/domains/${domain.id}/verify`, 'domain.already_verified', 409)
  })
})

describe('a name', () => {
  it('is one organization’s only when it is proven; until then anybody may name it', async () => {
    const evil = await world.client('evil')
    const name = 'contested.example'
    const [claimed, ours] = [await evil.post('/domains', { name }), await acme.post('/domains', { name })]
    assert.notEqual(claimed.challenge.value, ours.challenge.value)
    const lookUp = () => findVerifiedDomain(world.app.database, name)
    assert.equal(await lookUp(), undefined)
    world.prove(ours)
    assert.equal((await verify(claimed, evil)).status, 'unverified')
    assert.equal((await verify(ours)).status, 'verified')
    const held = await lookUp()
    assert.equal(held?.challenge, ours.challenge.value)
    // Who has no proof learns nothing of the other; who has one is refused, and nothing moves.
    assert.match((await verify(claimed, evil)).last_check.problem, /does not hold the challenge/)
    put(ours.challenge.name, { txt: [ours.challenge.value, claimed.challenge.value] })
    await evil.refused('POST', `/domains/${claimed.id}/verify`, 'domain.taken', 409)
    assert.equal((await lookUp())?.organization_id, held?.organization_id)
    await acme.ok('DELETE', `/domains/${ours.id}`)
    assert.equal((await verify(claimed, evil)).status, 'verified')
  })

  it('is verified by one of many that prove it at the same moment', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, (_, n) => world.client(`racer-${n}`)))
    const domains = await Promise.all(
      clients.map((client) => client.post('/domains', { name: 'raced.example' })),
    )
    put(domains[0].challenge.name, { txt: domains.map((domain) => domain.challenge.value) })
    const answers = await Promise.all(
      clients.map((client, index) => client.send('POST', `/domains/${domains[index].id}/verify`)),
    )
    const outcomes = answers.map(({ status, body }) => [status, body.code ?? body.status].join(' ')).sort()
    assert.deepEqual(outcomes, ['200 verified', ...Array(5).fill('409 domain.taken')])
  })

  it('of a deleted organization is nobody’s to sign in by, and taken until the organization is gone for good', async () => {
    const leaving = await world.client('leaving')
    const domain = await world.verified(leaving, 'leaving.example')
    await leaving.ok('DELETE', '')
    assert.equal(await findVerifiedDomain(world.app.database, domain.name), undefined)
    const next = await acme.post('/domains', { name: domain.name })
    world.prove(next)
    await acme.refused('POST', `/domains/${next.id}/verify`, 'domain.taken', 409)
    const restored = await world.app.call('POST', `${leaving.path}/restore`)
    assert.equal(restored.status, 200)
    assert.notEqual(await findVerifiedDomain(world.app.database, domain.name), undefined)
  })
})
