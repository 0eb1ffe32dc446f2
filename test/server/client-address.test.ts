import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { clientFinder } from '../../src/server/ingress/client-address.ts';

const request = (remoteAddress: string, headers: Readonly<Record<string, string | string[]>> = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

const caddy = { name: 'caddy', addresses: ['10.0.0.5', '10.0.1.0/24'], header: 'x-forwarded-for' };
const cloudflared = { name: 'cloudflared', addresses: ['127.0.0.1'], header: 'cf-connecting-ip' };

test.each([
  ['a connection from outside', undefined, '203.0.113.9', {}, '203.0.113.9'],
  ['IPv4 as IPv6', undefined, '::ffff:203.0.113.9', {}, '203.0.113.9'],
  ['loopback without a named proxy', undefined, '127.0.0.1', { 'x-forwarded-for': '203.0.113.9' }, null],
  ['loopback as IPv6', undefined, '::1', {}, null],
  [
    'a header from elsewhere than the proxy',
    caddy,
    '203.0.113.9',
    { 'x-forwarded-for': '1.1.1.1' },
    '203.0.113.9',
  ],
  [
    'a header over loopback that is not the proxy',
    caddy,
    '127.0.0.1',
    { 'x-forwarded-for': '1.1.1.1' },
    null,
  ],
  ['the proxy', caddy, '10.0.0.5', { 'x-forwarded-for': '198.51.100.7' }, '198.51.100.7'],
  [
    'the last that is no proxy of ours',
    caddy,
    '10.0.0.5',
    { 'x-forwarded-for': '1.1.1.1, 198.51.100.7, 10.0.1.9' },
    '198.51.100.7',
  ],
  ['several headers', caddy, '10.0.0.5', { 'x-forwarded-for': ['1.1.1.1', '198.51.100.7'] }, '198.51.100.7'],
  [
    'a port behind the address',
    caddy,
    '10.0.0.5',
    { 'x-forwarded-for': '198.51.100.7:4711' },
    '198.51.100.7',
  ],
  ['IPv6 with a port', caddy, '10.0.0.5', { 'x-forwarded-for': '[2001:db8::1]:4711' }, '2001:db8::1'],
  ['a last hop that is no address', caddy, '10.0.0.5', { 'x-forwarded-for': '198.51.100.7, unknown' }, null],
  ['a proxy that says nothing', caddy, '10.0.0.5', {}, null],
  ['a tunnel on loopback', cloudflared, '127.0.0.1', { 'cf-connecting-ip': '198.51.100.7' }, '198.51.100.7'],
])('the address of a sender: %s', (_, proxy, peer, headers, address) => {
  expect(clientFinder(proxy)(request(peer, headers))).toBe(address);
});
