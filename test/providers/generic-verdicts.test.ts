import { describe, expect, test } from 'vitest';
import { generic } from '../../src/providers/generic/index.ts';
import { github } from '../../src/providers/github/index.ts';
import { gitlab } from '../../src/providers/gitlab/index.ts';
import { sentry } from '../../src/providers/sentry/index.ts';
import { slack } from '../../src/providers/slack/index.ts';
import type { JsonObject, Provider, RawRequest, Verdict } from '../../src/types.ts';
import { bytes, NOW, request, secretsOf, signed } from './support.ts';

/** The schemes that are written as code, and the same as settings. */
const SCHEMES: Readonly<Record<string, readonly [Provider, JsonObject, string]>> = {
  GitHub: [github, { header: 'x-hub-signature-256', prefix: 'sha256=' }, 'key'],
  Slack: [
    slack,
    {
      header: 'x-slack-signature',
      prefix: 'v0=',
      signedContent: 'v0:{timestamp}:{body}',
      timestamp: 'header:x-slack-request-timestamp',
    },
    'key',
  ],
  Sentry: [sentry, { header: ['sentry-hook-signature', 'sentry-app-signature'] }, 'key'],
  'GitLab’s signing token': [
    gitlab,
    {
      header: 'webhook-signature',
      prefix: 'v1,',
      separator: ' ',
      encoding: 'base64',
      secretEncoding: 'whsec',
      signedContent: '{id}.{timestamp}.{body}',
      timestamp: 'header:webhook-timestamp',
      deliveryId: 'header:webhook-id',
    },
    `whsec_${Buffer.from('gitlab-signing-token-of-32-bytes').toString('base64')}`,
  ],
};

const REQUESTS = 1_000;

describe.each(Object.entries(SCHEMES))('%s', (_, [coded, settings, secret]) => {
  test(`by settings gives the same verdicts on ${REQUESTS} requests, good and bad`, () => {
    const configured = shaped(settings);
    const random = seeded(20_261_123);
    const seen = new Map<string, number>();
    for (let round = 0; round < REQUESTS; round++) {
      const incoming = anyRequest(coded, secret, random);
      const secrets = secretsOf(
        ...pick(random, [[secret], [secret], [otherThan(secret), secret], [otherThan(secret)]]),
      );
      const expected = coded.verify(incoming, secrets, NOW.getTime());
      const verdict = configured.verify(incoming, secrets, NOW.getTime());
      expect([essence(verdict), incoming.headers]).toEqual([essence(expected), incoming.headers]);
      seen.set(essence(expected), (seen.get(essence(expected)) ?? 0) + 1);
    }
    // Neither side may have it easy: many are right, and each kind of wrong is among the others.
    const causes = ['signature_missing', 'signature_malformed', 'signature_wrong'];
    const timed = settings.timestamp === undefined ? [] : ['timestamp_invalid', 'timestamp_outside_window'];
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['secret 0', 'secret 1', ...causes, ...timed]));
    expect((seen.get('secret 0') ?? 0) + (seen.get('secret 1') ?? 0)).toBeGreaterThan(REQUESTS / 8);
  });
});

function shaped(settings: JsonObject): Provider {
  const configured = generic.configure?.(settings);
  if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
  return configured.provider;
}

function essence(verdict: Verdict): string {
  return verdict.ok ? `secret ${verdict.secretIndex}` : verdict.cause;
}

type Random = () => number;

/** Numbers below 1, the same in every run (mulberry32). */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

/** A request as the sender makes it, with up to two things changed. */
function anyRequest(provider: Provider, secret: string, random: Random): RawRequest {
  const body = bytes(
    JSON.stringify({ n: random(), text: pick(random, ['é', '\u2028', '', 'x'.repeat(300)]) }),
  );
  const offset = pick(random, [0, 0, 0, 299, -299, 301, -301, 86_400]);
  const now = new Date(NOW.getTime() + offset * 1000);
  const good = signed(provider, body, {
    type: 'x',
    secret,
    now,
    deliveryId: pick(random, ['a-1', 'b.2', 'c']),
  });
  const changes = pick(random, [0, 0, 1, 1, 2]);
  return Array.from({ length: changes }).reduce<RawRequest>(
    (changed) => change(changed, random),
    request(good.body, good.headers),
  );
}

function change(incoming: RawRequest, random: Random): RawRequest {
  const names = Object.keys(incoming.headers).filter((name) => /signature|timestamp|webhook-id/.test(name));
  const name = pick(random, names);
  const value = incoming.headers[name] ?? '';
  const { [name]: _, ...rest } = incoming.headers;
  const at = Math.floor(random() * value.length);
  const cut = (with_: string) => value.slice(0, at) + with_ + value.slice(at + 1);
  return pick<() => RawRequest>(random, [
    () => ({ ...incoming, headers: rest }),
    () => ({ ...incoming, headers: { ...rest, [name]: '' } }),
    () => ({ ...incoming, headers: { ...rest, [name]: value.slice(0, at) } }),
    () => ({
      ...incoming,
      headers: { ...rest, [name]: cut(pick(random, ['0', 'a', 'F', ' ', ',', '=', '.', 'é'])) },
    }),
    () => ({ ...incoming, headers: { ...rest, [name]: value.toUpperCase() } }),
    () => ({
      ...incoming,
      headers: { ...rest, [name]: `${value}${pick(random, [' ', ',', ', '])}${value}` },
    }),
    () => ({ ...incoming, headers: { ...rest, [name]: `v2,x ${value} v1a,y` } }),
    () => ({ ...incoming, headers: { ...rest, [name]: `${value}${pick(random, [' ', '\t', '0', '=='])}` } }),
    () => ({
      ...incoming,
      headers: { ...rest, [name]: pick(random, ['1.7e9', '-1', 'constructor', '9'.repeat(20)]) },
    }),
    () => ({ ...incoming, body: Buffer.concat([incoming.body, bytes(pick(random, ['\n', ' ', '\0']))]) }),
    () => ({ ...incoming, body: incoming.body.slice(0, -1) }),
    () => ({ ...incoming, body: new Uint8Array() }),
  ])();
}

function otherThan(secret: string): string {
  return secret.startsWith('whsec_') ? `whsec_${Buffer.from('another').toString('base64')}` : 'another';
}
