import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readConfig, StartupError } from './config.ts'

describe('a setting of outbound requests and secrets', () => {
  it('may be absent: nothing near is allowed, the system resolves names, the key comes from a file', () => {
    for (const environment of [{}, { ROLLCALL_ENCRYPTION_KEY: '', ROLLCALL_DNS_SERVERS: '' }]) {
      const config = readConfig(environment)
      assert.deepEqual(
        [config.encryptionKeys, config.dnsServers, config.domainCheckMillis],
        [[], [], 86_400_000],
      )
      assert.equal(config.outboundAllowed.hasAddress('10.0.0.1'), false)
    }
  })

  it('is a list with commas', () => {
    const config = readConfig({
      ROLLCALL_ENCRYPTION_KEY: 'the newest key of all, the key before that',
      ROLLCALL_OUTBOUND_ALLOW: 'idp.corp:443, 10.0.0.0/8',
      ROLLCALL_DNS_SERVERS: '10.0.0.53, 127.0.0.1:5353, [::1]:53, fd00::1',
    })
    assert.deepEqual(config.encryptionKeys, ['the newest key of all', 'the key before that'])
    assert.deepEqual(config.dnsServers, ['10.0.0.53', '127.0.0.1:5353', '[::1]:53', 'fd00::1'])
    assert.ok(
      config.outboundAllowed.hasPlace('idp.corp', 443) && config.outboundAllowed.hasAddress('10.9.9.9'),
    )
  })

  it('is refused at the start by name and rule', () => {
    const wrong: [string, string, RegExp][] = [
      ['ROLLCALL_ENCRYPTION_KEY', 'long enough as it is, short', /at least 16 characters/],
      ['ROLLCALL_OUTBOUND_ALLOW', '10.0.0.0/99', /"10.0.0.0\/99"/],
      ['ROLLCALL_DNS_SERVERS', 'dns.example', /addresses such as/],
      ['ROLLCALL_DOMAIN_CHECK_HOURS', '0', /./],
      ['ROLLCALL_SCIM_REQUEST_DAYS', '0', />=1/],
      ['ROLLCALL_SCIM_REQUEST_DAYS', '3651', /<=3650/],
    ]
    for (const [name, value, rule] of wrong) {
      assert.throws(
        () => readConfig({ [name]: value }),
        (error: unknown) => {
          assert.ok(error instanceof StartupError)
          assert.ok(error.message.includes(name), error.message)
          assert.match(error.message, rule)
          assert.ok(
            name !== 'ROLLCALL_ENCRYPTION_KEY' || !error.message.includes(value),
            'a key is never shown',
          )
          return true
        },
      )
    }
  })
})
