import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { type CertificateOptions, makeCertificate } from '../../../test/certificate.ts'
import { type Allowed, nothingAllowed, parseAllowed } from './allowed.ts'
import { createOutbound, OutboundError, type OutboundOptions } from './outbound.ts'

const HOST = 'idp.customer.net'
const certificate = makeCertificate({ name: HOST })

const servers: { close(): unknown; closeAllConnections(): void }[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** A real server on this machine, reached by a customer's host name; answers its port. */
async function serve(handler: RequestListener, options: ServerOptions = {}): Promise<number> {
  const server = createServer({ cert: certificate.pem, key: certificate.key, ...options }, handler)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const allowed = (list: string) => parseAllowed(list) as Allowed

function client(options: Partial<OutboundOptions> = {}) {
  return createOutbound({
    allowed: allowed('127.0.0.0/8'),
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    authorities: [certificate.pem],
    ...options,
  })
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail('it was answered'),
    (caught: unknown) => caught,
  )
  assert.ok(error instanceof OutboundError, String(error))
  assert.doesNotMatch(error.message, /\d+\.\d+\.\d+|ECONN|certificate/i, 'tells nothing about the network')
  return error.reason
}

describe('a request to a customer’s address', () => {
  it('is answered with status, headers and body', async () => {
    const port = await serve((request, response) => {
      response.writeHead(200, { 'x-seen': `${request.method} ${request.url} ${request.headers.host}` })
      request.pipe(response)
    })
    const answer = await client().request(`https://${HOST}:${port}/keys?a=1`, {
      method: 'POST',
      body: '{"a":1}',
    })
    assert.deepEqual([answer.status, String(answer.body)], [200, '{"a":1}'])
    assert.equal(answer.headers['x-seen'], `POST /keys?a=1 ${HOST}:${port}`)
  })

  it('goes nowhere near this network, however the host is written', async () => {
    let asked = 0
    const port = await serve((_request, response) => void response.end(String(++asked)))
    const outbound = client({ allowed: nothingAllowed })
    const hosts = [
      ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '017700000001', '0x7f.0.0.1', '0.0.0.0', '0'],
      ...[
        '[::1]',
        '[::]',
        '[::ffff:127.0.0.1]',
        '[::ffff:7f00:1]',
        '[64:ff9b::127.0.0.1]',
        '[2002:7f00:1::]',
      ],
      ...[
        '169.254.169.254',
        '[fd00:ec2::254]',
        '10.0.0.1',
        '192.168.1.1',
        '100.64.0.1',
        '224.0.0.1',
        '[ff02::1]',
      ],
      ...[
        'localhost',
        'LOCALHOST',
        'idp.localhost',
        'localhost.',
        'idp.customer.net.',
        '127.0.0.1.',
        'intranet',
      ],
      ...['１２７.0.0.1', '127。0。0。1', HOST],
    ]
    for (const host of hosts) {
      assert.equal(await refusal(outbound.request(`https://${host}:${port}/`)), 'refused', host)
    }
    assert.equal(asked, 0)
  })

  it('is refused when one of the host’s addresses is not allowed, and resolves the name once only', async () => {
    let asked = 0
    const port = await serve((_request, response) => void response.end('reached'))
    const mixed = client({
      allowed: nothingAllowed,
      resolve: async () => {
        asked += 1
        return [
          { address: '93.184.216.34', family: 4 },
          { address: '::ffff:127.0.0.1', family: 6 },
        ]
      },
    })
    assert.equal(await refusal(mixed.request(`https://${HOST}:${port}/`)), 'refused')
    assert.equal(asked, 1)
  })

  it('connects to the address that was checked, whatever the name says a moment later', async () => {
    let answers = 0
    const port = await serve((_request, response) => void response.end('the checked one'))
    const rebinding = client({
      resolve: async () => [{ address: ++answers === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }],
    })
    const answer = await rebinding.request(`https://${HOST}:${port}/`)
    assert.deepEqual([String(answer.body), answers], ['the checked one', 1])
    // And each request is checked anew: no connection is left over from the one before.
    const moved = client({
      allowed: allowed('127.0.0.1/32'),
      resolve: async () => [{ address: ++answers % 2 === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 }],
    })
    assert.equal((await moved.request(`https://${HOST}:${port}/`)).status, 200)
    assert.equal(await refusal(moved.request(`https://${HOST}:${port}/`)), 'refused')
  })

  it('never follows a redirect: it is the answer', async () => {
    let asked = 0
    const port = await serve((_request, response) => {
      asked += 1
      response.writeHead(302, { location: `https://${HOST}/elsewhere` }).end()
    })
    const answer = await client().request(`https://${HOST}:${port}/`)
    assert.deepEqual([answer.status, asked], [302, 1])
  })

  it('is cut off by the size of its answer, endless or packed', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/accepts') return void response.end(String(request.headers['accept-encoding']))
      const part = Buffer.alloc(64 * 1024)
      const more = () => {
        while (response.write(part)) {
          // Until the socket is full.
        }
      }
      response.on('drain', more)
      more()
    })
    assert.equal(await refusal(client().request(`https://${HOST}:${port}/`)), 'too_large')
    assert.equal(await refusal(client().request(`https://${HOST}:${port}/`, { bytesMax: 10 })), 'too_large')
    assert.equal(String((await client().request(`https://${HOST}:${port}/accepts`)).body), 'identity')
  })

  it('is cut off by time: while resolving, connecting, waiting, and reading drop by drop', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/silent') return
      response.write('drop')
      const drip = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(drip))
    })
    const quickly = { timeoutMillis: 200 }
    for (const path of ['/silent', '/drip']) {
      assert.equal(
        await refusal(client().request(`https://${HOST}:${port}${path}`, quickly)),
        'timeout',
        path,
      )
    }
    const unresolved = client({ resolve: () => new Promise(() => {}) })
    assert.equal(await refusal(unresolved.request(`https://${HOST}:${port}/`, quickly)), 'timeout')
  })

  it('is cut off by too many header bytes', async () => {
    const port = await serve((_request, response) => {
      for (let n = 0; n < 1000; n++) response.setHeader(`x-${n}`, 'v'.repeat(100))
      response.end()
    })
    assert.equal(await refusal(client().request(`https://${HOST}:${port}/`)), 'unreachable')
  })

  it('trusts only a good certificate of that very name', async () => {
    const bad: [string, CertificateOptions][] = [
      ['another name', { name: 'evil.example' }],
      ['expired', { name: HOST, notAfter: new Date(Date.now() - 1000) }],
    ]
    for (const [about, options] of bad) {
      const { pem, key } = makeCertificate(options)
      const port = await serve((_request, response) => void response.end(), { cert: pem, key })
      const outbound = client({ authorities: [pem] })
      assert.equal(await refusal(outbound.request(`https://${HOST}:${port}/`)), 'unreachable', about)
    }
    const port = await serve((_request, response) => void response.end())
    const stranger = client({ authorities: [makeCertificate().pem] })
    assert.equal(await refusal(stranger.request(`https://${HOST}:${port}/`)), 'unreachable')
  })

  it('uses no proxy from the environment', async () => {
    const port = await serve((_request, response) => void response.end('direct'))
    process.env.HTTPS_PROXY = 'http://127.0.0.1:1'
    process.env.NODE_USE_ENV_PROXY = '1'
    try {
      assert.equal(String((await client().request(`https://${HOST}:${port}/`)).body), 'direct')
    } finally {
      delete process.env.HTTPS_PROXY
      delete process.env.NODE_USE_ENV_PROXY
    }
  })

  it('says “unreachable” where nothing listens and where there is no such name', async () => {
    assert.equal(await refusal(client().request(`https://${HOST}:59999/`)), 'unreachable')
    const nameless = client({ resolve: async () => [] })
    assert.equal(await refusal(nameless.request(`https://${HOST}/`)), 'unreachable')
  })

  it('goes without encryption only to this machine, and only where the operator names the place', async () => {
    const plain = createHttpServer((_request, response) => void response.end('plain'))
    servers.push(plain)
    await once(plain.listen(0, '127.0.0.1'), 'listening')
    const { port } = plain.address() as AddressInfo
    const url = `http://idp.test:${port}/`
    assert.equal(await refusal(client().request(url)), 'refused')
    const named = allowed(`idp.test:${port}`)
    assert.equal(String((await client({ allowed: named }).request(url)).body), 'plain')
    const elsewhere = client({ allowed: named, resolve: async () => [{ address: '10.0.0.1', family: 4 }] })
    assert.equal(await refusal(elsewhere.request(url)), 'refused')
  })
})
