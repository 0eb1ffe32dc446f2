import { expect, test } from 'vitest';
import { createHints } from '../../src/deliveries/verify.ts';
import { bytes, hmac, request, secretsOf } from '../providers/support.ts';
import { webhookWith } from './support.ts';

const webhook = {
  ...(await webhookWith({
    name: 'own',
    provider: 'generic',
    options: { header: 'x-sig' },
    commands: [],
    defaultCommand: undefined,
  })),
  secrets: secretsOf('key'),
};
const refused = request(bytes('{}'), { 'x-signature': hmac('key', '{}').digest('hex') });
const HINT = 'the signature would fit with header: x-signature';

test('hints: refused requests get one a second at most', () => {
  let now = 1_000_000;
  const hints = createHints({ now: () => now });
  expect(hints.of(webhook, refused)).toBe(HINT);
  now += 999;
  expect(hints.of(webhook, refused)).toBeNull();
  now += 1;
  expect(hints.of(webhook, refused)).toBe(HINT);
});

test('expired secrets give no hint, and providers without settings have none', async () => {
  const hints = createHints({ now: () => 10 });
  const expired = webhook.secrets.map((secret) => ({ ...secret, expiresAt: 10 }));
  expect(hints.of(await webhookWith(), refused)).toBeNull();
  expect(hints.of({ ...webhook, secrets: expired }, refused)).toBeNull();
});
