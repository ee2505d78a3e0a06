import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { pino } from 'pino'
import type { Answer } from '../../../test/app.ts'
import type { DirectoryClient } from '../../../test/directory-client.ts'
import { type DomainWorld, openDomainWorld } from '../../../test/domain-world.ts'
import { createTaskQueue } from '../../platform/tasks/queue.ts'
import { ensureTask } from '../../platform/tasks/task.sql.ts'
import { checkDueDomains, DOMAIN_CHECK_TASK, domainCheckHandler } from './domain.tasks.ts'

let world: DomainWorld
let acme: DirectoryClient
before(async () => {
  world = await openDomainWorld()
  acme = await world.client('acme')
})

const run = (text: string) => world.app.database.run({ name: '', text, values: [] })
const allDue = () => run('update domain set next_check_at = now() where verified_at is not null')
const statusOf = async (domain: { id: string }) => (await acme.get(`/domains/${domain.id}`)).status

let made = 0
/** Verified domains whose records are gone, and whose next look is due. */
async function losing(count: number): Promise<Answer['body'][]> {
  const domains: Answer['body'][] = []
  for (let n = 0; n < count; n++) domains.push(await world.verified(acme, `t${++made}.tasks.example`))
  for (const domain of domains) world.dns.zone.delete(domain.challenge.name)
  await allDue()
  return domains
}

describe('the task that looks for proofs again', () => {
  it('records one warning when several processes look at the same moment', async () => {
    const [domain] = await losing(1)
    await Promise.all(Array.from({ length: 5 }, () => checkDueDomains(world.app.directory)))
    const { data } = await acme.get('/changes?kind=domain.proof_missing&limit=1000')
    const about = data.filter((change: Answer['body']) => change.detail.domain === domain.id)
    assert.equal(about.length, 1)
  })

  it('leaves a domain alone that is not due, not verified, removed, or of a deleted organization', async () => {
    await run(
      "update domain set next_check_at = next_check_at + interval '1 day' where verified_at is not null",
    )
    await acme.post('/domains', { name: 'unverified.tasks.example' })
    const leaving = await world.client('leaving')
    await world.verified(leaving, 'leaving-tasks.example')
    await run(`update domain set next_check_at = now() where name = 'leaving-tasks.example'`)
    await leaving.ok('DELETE', '')
    const asked = world.dns.questions.length
    assert.equal(await checkDueDomains(world.app.directory), 0)
    assert.equal(world.dns.questions.length, asked)
    const [domain] = await losing(1)
    const looking = checkDueDomains(world.app.directory)
    await acme.ok('DELETE', `/domains/${domain.id}`)
    await looking
    await acme.refused('GET', `/domains/${domain.id}`, 'domain.not_found', 404)
  })

  it('is a standing one: it looks for what is due, however much, and comes again', async () => {
    const { database } = world.app
    const domains = await losing(25)
    const log = pino({ level: 'silent' })
    const handlers = { [DOMAIN_CHECK_TASK]: domainCheckHandler(world.app.directory, log) }
    const queue = createTaskQueue({ database, log, handlers })
    await ensureTask(database, DOMAIN_CHECK_TASK)
    queue.start()
    try {
      const again = {
        name: '',
        text: `select 1 from task where kind = '${DOMAIN_CHECK_TASK}' and run_at > now()`,
        values: [],
      }
      while ((await database.row(again)) === undefined) await setTimeout(20)
    } finally {
      await queue.stop(5000)
    }
    for (const domain of domains) assert.equal(await statusOf(domain), 'proof_missing')
  })
})
