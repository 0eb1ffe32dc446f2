import { expect, test } from 'vitest';
import { isRelayed, newRelayKey, RELAY_HEADER } from '../../src/tunnels/relay.ts';
import { parseTunnelFlag } from '../../src/tunnels/settings.ts';
import { publicUrl } from '../../src/tunnels/tunnel.ts';

test.each([
  ['cloudflared', { use: 'cloudflared' }],
  ['ssh', { use: 'ssh' }],
  ['ssh=pinggy', { use: 'ssh', profile: 'pinggy' }],
  ['smee=https://smee.io/abc', { use: 'smee', url: 'https://smee.io/abc' }],
  ['smee=https://relay.test/abc?x=1', { use: 'smee', url: 'https://relay.test/abc?x=1' }],
  ['ngrok', { use: 'ngrok' }],
  ['ngrok=me.ngrok-free.app', { use: 'ngrok', domain: 'me.ngrok-free.app' }],
  ['none=https://hooks.example.com/', { use: 'none', publicUrl: 'https://hooks.example.com' }],
])('--tunnel %s', (flag, settings) => {
  expect(parseTunnelFlag(flag)).toEqual(settings);
});

test.each(['', 'tailscale', 'smee', 'smee=', 'smee=ftp://x', 'none', 'ssh=sshd', 'ssh=x', 'cloudflared=x'])(
  '--tunnel %j is a usage error that says what to type',
  (flag) => {
    expect(() => parseTunnelFlag(flag)).toThrow(
      expect.objectContaining({ code: 'usage', exitCode: 2, fix: expect.any(String) }),
    );
  },
);

test('only our own driver can mark a request as relayed', () => {
  const key = newRelayKey();
  expect(isRelayed({ [RELAY_HEADER]: key }, key)).toBe(true);
  expect(isRelayed({ [RELAY_HEADER]: newRelayKey() }, key)).toBe(false);
  expect(isRelayed({ [RELAY_HEADER]: '' }, key)).toBe(false);
  expect(isRelayed({}, key)).toBe(false);
});

test('a relay has a public URL for one endpoint, another tunnel for all', () => {
  const relay = { url: 'https://smee.io/abc', leadsTo: '/webhooks/github' };
  expect(publicUrl(relay, '/webhooks/github')).toBe('https://smee.io/abc');
  expect(publicUrl(relay, '/webhooks/jira')).toBeNull();
  expect(publicUrl({ url: 'https://x.test', leadsTo: null }, '/webhooks/jira')).toBe(
    'https://x.test/webhooks/jira',
  );
});
