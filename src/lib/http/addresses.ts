import { BlockList, isIP } from 'node:net';

/**
 * Everything that is not the public internet: IANA's special-purpose registries of 2025-10. Of IPv6 only 2000::/3 is
 * given out as global unicast, so that loopback, mapped, translated, local and multicast addresses are the three nets around it.
 */
const PRIVATE: readonly (readonly [net: string, bits: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.31.196.0', 24, 'ipv4'],
  ['192.52.193.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['192.175.48.0', 24, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 3, 'ipv6'],
  ['4000::', 2, 'ipv6'],
  ['8000::', 1, 'ipv6'],
  ['2001::', 23, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['2620:4f:8000::', 48, 'ipv6'],
  ['3fff::', 20, 'ipv6'],
];

const privateNets = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [net, bits, family] of PRIVATE) privateNets[family].addSubnet(net, bits, family);

/** An IPv4 address that is written as IPv6. */
const MAPPED = new BlockList();
MAPPED.addSubnet('::ffff:0:0', 96, 'ipv6');

/** Whether an IP address is none of the public internet: loopback, private, link-local, multicast, translated. */
export function isPrivateAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  const family = isIP(bare);
  if (family === 0) return true;
  if (family === 4) return privateNets.ipv4.check(bare, 'ipv4');
  // BlockList compares a mapped address with rules for IPv4.
  return MAPPED.check(bare, 'ipv6')
    ? privateNets.ipv4.check(bare, 'ipv6')
    : privateNets.ipv6.check(bare, 'ipv6');
}

/** Names that never stand for anything in the public internet (RFC 6761, RFC 8375, ICANN's `.internal`). */
const LOCAL_NAME = /(?:^|\.)(?:localhost|local|internal|home\.arpa|lan|test)$|^[^.]+$/i;

/** Whether whoever wrote this host meant a private place: an address, a bare name, a name of a private zone. */
export function isPrivateHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return isIP(bare) !== 0 ? isPrivateAddress(bare) : LOCAL_NAME.test(bare);
}
