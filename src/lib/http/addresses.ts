import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The only part of IPv6 that is given out as global unicast; the library takes unassigned addresses for public. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');
/** Protocol assignments, of which the library knows only the present ones. */
const PROTOCOLS = ipaddr.parseCIDR('2001::/23');

/** Whether an IP address is none of the public internet: loopback, private, link-local, multicast, translated, unassigned. */
export function isPrivateAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  if (isIP(bare) === 0) return true;
  // An IPv4 address that is written as IPv6 becomes IPv4 here.
  const ip = ipaddr.process(bare);
  if (ip.range() !== 'unicast') return true;
  return ip.kind() === 'ipv6' && (!ip.match(GLOBAL_UNICAST) || ip.match(PROTOCOLS));
}

/** Whether the host of a URL is this machine by its spelling. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Names that never lead to the public internet (RFC 6761, RFC 8375, ICANN's `.internal`). */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|home\.arpa|lan|test)$|^[^.]+$/i;

/** Whether the host of a URL is private by its spelling: a private address, a bare name, a name of a private zone. */
export function isPrivateHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return isIP(bare) !== 0 ? isPrivateAddress(bare) : LOCAL_NAME.test(bare);
}
