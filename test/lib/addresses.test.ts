import { expect, test } from 'vitest';
import { isPrivateAddress, isPrivateHost } from '../../src/lib/http/addresses.ts';

const INSIDE = [
  ...['0.0.0.0', '0.1.2.3', '10.9.8.7', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.9.9.9'],
  ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.31.196.1'],
  ...['192.52.193.1', '192.88.99.1', '192.168.1.1', '192.175.48.1', '198.18.0.1', '198.19.255.255'],
  ...['198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...[
    '::',
    '::1',
    '::2',
    '::127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:0:a00:1',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
  ],
  ...['100::1', '2001::1', '2001:2::1', '2001:10::1', '2001:20::1', '2001:db8::1', '2002:a00:1::', '3fff::1'],
  ...[
    '2620:4f:8000::1',
    '5f00::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
  ],
  ...['', 'localhost', '10.0.0', '1.2.3.4.5'],
];
const OUTSIDE = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.1', '126.255.255.255'],
  ...[
    '128.0.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '192.0.3.1',
    '192.167.255.255',
    '192.169.0.1',
  ],
  ...['198.17.255.255', '198.20.0.1', '203.0.112.255', '223.255.255.255'],
  '::ffff:8.8.8.8',
  ...['2001:4860:4860::8888', '2606:4700::1111', '2a00:1450::1', '2003::1', '2400::1', '3ffe::1'],
];

test('F16: addresses of every special range are not public, their neighbours are', () => {
  expect(INSIDE.filter((address) => !isPrivateAddress(address))).toEqual([]);
  expect(OUTSIDE.filter(isPrivateAddress)).toEqual([]);
});

test('hosts of URLs: numbers in any spelling, brackets, final dots and local names', () => {
  const hosts = [
    ...['0x7f000001', '2130706433', '0177.0.0.1', '127.1', '[::1]', '[fec0::1]', '[::ffff:127.0.0.1]'],
    ...['localhost.', 'printer', 'db.internal', 'a.localhost', 'nas.local'],
  ].map((host) => new URL(`http://${host}/`).hostname);
  expect(hosts.filter((host) => !isPrivateHost(host))).toEqual([]);
  expect(['api.github.com', '8.8.8.8', 'hooks.example.com.'].filter(isPrivateHost)).toEqual([]);
});
