import { describe, expect, test } from 'vitest';
import { readRequest } from '../../src/deliveries/rules/read-request.ts';
import { defineProvider, type ProviderDefinition } from '../../src/index.ts';
import { findHandshake, handshakeAck } from '../../src/providers/receive/handshake.ts';
import { providerDraft } from '../../src/types/defined-provider.ts';
import type { Provider, Webhook } from '../../src/types.ts';
import { bytes, json, NOW, onlyEvent, request, secretsOf } from './support.ts';

type BySettings = Extract<ProviderDefinition, { readonly verify?: never }>;
type ByCode = Extract<ProviderDefinition, { readonly signature?: never }>;

const MINIMAL: BySettings = {
  name: 'tickets',
  signature: { header: 'x-sig' },
  parse: () => ({ type: 'ticket.opened' }),
};

function provider(changes: Partial<ProviderDefinition> = {}): Provider {
  const draft = providerDraft(defineProvider({ ...MINIMAL, ...changes } as ProviderDefinition));
  if (draft?.result.ok !== true) throw new Error(JSON.stringify(draft));
  return draft.result.provider;
}

function byCode(verify: unknown, more: Partial<ByCode> = {}): Provider {
  return provider({ ...more, signature: undefined, verify } as unknown as Partial<ByCode>);
}

describe('what parse returns', () => {
  test('needs no more than a type', () => {
    expect(onlyEvent(provider().parse(request(json({ a: 1 }))))).toEqual({
      type: 'ticket.opened',
      externalId: null,
      sender: null,
      text: null,
      author: null,
      textOrigin: 'created',
      title: null,
      url: null,
      payload: { a: 1 },
    });
  });

  test.each([
    ['the sender, where nothing is said', {}, { id: '1', name: 'ada' }],
    ['whom the definition names', { author: { id: '2', name: 'bob' } }, { id: '2', name: 'bob' }],
    ['not told, where it says null', { author: null }, null],
    ['none, where there is no text', { text: null }, null],
  ])('the author of a text is %s', (_, changes, author) => {
    const sender = { id: '1', name: 'ada', kind: 'person', association: null, appId: null } as const;
    const parse = () => ({ type: 'x', sender, text: '@agent look', ...changes });
    expect(onlyEvent(provider({ parse }).parse(request(json({})))).author).toEqual(author);
  });

  test('is qualified by the provider’s name, once', () => {
    const idOf = (externalId: string) =>
      onlyEvent(provider({ parse: () => ({ type: 'x', externalId }) }).parse(request(json({})))).externalId;
    expect([idOf('7'), idOf('tickets:7')]).toEqual(['tickets:7', 'tickets:7']);
  });

  test('may be several events, each with a payload of its own', () => {
    const several = provider({
      parse: ({ items }) => (items as []).map((item) => ({ type: 'item', payload: { item } })),
    });
    const parsed = several.parse(request(json({ items: [1, 2] })));
    expect(parsed.ok && parsed.events.map(({ payload }) => payload)).toEqual([{ item: 1 }, { item: 2 }]);
  });

  test.each([
    ['says why it is none', () => ({ unparsed: 'no ticket' }), 'no ticket'],
    ['throws', () => raise('oh'), 'parse of tickets throws: oh'],
    ['is nothing', () => undefined, 'parse of tickets returns no event: missing, expected object'],
    [
      'is a promise',
      async () => ({ type: 'x' }),
      'parse of tickets returns no event, type: missing, expected string',
    ],
    ['has no type', () => ({}), 'parse of tickets returns no event, type: missing, expected string'],
    [
      'has a text that is none',
      () => ({ type: 'x', text: 5 }),
      'parse of tickets returns no event, text: expected string, received number',
    ],
    [
      'has a sender of which half is missing',
      () => ({ type: 'x', sender: { id: '1' } }),
      'parse of tickets returns no event, sender.name: missing, expected string',
    ],
    [
      'has an id of two words',
      () => ({ type: 'x', externalId: 'a b' }),
      'parse of tickets returns no event, externalId: expected one word without spaces',
    ],
  ])('%s', (_, parse, reason) => {
    const parsed = provider({ parse: parse as never }).parse(request(json({})));
    expect(parsed).toEqual({ ok: false, reason });
  });

  test('is asked only of bytes that can be read, by its own decode where it has one', () => {
    expect(provider().parse(request(bytes('<xml/>')))).toMatchObject({ ok: false });
    const xml = provider({ decode: ({ body }) => ({ text: Buffer.from(body).toString() }) });
    expect(onlyEvent(xml.parse(request(bytes('<xml/>')))).payload).toEqual({ text: '<xml/>' });
    const none = provider({ decode: () => null });
    expect(none.parse(request(bytes('?')))).toEqual({
      ok: false,
      reason: 'decode of tickets cannot read the body',
    });
  });
});

describe('verify by code', () => {
  const judge = (verify: unknown, secrets = ['key']) => {
    const verdict = byCode(verify).verify(request(json({})), secretsOf(...secrets), NOW.getTime());
    return verdict.ok ? 'accepted' : verdict.detail;
  };
  test.each([
    ['a verdict', () => ({ ok: true, secretIndex: 0 }), 'accepted'],
    ['a refusal', () => ({ ok: false, cause: 'signature_wrong', detail: 'no' }), 'no'],
    ['true', () => true, 'verify of tickets returns no verdict; it may not be async'],
    ['nothing', () => undefined, 'verify of tickets returns no verdict; it may not be async'],
    ['ok, but not quite', () => ({ ok: 1 }), 'verify of tickets returns no verdict; it may not be async'],
    [
      'a promise of a verdict',
      async () => ({ ok: true, secretIndex: 0 }),
      'verify of tickets returns no verdict; it may not be async',
    ],
    ['an exception', () => raise('oh'), 'verify of tickets throws: oh'],
  ])('returns %s', (_, verify, expected) => expect(judge(verify)).toBe(expected));

  test('is not even asked without a secret', () => {
    expect(judge(() => ({ ok: true, secretIndex: 0 }), [])).toBe('the webhook has no secret to verify with');
  });

  test('without sign it cannot be triggered, and it is said what to add', () => {
    const [secret] = secretsOf('key');
    if (secret === undefined) throw new Error('no secret');
    const context = { type: 'x', secret: secret.value, deliveryId: 'd', now: NOW };
    expect(() => byCode(() => true).sign(json({}), context)).toThrow(
      'tickets does not say how its requests are signed',
    );
  });
});

test('what throws beside the verdict costs no delivery', () => {
  const broken = provider({
    acknowledge: () => raise('oh'),
    authorOf: () => raise('oh'),
    eventName: () => raise('oh'),
    formFields: () => raise('oh'),
  });
  const incoming = request(json({}));
  expect(broken.acknowledge?.(incoming, broken.parse(incoming))).toBeNull();
  expect(broken.authorOf({}, [])).toBeNull();
  expect(broken.eventName({})).toBeNull();
  expect(broken.formFields({ url: 'https://x', secretCommand: 'y', enterCommand: 'z' })[0]).toEqual({
    label: 'URL',
    value: 'https://x',
  });
});

test('settings of a webhook go over those of the definition', () => {
  const configured = provider().configure?.({ header: 'x-other', encoding: 'base64' });
  expect(configured?.ok === true && configured.provider.name).toBe('tickets');
  const wrong = provider().configure?.({ headr: 'x' });
  expect(wrong?.ok === false && wrong.issues[0]?.fix).toBe('Did you mean header?');
});

function raise(message: string): never {
  throw new Error(message);
}

test('D3: a list at the top is `items`, and other bodies are read where `body` says so', async () => {
  const read = async (body: 'auto' | undefined, type: string, text: string) => {
    const draft = providerDraft(
      defineProvider({
        name: 'lists',
        signature: { scheme: 'token' },
        body,
        parse: (payload) => ({ type: 'any', payload }),
      }),
    );
    if (draft?.result.ok !== true) throw new Error(JSON.stringify(draft?.result));
    const { provider } = draft.result;
    const webhook = { name: 'w', provider, commandPrefix: '@agent', options: {} } as unknown as Webhook;
    const parsed = await readRequest(webhook, {
      headers: { 'content-type': type },
      query: '',
      body: Buffer.from(text),
    });
    return parsed.ok ? parsed.events.map(({ payload }) => payload) : parsed.reason;
  };
  expect(await read(undefined, 'application/json', '[{"a":1}]')).toEqual([{ items: [{ a: 1 }] }]);
  expect(await read('auto', 'application/xml', '<a>1</a>')).toEqual([{ a: '1' }]);
  expect(await read('auto', 'application/x-www-form-urlencoded', 'a=1')).toEqual([{ a: '1' }]);
  expect(await read(undefined, 'application/xml', '<a>1</a>')).toMatch(/not valid JSON/);
});

test('D5: handshakes by name and by rule, and what is wrong with one', () => {
  const result = (handshake: ProviderDefinition['handshake']) =>
    providerDraft(
      defineProvider({
        name: 'asks',
        signature: { scheme: 'token' },
        handshake,
        parse: () => ({ type: 'any' }),
      }),
    )?.result;
  const rule = {
    when: { 'query:mode': 'check' },
    challenge: 'query:token',
    answer: { echo: '{challenge}' },
  } as const;
  const both = result(['okta', rule]);
  const rules = both?.ok === true ? (both.provider.handshakes ?? []) : [];
  expect(rules).toMatchObject([{ name: 'okta' }, { name: 'handshake', ...rule }]);
  const asked = (query: string) =>
    findHandshake(rules, 'GET', { headers: {}, query, body: new Uint8Array() });
  expect(asked('mode=check')).toBeNull();
  expect(asked('mode=other&token=a')).toBeNull();
  const handshake = asked('mode=check&token=a');
  expect(handshake && handshakeAck(handshake, null).body).toBe('{"echo":"a"}');
  expect(result('okto')).toMatchObject({ ok: false, issues: [{ path: ['handshake', 0] }] });
  expect(result({ challenge: 'header:' })).toMatchObject({ ok: false });
  expect(result({ status: 404 })).toMatchObject({ ok: false });
});
