import { describe, expect, test } from 'vitest';
import { proofOf } from '../../src/cli/replay/resign.ts';
import { HookctlError } from '../../src/errors.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import type { Provider, RawRequest } from '../../src/types.ts';
import { counter, json, NOW, secretsOf, signed } from '../providers/support.ts';
import { providers } from '../support/providers.ts';

const WEEK_MS = 7 * 24 * 3_600_000;
const THEN = NOW.getTime() + WEEK_MS;
/** They state the time in the body, which stays as it was: later nobody but they can make it anew. */
const TIME_IN_BODY = ['linear'];
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
      const sent = signed(provider, payload, { type: sample.type });
      const headers = Object.fromEntries(
        Object.entries({ ...sent.headers, 'x-own': 'kept' }).filter(
          ([name]) => !provider.secretHeaders.includes(name) && name !== 'authorization',
        ),
      );
      const kept: RawRequest = { ...sent, headers };
      const at = TIME_IN_BODY.includes(provider.name) ? NOW.getTime() : THEN;
      const another = provider.newSecret?.() ?? 'another';
      const proof = proofOf(provider, kept, secret(another), at);
      const again = { ...kept, headers: { ...kept.headers, ...proof } };
      expect(provider.verify(again, secretsOf(another), at)).toMatchObject({ ok: true });
      expect(provider.verify(again, secretsOf('s3cret'), at)).toMatchObject({ ok: false });
      expect(again.headers).toMatchObject({ 'x-own': 'kept', 'content-type': kept.headers['content-type'] });
      expect(provider.deliveryId(again.headers)).toBe(provider.deliveryId(kept.headers));
      expect(provider.eventName(again.headers)).toBe(provider.eventName(kept.headers));
      expect(readBy(provider, again)).toEqual(readBy(provider, kept));
    },
  );
});

/** What a provider reads, the key of the bytes made. */
function readBy(provider: Provider, request: RawRequest) {
  const parsed = provider.parse(request);
  return parsed.ok ? { ...parsed, bytesKey: parsed.bytesKey?.() } : parsed;
}
