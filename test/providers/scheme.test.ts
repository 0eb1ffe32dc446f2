import { expect, test } from 'vitest';
import { event } from '../../src/providers/kit/event.ts';
import { configureSchemes } from '../../src/providers/provider.ts';
import { bytes, hmac, keysOf, NOW, onlyEvent, request, secretsOf } from './support.ts';

const spec: Parameters<typeof configureSchemes>[0] = {
  name: 'two',
  label: 'Two',
  signature: { header: 'x-sig', deliveryId: 'header:x-id' },
  alternatives: [
    { header: 'x-old-sig', algorithm: 'sha1' },
    { scheme: 'ed25519', prefix: 'ed ' },
  ],
  otherOptions: ['baseUrl'],
  webhook: null,
  samples: [],
  parse: (payload, { settings }) => ({
    ok: true,
    events: [event(payload, { type: 'x', title: String(settings.options.baseUrl) })],
    semanticKeys: ['own'],
  }),
  formFields: () => [],
};
const configuredTwo = configureSchemes(spec, {});
if (!configuredTwo.ok) throw new Error('the settings are wrong');
const two = configuredTwo.provider;

test('a sender may sign in several ways, any of which is enough', () => {
  const judge = (headers: Record<string, string>) =>
    two.verify(request(bytes('{}'), headers), secretsOf('other', 'key'), NOW.getTime());
  expect(judge({ 'x-sig': hmac('key', '{}').digest('hex') })).toMatchObject({ ok: true, secretIndex: 1 });
  expect(judge({ 'x-old-sig': hmac('key', '{}', 'sha1').digest('hex') })).toMatchObject({
    ok: true,
    secretIndex: 1,
  });
  expect(judge({ 'x-sig': hmac('key', '{}', 'sha1').digest('hex') })).toMatchObject({ ok: false });
});

test('where both are possible, the public key of a sender is no key of an HMAC', () => {
  const publicKey = `whpk_${Buffer.alloc(32, 7).toString('base64')}`;
  const forged = { 'x-sig': hmac(publicKey, '{}').digest('hex') };
  expect(two.verify(request(bytes('{}'), forged), secretsOf(publicKey), NOW.getTime()).ok).toBe(false);
});

test('options of a webhook go over its settings; a mistake is told once', () => {
  const configured = two.configure?.({ tolerance: 5, headr: 'x', baseUrl: 'https://x.test' });
  expect(
    configured?.ok === false && configured.issues.map(({ path, message }) => [path[0], message]),
  ).toEqual([
    ['headr', 'unknown setting'],
    ['tolerance', 'has no effect without a timestamp: no time is checked'],
  ]);
});

test('its own options are left to it, and its keys come before the one that is made for it', () => {
  const settings = { commandPrefix: '@agent', options: { baseUrl: 'https://x.test' } };
  const parsed = two.parse(request(bytes('{}')), settings);
  expect(onlyEvent(parsed).title).toBe('https://x.test');
  expect(keysOf(parsed)).toEqual(['own', expect.stringMatching(/^body:[0-9a-f]{64}$/)]);
});

test('settings that contradict each other are found when the provider is configured', () => {
  expect(configureSchemes({ ...spec, signature: { tolerance: 5 } }, {})).toMatchObject({
    ok: false,
    issues: [{ path: ['tolerance'], message: 'has no effect without a timestamp: no time is checked' }],
  });
});
