import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Allowed, nothingAllowed, parseAllowed } from './allowed.ts'
import { createOutbound } from './outbound.ts'

const allowed = (list: string) => parseAllowed(list) as Allowed

describe('a URL', () => {
  const { urlProblem } = createOutbound({ allowed: nothingAllowed, ownHost: 'directory.vendor.com' })

  it('of a public host over https is taken, on 443 and on unprivileged ports', () => {
    for (const url of [
      ...[
        'https://idp.example.com',
        'https://idp.example.com:8443/a?b=c#d',
        'https://8.8.8.8/',
        'https://bücher.de/',
      ],
      ...['https://[2606:4700::1111]/', 'https://idp.example.com:443/'],
    ]) {
      assert.equal(urlProblem(url), undefined, url)
    }
  })

  it('is refused by the rule it breaks', () => {
    const broken: [string, RegExp][] = [
      ['http://idp.example.com/', /begin with https/],
      ['HTTP://idp.example.com/', /begin with https/],
      ['file:///etc/passwd', /begin with https/],
      ['gopher://idp.example.com:70/', /begin with https/],
      ['ftp://idp.example.com/', /begin with https/],
      ['data:text/plain,x', /begin with https/],
      ['javascript:alert(1)', /begin with https/],
      ['https://user:password@idp.example.com/', /user name/],
      ['https://user@idp.example.com/', /user name/],
      ['https://idp.example.com/a\r\nx: y', /control characters/],
      ['https://idp.example.com/a b', /spaces/],
      ['https://idp.example.com\\@evil.example/', /backslash/],
      ['idp.example.com', /must be a URL/],
      ['https://', /must be a URL/],
      ['', /must be a URL/],
      [`https://idp.example.com/${'a'.repeat(2048)}`, /at most 2048/],
      ['https://127.0.0.1/', /inside of this network/],
      ['https://0x7f.1/', /inside of this network/],
      ['https://[::ffff:169.254.169.254]/', /inside of this network/],
      ['https://localhost/', /public name/],
      ['https://a.localhost/', /public name/],
      ['https://intranet/', /public name/],
      ['https://directory.vendor.com/', /public name/],
      ['https://idp.example.com./', /ends with a dot/],
      ...[22, 25, 80, 110, 389, 636].map((port): [string, RegExp] => [
        `https://idp.example.com:${port}/`,
        /port/,
      ]),
      ...[2375, 3306, 5432, 6379, 9200, 11211, 27017].map((port): [string, RegExp] => [
        `https://idp.example.com:${port}/`,
        /port/,
      ]),
    ]
    for (const [url, rule] of broken) assert.match(urlProblem(url) ?? 'none', rule, url)
  })
})

describe('what the operator allows', () => {
  it('is a place by host and port, or a range, and nothing beside it', () => {
    const rules = { allowed: allowed(' idp.corp:443, [::1]:8443,127.0.0.1:9443, 10.1.0.0/16,fd12::/16 ,') }
    const { urlProblem } = createOutbound(rules)
    const taken = [
      'https://idp.corp/',
      'https://IDP.corp:443/',
      'https://[::1]:8443/',
      'http://127.0.0.1:9443/',
    ]
    for (const url of [...taken, 'https://10.1.2.3/', 'https://[::ffff:10.1.2.3]/', 'https://[fd12::9]/']) {
      assert.equal(urlProblem(url), undefined, url)
    }
    const refused = ['http://idp.corp:8443/', 'https://[::1]/', 'https://10.2.0.1/', 'https://[fd13::9]/']
    for (const url of [...refused, 'http://10.1.2.3/', 'https://10.1.2.3:22/']) {
      assert.notEqual(urlProblem(url), undefined, url)
    }
  })

  it('is refused by entry when it is neither', () => {
    for (const entry of [
      'idp.corp',
      '10.0.0.0/33',
      'fd00::/129',
      'x/8',
      'a:0',
      'a:65536',
      'https://a:443',
      '::1:1/x',
    ]) {
      const parsed = parseAllowed(`idp.corp:443,${entry}`)
      assert.ok('problem' in parsed && parsed.problem.includes(JSON.stringify(entry)), entry)
    }
  })
})
