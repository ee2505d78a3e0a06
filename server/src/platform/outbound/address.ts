import { BlockList, isIP, isIPv4 } from 'node:net'

/** Whether somebody on the open internet could be behind an address, or only something near this server. */
export type AddressScope = 'public' | 'loopback' | 'internal'

// IANA's special-purpose registry of IPv4: whatever is not globally reachable, and multicast and what is reserved.
const INTERNAL_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  // The relay anycast of 6to4, withdrawn.
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

// Of IPv6 only global unicast (2000::/3) is public at all; within it these are not, or lead through a tunnel whose
// other end is an IPv4 address of anybody's choosing (Teredo in 2001::/23, 6to4 in 2002::/16).
const INTERNAL_V6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const internal = new BlockList()
for (const [net, prefix] of INTERNAL_V4) internal.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of INTERNAL_V6) internal.addSubnet(net, prefix, 'ipv6')
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')
const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')

/** Prefixes of 96 bits that stand before an IPv4 address: mapped (RFC 4291) and NAT64's well-known one (RFC 6052). */
const EMBEDDING = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
] as const

/**
 * An address as it is judged and compared: one that only wraps an IPv4 address (mapped, NAT64) is that address, and a
 * zone is left off. Undefined if the text is no address.
 */
export function plainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (isIP(text) !== 6) return undefined
  const groups = groupsOf(text.split('%')[0]!)
  const wraps = EMBEDDING.some((prefix) => prefix.every((group, index) => groups[index] === group))
  if (!wraps) return groups.map((group) => group.toString(16)).join(':')
  return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join('.')
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  // The URL parser writes every form in one way, without a dotted end.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const read = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const before = read(head)
  if (tail === undefined) return before
  const after = read(tail)
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

/** @param address as `plainAddress` writes it */
export function addressScope(address: string): AddressScope {
  if (isIPv4(address)) {
    if (loopback.check(address, 'ipv4')) return 'loopback'
    return internal.check(address, 'ipv4') ? 'internal' : 'public'
  }
  if (address === '0:0:0:0:0:0:0:1') return 'loopback'
  return globalUnicast.check(address, 'ipv6') && !internal.check(address, 'ipv6') ? 'public' : 'internal'
}
