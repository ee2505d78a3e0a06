import { BlockList, isIP, isIPv4 } from 'node:net'
import { plainAddress } from './address.ts'

/** What an operator allows although it is near this server: places by host and port, and ranges of addresses. */
export interface Allowed {
  /** A place that was named, whatever its address. */
  hasPlace(host: string, port: number): boolean
  /** @param address as `plainAddress` writes it */
  hasAddress(address: string): boolean
}

const PLACE = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):(\d{1,5})$/i
const RANGE = /^([0-9a-f:.]+)\/(\d{1,3})$/i

/**
 * Reads the list of what is allowed: `host:port` or a range such as `10.1.0.0/16`, separated by commas.
 *
 * @returns the rule that an entry breaks, as the end of a sentence, if one does
 */
export function parseAllowed(list: string): Allowed | { problem: string } {
  const places = new Set<string>()
  const ranges = new BlockList()
  for (const entry of list.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const [, host, port] = PLACE.exec(entry) ?? []
    const [, net, prefix] = RANGE.exec(entry) ?? []
    if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) {
      places.add(placeName(host, Number(port)))
    } else if (net !== undefined && isIP(net) !== 0 && Number(prefix) <= (isIPv4(net) ? 32 : 128)) {
      ranges.addSubnet(net, Number(prefix), isIPv4(net) ? 'ipv4' : 'ipv6')
    } else {
      return { problem: `has ${JSON.stringify(entry)}: entries are host:port or a range such as 10.1.0.0/16` }
    }
  }
  return {
    hasPlace: (host, port) => places.has(placeName(host, port)),
    hasAddress: (address) => ranges.check(address, isIPv4(address) ? 'ipv4' : 'ipv6'),
  }
}

/** One spelling for a host and port: as the URL parser writes hosts. */
function placeName(host: string, port: number): string {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return `${plainAddress(bare) ?? bare}:${port}`
}

/** Nothing but the open internet. */
export const nothingAllowed: Allowed = { hasPlace: () => false, hasAddress: () => false }
