import { expect, test } from 'vitest';
import { dedupeKeys } from '../../src/deliveries/dedupe-keys.ts';
import type { Parsed } from '../../src/types.ts';

const delivery = {
  provider: 'github',
  owner: 'operator',
  webhook: 'github',
  trust: 'verified',
  senderDeliveryId: 'one',
  receivedAt: 0,
  seal: 'abc',
  hasOneSecret: true,
} as const;

function parsed(bytesKey: () => string): Extract<Parsed, { ok: true }> {
  return { ok: true, events: [], semanticKeys: [], bytesKey };
}

test('the bytes of a delivery: the signature identifies them, and no digest is taken', () => {
  const noDigest = () => {
    throw new Error('a digest was taken');
  };
  expect(dedupeKeys({ ...delivery, parsed: parsed(noDigest) })).toEqual(['id:one', '@seal:abc']);
});

test('the bytes of a delivery: with several secrets the same bytes may come signed by another, and the digest tells', () => {
  const keys = dedupeKeys({ ...delivery, hasOneSecret: false, parsed: parsed(() => 'body:1') });
  expect(keys).toEqual(['id:one', 'body:1', '@seal:abc']);
});

test('the bytes of a delivery: where no signature covers them, the digest tells', () => {
  const unsigned = { ...delivery, seal: null, parsed: parsed(() => 'body:1') };
  expect(dedupeKeys(unsigned)).toEqual(['id:one', 'body:1']);
  expect(dedupeKeys({ ...unsigned, trust: 'unverified' })).toEqual(['?id:one', '?body:1']);
});
