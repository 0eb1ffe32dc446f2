import { BlockList, isIP } from 'node:net';

/** Whether a value is an IP address, or a range of them in CIDR notation. */
export function isRange(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [address = '', bits, ...more] = value.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  return (
    family !== 0 &&
    more.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  );
}

/** Ranges in a form that is fast to look up. */
export function rangeList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** Whether an address is in one of the ranges; false for what is no address. */
export function inRanges(list: BlockList, address: string): boolean {
  const bare = plainAddress(address);
  return bare !== null && list.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4');
}

/** An IP address without zone, port and brackets, IPv4 also where it is written as IPv6; null for what is none. */
export function plainAddress(text: string): string | null {
  const [, inBrackets] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? [];
  const [, withPort] = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text) ?? [];
  const [bare = ''] = (inBrackets ?? withPort ?? text).split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
  return isIP(mapped) === 0 ? null : mapped;
}
