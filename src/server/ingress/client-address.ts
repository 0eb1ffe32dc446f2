import type { IncomingMessage } from 'node:http';
import type { TrustedProxy } from '../../config/project/schema.ts';
import { inRanges, plainAddress, rangeList } from '../../lib/http/ranges.ts';

/** Made when a request asks for it: to take addresses apart costs a start more than all that is around it. */
let loopback: ReturnType<typeof rangeList> | null = null;

function isLoopback(address: string): boolean {
  loopback ??= rangeList(['127.0.0.0/8', '::1']);
  return inRanges(loopback, address);
}

/**
 * Finds the address of a sender. What a header says of it counts only where the connection comes from the proxy that
 * `ingress.trustedProxy` names: anybody can send such a header. On loopback a tunnel or a proxy is between, so that without one the
 * address is unknown: null.
 */
export function clientFinder(proxy: TrustedProxy | undefined): (request: IncomingMessage) => string | null {
  const trusted = rangeList(proxy?.addresses ?? []);
  return ({ socket, headers }) => {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (peer === null) return null;
    if (proxy === undefined || !inRanges(trusted, peer)) return isLoopback(peer) ? null : peer;
    const hops = [headers[proxy.header] ?? []].flat().flatMap((value) => value.split(','));
    // Each proxy appends the address that it saw: the last one that is no proxy of ours is the sender.
    const addresses = hops.map((hop) => plainAddress(hop.trim()));
    return addresses.findLast((address) => address === null || !inRanges(trusted, address)) ?? null;
  };
}
