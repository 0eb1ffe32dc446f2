import { BlockList, isIP } from 'node:net';

/** Everything that is not the public internet (IANA special-purpose registries). */
const PRIVATE: readonly (readonly [net: string, bits: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['64:ff9b::', 95, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];

const privateNets = new BlockList();
for (const [net, bits, family] of PRIVATE) privateNets.addSubnet(net, bits, family);

/** Whether an IP address is none of the public internet: loopback, private, link-local, multicast, translated. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  // An IPv4 address that is written as IPv6 (`::ffff:127.0.0.1`) is checked as IPv4 by BlockList itself.
  return family === 0 || privateNets.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Names that never stand for anything in the public internet (RFC 6761, RFC 8375, ICANN's `.internal`). */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|home\.arpa|lan|test)$|^[^.]+$/i;

/** Whether whoever wrote this host meant a private place: an address, a bare name, a name of a private zone. */
export function isPrivateHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return isIP(bare) !== 0 ? isPrivateAddress(bare) : LOCAL_NAME.test(bare);
}
