import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { providerContract } from '../../src/contract.ts';
import { defineProvider, type ProviderDefinition } from '../../src/index.ts';
import { gitlab } from '../../src/providers/gitlab/index.ts';

type ByCode = Extract<ProviderDefinition, { readonly signature?: never }>;

/** A provider in one file, as a project would write it by code. */
const GOOD: ByCode = {
  name: 'tickets',
  verify({ headers, body }, secrets) {
    const given = headers['x-tickets-signature'] ?? '';
    const index = secrets.findIndex(
      ({ value }) => value.reveal() !== '' && given === signature(body, value.reveal()),
    );
    return index < 0
      ? { ok: false, cause: 'signature_wrong', detail: 'the signature does not fit' }
      : { ok: true, secretIndex: index };
  },
  sign: (body, { secret, deliveryId }) => ({
    body,
    headers: {
      'content-type': 'application/json',
      'x-tickets-delivery': deliveryId,
      'x-tickets-signature': signature(body, secret.reveal()),
    },
  }),
  deliveryId: (headers) => headers['x-tickets-delivery'] ?? null,
  parse: (payload) => ({
    type: 'ticket.opened',
    externalId: typeof payload.id === 'number' ? String(payload.id) : null,
    text: typeof payload.text === 'string' ? payload.text : null,
  }),
  uniqueKeys: (_, { body }) => [signature(body, 'key')],
  samples: [{ type: 'ticket.opened', build: ({ text, nextNumber }) => ({ id: nextNumber(), text }) }],
};

function signature(body: Uint8Array, key: string): string {
  return createHmac('sha256', key).update(body).digest('hex');
}

/** Names of the checks that fail. */
function failures(definition: ByCode): readonly string[] {
  return providerContract(defineProvider(definition)).flatMap(({ name, run }) => {
    try {
      run();
      return [];
    } catch {
      return [name];
    }
  });
}

test('a provider that keeps its promises passes', () => expect(failures(GOOD)).toEqual([]));

describe('it is found out when', () => {
  const accepts = { ok: true, secretIndex: 0 } as const;
  const sample = GOOD.samples?.[0];
  if (sample === undefined) throw new Error('no sample');

  test.each<readonly [string, Partial<ByCode>, string]>([
    [
      'everything is accepted',
      { verify: () => accepts },
      'without the headers that prove it, a request is refused',
    ],
    [
      'only the header is looked at',
      {
        verify: (request, secrets, now) =>
          request.headers['x-tickets-signature']?.length === 64
            ? accepts
            : GOOD.verify(request, secrets, now),
      },
      'a body with a newline behind is refused, where the body is signed',
    ],
    [
      'the beginning of a signature is enough',
      {
        verify: ({ headers, body }, [secret]) =>
          secret !== undefined &&
          signature(body, secret.value.reveal()).startsWith(
            (headers['x-tickets-signature'] ?? '?').slice(0, 8),
          )
            ? accepts
            : { ok: false, cause: 'signature_wrong', detail: 'no' },
      },
      'a signature header with half of it is refused',
    ],
    [
      'the body is serialised again before it is checked',
      {
        verify(request, secrets, now) {
          try {
            const body = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(request.body).toString())));
            return GOOD.verify({ ...request, body }, secrets, now);
          } catch {
            return { ok: false, cause: 'signature_wrong', detail: 'no' };
          }
        },
      },
      'ticket.opened: is signed so that it verifies',
    ],
    [
      'an empty secret counts',
      {
        verify: ({ headers, body }, secrets) =>
          secrets.some(({ value }) => headers['x-tickets-signature'] === signature(body, value.reveal()))
            ? { ok: true, secretIndex: 0 }
            : { ok: false, cause: 'signature_wrong', detail: 'no' },
      },
      'what anybody can sign with an empty secret is refused',
    ],
    [
      'only the first secret is tried',
      { verify: (request, secrets, now) => GOOD.verify(request, secrets.slice(0, 1), now) },
      'while a secret is rotated, the old one still counts, and it is told which fitted',
    ],
    [
      'verify is async',
      { verify: (async () => accepts) as never },
      'ticket.opened: is signed so that it verifies',
    ],
    [
      'requests of tomorrow are accepted',
      {
        verify: (request, secrets, now) =>
          now > Date.parse('2026-11-23T13:00:00Z')
            ? { ok: false, cause: 'timestamp_outside_window', detail: 'old' }
            : GOOD.verify(request, secrets, now),
      },
      'a time that counts, counts in both directions',
    ],
    [
      'the type is another than its sample says',
      { parse: () => ({ type: 'other' }) },
      'ticket.opened: parses to its type, with ids and text as they should be',
    ],
    [
      'the text is changed on its way',
      { parse: ({ text }) => ({ type: 'ticket.opened', text: String(text).trim().toLowerCase() }) },
      'ticket.opened: parses to its type, with ids and text as they should be',
    ],
    [
      'the keys are others each time',
      { uniqueKeys: () => [String(Math.random())] },
      'ticket.opened: has keys that stay the same for the same bytes, and are fresh for others',
    ],
    [
      'two deliveries have one key',
      { uniqueKeys: () => ['same'] },
      'ticket.opened: has keys that stay the same for the same bytes, and are fresh for others',
    ],
    [
      'it answers what nobody understands',
      { acknowledge: () => ({ status: 500, headers: {}, body: '' }) },
      'ticket.opened: is acknowledged with a 2xx',
    ],
    ['the form is empty', { formFields: () => [] }, 'tells what to type into its web form'],
    [
      'a secret would be stored with the headers',
      {
        verify: ({ headers }, secrets) => {
          const index = secrets.findIndex(
            ({ value }) => value.reveal() !== '' && headers['x-token'] === value.reveal(),
          );
          return index < 0
            ? { ok: false, cause: 'signature_wrong', detail: 'no' }
            : { ok: true, secretIndex: index };
        },
        sign: (body, { secret }) => ({ body, headers: { 'x-token': secret.reveal() } }),
      },
      'a secret that is sent in a header is named as one that is never stored',
    ],
  ])('%s', (_, changes, check) => {
    expect(failures({ ...GOOD, ...changes })).toContain(check);
  });

  test('sign is missing', () => {
    const { sign: _, ...rest } = GOOD;
    expect(failures(rest)).toContain('ticket.opened: is signed so that it verifies');
  });
});

test('a definition with mistakes has no checks, but says what is wrong', () => {
  const broken = defineProvider({ name: 'Tickets', signature: { hedder: 'x' }, parse: () => [] } as never);
  expect(() => providerContract(broken)).toThrow(/Tickets has mistakes:\n {2}name: expected a name/);
});

describe('GitLab with its signing token', () => {
  const secret = `whsec_${Buffer.from('gitlab-signing-token-of-32-bytes').toString('base64')}`;
  test.each(providerContract(gitlab, { secret }).map((check) => [check.name, check] as const))(
    '%s',
    (name, check) => {
      // An empty or another secret is no signing token, and is compared as the plain token that it then is.
      check.run();
      expect(name).not.toBe('');
    },
  );
});
