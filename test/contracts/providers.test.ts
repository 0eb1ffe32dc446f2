import { describe, expect, test } from 'vitest';
import { getPath, isJsonObject } from '../../src/lib/json.ts';
import { providerNamed, providers } from '../../src/providers/index.ts';
import type { Provider } from '../../src/providers/provider.ts';
import type { JsonValue, RawRequest } from '../../src/types.ts';
import { bytes, counter, json, NOW, request, secretsOf, signed } from '../providers/support.ts';

const SECRETS = secretsOf('s3cret');
const cases = providers.flatMap((provider) =>
  provider.samples.map((sample) => [`${provider.name} ${sample.type}`, provider, sample] as const),
);

test('every provider is found by its name, and nothing else is', () => {
  expect(providers.map(({ name }) => providerNamed(name))).toEqual(providers);
  expect(['', 'toString', '__proto__', 'GitHub'].map(providerNamed)).toEqual([null, null, null, null]);
});

describe.each(cases)('%s', (_, provider, sample) => {
  const nextNumber = counter();
  const build = () => sample.build({ text: '@agent analyze <why> & how', now: NOW, nextNumber });
  const incoming = signed(provider, json(build()), { type: sample.type });

  test('is signed so that it verifies, and parses to its type', () => {
    expect(provider.verify(incoming, SECRETS, NOW.getTime())).toEqual({ ok: true, secretIndex: 0 });
    const parsed = provider.parse(incoming);
    if (!parsed.ok) throw new Error(parsed.reason);
    const [event] = parsed.events;
    expect(parsed.events.map(({ type }) => type)).toEqual([sample.type]);
    expect(event?.externalId ?? `${provider.name}:none`).toMatch(new RegExp(`^${provider.name}:\\S+$`));
    expect(event?.sender?.id ?? 'nobody').not.toBe('');
  });

  test('brings text exactly as it was written, or none', () => {
    const parsed = provider.parse(incoming);
    const text = parsed.ok ? (parsed.events[0]?.text ?? null) : null;
    expect([null, '@agent analyze <why> & how']).toContain(text);
  });

  test('is acknowledged with a 2xx', () => {
    const ack = provider.acknowledge?.(incoming, provider.parse(incoming)) ?? { status: 202 };
    expect(ack.status).toBeGreaterThanOrEqual(200);
    expect(ack.status).toBeLessThan(300);
  });

  test('has fresh ids each time, so that a second one is no duplicate', () => {
    const keys = [build(), build()].map((payload) => {
      const parsed = provider.parse(signed(provider, json(payload), { type: sample.type }));
      return parsed.ok ? parsed.semanticKeys : [];
    });
    expect(keys[0]?.filter((key) => keys[1]?.includes(key))).toEqual([]);
  });

  test('any value may be of another type: parsing never throws, and text stays text', () => {
    const payload = build();
    for (const path of pathsOf(payload)) {
      for (const value of [null, 0, '', 'x', 'constructor', true, [], {}, [null], { toString: 1 }]) {
        const changed = json(replaceAt(payload, path, value));
        const parsed = provider.parse(signed(provider, changed, { type: sample.type }));
        for (const event of parsed.ok ? parsed.events : []) {
          expect([typeof event.type, event.text === null || typeof event.text === 'string']).toEqual([
            'string',
            true,
          ]);
        }
      }
    }
  });

  test('authorOf answers for every path, also where there is nothing', () => {
    const payload = build();
    for (const path of [...pathsOf(payload), [], ['__proto__', 'x'], ['a', 'b', 'c']]) {
      const author = provider.authorOf(payload, path);
      expect(author === null || typeof author === 'string').toBe(true);
    }
  });
});

describe.each(providers.map((provider) => [provider.name, provider] as const))('%s', (name, provider) => {
  test('has a webhook of its own name, whose default command is one of its commands', () => {
    const { webhook } = provider;
    expect(webhook.name).toBe(name);
    expect(webhook.commands.map((command) => command.name)).toContain(webhook.defaultCommand);
  });

  test('tells what to type into its web form', () => {
    const fields = provider.formFields({ url: 'https://x.test/webhooks/y', secretCommand: 'hookctl secret' });
    expect(fields.map(({ value }) => value)).toContain('https://x.test/webhooks/y');
    expect(fields.every(({ label, value }) => label !== '' && value !== '')).toBe(true);
  });

  test('junk is refused or read, but never throws', () => {
    for (const incoming of junk(provider)) {
      expect(provider.verify(incoming, secretsOf('another'), NOW.getTime()).ok).toBe(false);
      const parsed = provider.parse(incoming);
      expect(typeof parsed.ok).toBe('boolean');
      expect(() => provider.acknowledge?.(incoming, parsed)).not.toThrow();
      expect(() => provider.answerUnsigned?.(incoming)).not.toThrow();
      expect(() => provider.deliveryId(incoming.headers)).not.toThrow();
      expect(() => provider.eventName(incoming.headers)).not.toThrow();
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('a secret that is sent in a header is named as one that is never stored', () => {
    const incoming = signed(provider, json({}), { type: 'x', secret: 'plain-secret' });
    const carriers = Object.entries(incoming.headers).filter(([, value]) => value.includes('plain-secret'));
    expect(provider.secretHeaders).toEqual(expect.arrayContaining(carriers.map(([header]) => header)));
  });
});

/** Bodies that no provider sends, each as JSON, as a form, under no type and under a wrong one. */
function junk(provider: Provider): readonly RawRequest[] {
  const [first] = provider.samples;
  const good = json(first?.build({ text: 'x', now: NOW, nextNumber: counter() }));
  const bodies = [
    new Uint8Array(),
    new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
    Uint8Array.from({ length: 256 }, (_, index) => (index * 167) % 256),
    good.slice(0, good.length / 2),
    bytes('[]'),
    bytes('null'),
    bytes('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}'),
    bytes('payload=%7B%22__proto__%22%3A1%7D&command=%2Fx'),
    bytes('payload=%FF&&&=&=x'),
    bytes('__proto__=1&command=/x&text=%00'),
    bytes(`{"a":${'['.repeat(100_000)}`),
  ];
  const types = [
    'application/json',
    'application/x-www-form-urlencoded; charset=x',
    '',
    'multipart/form-data',
  ];
  const known = signed(provider, good, { type: first?.type ?? '' }).headers;
  const inherited = ['constructor', 'toString', '__proto__', 'hasOwnProperty'].map((word) =>
    request(good, Object.fromEntries(Object.keys(known).map((header) => [header, word]))),
  );
  const requests = bodies.flatMap((body) =>
    types.flatMap((type) => [
      request(body, { 'content-type': type }),
      request(body, { ...known, 'content-type': type }),
    ]),
  );
  return [...requests, ...inherited];
}

function pathsOf(value: JsonValue | undefined, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.keys(value).flatMap((key) => pathsOf(getPath(value, [key]), [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function replaceAt(
  value: JsonValue | undefined,
  [key, ...rest]: readonly string[],
  replacement: unknown,
): unknown {
  if (key === undefined) return replacement;
  const changed = replaceAt(getPath(value, [key]), rest, replacement);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? changed : item));
  return isJsonObject(value) ? { ...value, [key]: changed } : value;
}
