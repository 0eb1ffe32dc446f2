import { expect, test } from 'vitest';
import { secret } from '../../src/lib/redact/redact.ts';
import type { JsonObject, Sample } from '../../src/types.ts';
import { providers } from '../support/providers.ts';

const SECRET_TEXT = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
/** Objects of which one provider or another tells events apart. */
const OBJECTS =
  'review comment changes pull_request issue discussion sender repository object_attributes data event user merge_request commits';

function build(sample: Sample): JsonObject {
  let number = 1;
  return sample.build({ text: '@agent look', now: new Date(1.9e12), nextNumber: () => number++ });
}

// Discord alone can sign for Discord.
test.each(
  providers.filter(({ name }) => name !== 'discord').map((provider) => [provider.name, provider] as const),
)('D1: a key with null is read as a key that is not there: %s', (_, provider) => {
  const read = ({ type }: Sample, payload: JsonObject) => {
    const body = Buffer.from(JSON.stringify(payload));
    const signed = {
      type,
      secret: secret(provider.newSecret?.() ?? SECRET_TEXT),
      deliveryId: 'd-1',
      now: new Date(),
    };
    const parsed = provider.parse({ query: '', ...provider.sign(body, signed) });
    return parsed.ok ? parsed.events.map((event) => ({ ...event, payload: null })) : parsed.reason;
  };
  const keys = new Set([
    ...OBJECTS.split(' '),
    ...provider.samples.flatMap((each) => Object.keys(build(each))),
  ]);
  for (const sample of provider.samples) {
    const payload = build(sample);
    const expected = read(sample, payload);
    expect(expected).toBeInstanceOf(Array);
    for (const key of keys) {
      if (!(key in payload))
        expect([key, read(sample, { [key]: null, ...payload })]).toEqual([key, expected]);
    }
  }
});
