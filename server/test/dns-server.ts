import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { after } from 'node:test'

/** What a name answers: its records, or a failure of the whole question. */
export interface DnsEntry {
  /** Each a record of one string or several. */
  readonly txt?: readonly (string | readonly string[])[]
  readonly cname?: string
  /** The server answers the alias alone, and leaves following it to whoever asks. */
  readonly aliasOnly?: boolean
  readonly failure?: 'SERVFAIL' | 'REFUSED' | 'NOTIMP' | 'FORMERR' | 'silence' | 'garbage'
}

export interface DnsServer {
  readonly address: string
  /** By lower-case name; `*.` before a domain is for every name below it that has no entry. */
  readonly zone: Map<string, DnsEntry>
  /** Questions so far, as `TXT name over udp`. */
  readonly questions: string[]
}

const CODES = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const
const TYPES: Readonly<Record<number, string>> = { 5: 'CNAME', 16: 'TXT' }
const UDP_BYTES_MAX = 512

const closings: (() => void)[] = []
after(() => {
  for (const close of closings) close()
})

/** A real DNS server on this machine (RFC 1035), over UDP and TCP; closed after the file's tests. */
export async function startDnsServer(): Promise<DnsServer> {
  const zone = new Map<string, DnsEntry>()
  const questions: string[] = []
  const udp = createSocket('udp4')
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const { port } = udp.address()
  udp.on('message', (message, from) => {
    const whole = answer(message, 'udp')
    if (whole === undefined) return
    udp.send(whole.length > UDP_BYTES_MAX ? truncated(whole) : whole, from.port, from.address)
  })
  const tcp = createServer((socket) => serveTcp(socket, (message) => answer(message, 'tcp')))
  tcp.listen(port, '127.0.0.1')
  await once(tcp, 'listening')
  closings.push(() => {
    udp.close()
    tcp.close()
  })

  function answer(message: Buffer, over: string): Buffer | undefined {
    const question = readQuestion(message)
    questions.push(`${TYPES[question.type]} ${question.name} over ${over}`)
    const entry = find(question.name)
    if (entry?.failure === 'silence') return undefined
    if (entry?.failure === 'garbage')
      return Buffer.concat([message.subarray(0, 2), Buffer.from('8180ffff', 'hex')])
    if (entry === undefined) return reply(message, question, CODES.NXDOMAIN, [])
    if (entry.failure !== undefined) return reply(message, question, CODES[entry.failure], [])
    return reply(message, question, 0, recordsOf(question.name, question.type, entry))
  }

  function find(name: string): DnsEntry | undefined {
    const own = zone.get(name)
    if (own !== undefined) return own
    const labels = name.split('.')
    return labels.map((_, index) => zone.get(`*.${labels.slice(index + 1).join('.')}`)).find(Boolean)
  }

  function recordsOf(name: string, type: number, entry: DnsEntry): Buffer[] {
    if (entry.cname !== undefined) {
      const alias = record(name, 5, nameBytes(entry.cname))
      const target = zone.get(entry.cname)
      if (type === 5 || entry.aliasOnly === true || target === undefined) return [alias]
      return [alias, ...recordsOf(entry.cname, type, target)]
    }
    if (type !== 16) return []
    return (entry.txt ?? []).map((strings) => {
      const parts = [strings].flat().map((text) => {
        const bytes = Buffer.from(text)
        return Buffer.concat([Buffer.from([bytes.length]), bytes])
      })
      return record(name, 16, Buffer.concat(parts))
    })
  }

  return { address: `127.0.0.1:${port}`, zone, questions }
}

function serveTcp(socket: Socket, answer: (message: Buffer) => Buffer | undefined): void {
  let pending = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (part) => {
    pending = Buffer.concat([pending, part])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0)
      const answered = answer(pending.subarray(2, end))
      pending = pending.subarray(end)
      if (answered === undefined) continue
      const length = Buffer.alloc(2)
      length.writeUInt16BE(answered.length)
      socket.write(Buffer.concat([length, answered]))
    }
  })
}

interface Question {
  readonly name: string
  readonly type: number
  readonly end: number
}

function readQuestion(message: Buffer): Question {
  const labels: string[] = []
  let at = 12
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

function reply(message: Buffer, question: Question, code: number, records: readonly Buffer[]): Buffer {
  const head = Buffer.from(message.subarray(0, question.end))
  // An answer, recursion available.
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(records.length, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(0, 10)
  return Buffer.concat([head, ...records])
}

function truncated(whole: Buffer): Buffer {
  const head = Buffer.from(whole.subarray(0, readQuestion(whole).end))
  head.writeUInt16BE(head.readUInt16BE(2) | 0x0200, 2)
  head.writeUInt16BE(0, 6)
  return head
}

function record(name: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(0, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([nameBytes(name), fixed, data])
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'))
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.from([0])])
}
