import { describe, expect, test } from 'vitest';
import { resigned } from '../../src/deliveries/elsewhere/resign.ts';
import { HookctlError } from '../../src/errors.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import type { Parsed, Provider, RawRequest } from '../../src/types.ts';
import { counter, json, NOW, secretsOf, signed } from '../providers/support.ts';
import { providers } from '../support/providers.ts';

const WEEK_MS = 7 * 24 * 3_600_000;
const THEN = NOW.getTime() + WEEK_MS;
/** They state the time in the body, which stays as it was: later nobody but they can make it anew. */
const TIME_IN_BODY = ['linear'];
/** The proof is a value of the body, and the time beside it, which alone become others. */
const PROOF_IN_BODY = ['mailgun'];
const cases = providers.flatMap((provider) =>
  provider.samples.map((sample) => [`${provider.name} ${sample.type}`, provider, sample] as const),
);

/** Only the sender can sign for some. */
function signsItself(provider: Provider): boolean {
  try {
    signed(provider, json({}), { type: 'any' });
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(HookctlError);
    return false;
  }
}

describe.each(cases)('a kept %s', (_, provider, sample) => {
  const payload = json(sample.build({ text: 'go', now: NOW, nextNumber: counter() }));

  test.runIf(signsItself(provider))(
    'verifies a week later under another secret when it is signed anew; all else stays as it was sent',
    () => {
      const url = 'http://127.0.0.1:3000/hook';
      const { secret: first, ...context } = {
        secret: secret('s3cret'),
        deliveryId: 'b1a2c3d4',
        now: NOW,
        url,
      };
      const sent = { query: '', ...provider.sign(payload, { ...context, secret: first, type: sample.type }) };
      const headers = Object.fromEntries(
        Object.entries({ ...sent.headers, 'x-own': 'kept' }).filter(
          ([name]) => !provider.secretHeaders.includes(name) && name !== 'authorization',
        ),
      );
      const query = sent.query === '' ? 'a=1&b' : `a=1&${sent.query}&b`;
      const kept = provider.withoutSecrets?.({ ...sent, headers, query }) ?? { ...sent, headers, query };
      const at = TIME_IN_BODY.includes(provider.name) ? NOW.getTime() : THEN;
      const another = provider.newSecret?.() ?? 'another';
      const to = `${url}?${kept.query}`;
      const again = resigned(provider, kept, { secret: secret(another), now: at, url: to });
      const arrived = { ...again, publicUrl: () => url };
      expect(provider.verify(arrived, secretsOf(another), at)).toMatchObject({ ok: true });
      expect(provider.verify(arrived, secretsOf('s3cret'), at)).toMatchObject({ ok: false });
      expect(again.headers).toMatchObject({ 'x-own': 'kept', 'content-type': kept.headers['content-type'] });
      expect(again.query).toMatch(/^a=1&(?:.+&)?b$/);
      expect(provider.deliveryId(again.headers)).toBe(provider.deliveryId(kept.headers));
      expect(provider.eventName(again.headers)).toBe(provider.eventName(kept.headers));
      expect(readBy(provider, again)).toEqual(readBy(provider, kept));
      if (!PROOF_IN_BODY.includes(provider.name)) expect(again.body).toEqual(kept.body);
    },
  );
});

/** Where a sender names no delivery, the signed time is a part of the key: a week later it says something new. */
function keyOfBytes({ bytesKey }: Extract<Parsed, { ok: true }>) {
  return bytesKey?.()?.replace(new RegExp(`:(?:${NOW.getTime() / 1000}|${THEN / 1000})(?:000)?$`), '');
}

/** What a provider reads, the key of the bytes made. */
function readBy(provider: Provider, request: RawRequest) {
  const parsed = provider.parse(request);
  if (!parsed.ok) return parsed;
  if (!PROOF_IN_BODY.includes(provider.name)) return { ...parsed, bytesKey: keyOfBytes(parsed) };
  const events = parsed.events.map(({ payload: { signature: _, ...payload }, ...event }) => ({
    ...event,
    payload,
  }));
  return { ...parsed, events, bytesKey: null };
}
