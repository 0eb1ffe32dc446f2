import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { generic } from '../../src/providers/generic/index.ts';
import type { Headers, JsonObject, Provider, RawRequest, Verdict } from '../../src/types.ts';
import { JSON_BODY, KEY_DOCUMENTS, SECRET, TABLE, type TableSender } from '../senders/table.ts';
import { NOW, secretsOf } from './support.ts';

/** What the senders' own SDKs signed: `test/opt-in/sender-sdks.ts`. */
const vectors = JSON.parse(
  readFileSync(new URL('../senders/vectors.json', import.meta.url), 'utf8'),
) as readonly {
  readonly sender: string;
  readonly sdk: string;
  readonly headers: Headers;
  readonly body: string;
  readonly query: string;
}[];

const URL_OF_ALL = 'https://hooks.example.com/webhooks/orders';
const PROXY = '10.1.2.3';

let server: Server;
let keys: string;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const document = KEY_DOCUMENTS[request.url ?? ''];
    if (document?.method !== request.method) return response.writeHead(404).end();
    return response.end(document?.body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  keys = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** Several senders name the port of this run in their settings. */
function providerOf({ settings }: TableSender): Provider {
  const { host } = new URL(keys);
  const text = JSON.stringify(settings).replaceAll('{keys}', keys).replaceAll('127.0.0.1:*', host);
  const configured = generic.configure?.(JSON.parse(text) as JsonObject);
  if (configured?.ok !== true) throw new Error(JSON.stringify(configured));
  return configured.provider;
}

async function good(sender: TableSender, at = NOW.getTime()): Promise<RawRequest> {
  const { body = JSON_BODY, secret = SECRET, contentType = 'application/json' } = sender;
  const signed = await sender.sign({ body, secret, now: at, url: URL_OF_ALL, keys });
  return {
    headers: { 'content-type': contentType, ...signed.headers },
    body: Buffer.from(signed.body ?? body),
    query: signed.query ?? '',
    method: 'POST',
    path: new URL(URL_OF_ALL).pathname,
    address: PROXY,
    publicUrl: () => URL_OF_ALL,
  };
}

async function judge(
  provider: Provider,
  request: RawRequest,
  ...secrets: readonly string[]
): Promise<Verdict> {
  const given = secretsOf(...secrets);
  return (
    provider.verifyAsync?.(request, given, NOW.getTime()) ?? provider.verify(request, given, NOW.getTime())
  );
}

/** The same once the keys have come. */
async function settled(
  provider: Provider,
  request: RawRequest,
  ...secrets: readonly string[]
): Promise<Verdict> {
  return vi.waitUntil(async () => {
    const verdict = await judge(provider, request, ...secrets);
    return verdict.ok || verdict.cause !== 'key_pending' ? verdict : null;
  }, 10_000);
}

const text = ({ body }: RawRequest) => Buffer.from(body).toString();
const withBody = (request: RawRequest, body: string): RawRequest => ({ ...request, body: Buffer.from(body) });

/** Places of the proof: headers without which it fails, else the query or the body. */
async function proofs(provider: Provider, request: RawRequest, secret: string): Promise<readonly string[]> {
  const names = Object.keys(request.headers).filter((name) => name !== 'content-type');
  const needed = await Promise.all(
    names.map(async (name) => ((await judge(provider, without(request, name), secret)).ok ? [] : [name])),
  );
  return needed.flat();
}

function without(request: RawRequest, name: string): RawRequest {
  return {
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([each]) => each !== name)),
  };
}

/** Changes the last letter or digit of the longest word, which is the proof. */
function oneDigitOff(words: string): string {
  const [longest = ''] = (words.match(/[\w+/-]{6,}/g) ?? ['']).toSorted(
    (left, right) => right.length - left.length,
  );
  const middle = Math.floor(longest.length / 2);
  const digit = longest[middle] === 'a' ? 'b' : 'a';
  return words.replace(longest, longest.slice(0, middle) + digit + longest.slice(middle + 1));
}

/** Eight requests that this sender did not make: none may be accepted. */
async function mutations(
  sender: TableSender,
  provider: Provider,
  request: RawRequest,
): Promise<Readonly<Record<string, RawRequest>>> {
  const { secret = SECRET, signs = 'all' } = sender;
  const [header] = (await proofs(provider, request, secret)).toSorted(
    (left, right) => (request.headers[right]?.length ?? 0) - (request.headers[left]?.length ?? 0),
  );
  const changed = (change: (value: string) => string): RawRequest => {
    if (header !== undefined)
      return { ...request, headers: { ...request.headers, [header]: change(request.headers[header] ?? '') } };
    if (request.query !== '') return { ...request, query: change(request.query) };
    return withBody(request, change(text(request)));
  };
  const bodies: Record<string, RawRequest> = {
    'a word of the body changed': withBody(
      request,
      text(request).replace(/first|Hello|1130|order\.paid|bounce|t{20}/, 'other'),
    ),
    'a signed value emptied': withBody(
      request,
      text(request).replace(/"(?:[a-zA-Z]*Reference|Message|token|id|email)":"[^"]+"|AC1/, '"x":1'),
    ),
    'a byte behind the body': withBody(request, `${text(request)} `),
    'no body': withBody(request, ''),
  };
  const tokens: Record<string, RawRequest> = {
    'the proof with a digit more': changed((value) => `${value.replace(/"([^"]*)"\}?$/, '"$1x"}')}0`),
    'the proof twice': changed((value) => `${value}${value}`),
    'the proof in another case': changed((value) =>
      value.replace(/[a-z]{3,}|[A-Z]{3,}/g, (word) =>
        word === word.toLowerCase() ? word.toUpperCase() : word.toLowerCase(),
      ),
    ),
    'no headers at all': { ...request, headers: {}, query: '', body: Buffer.from('{}') },
  };
  const { 'a byte behind the body': _, ...signedFields } = bodies;
  const specific =
    signs === 'none'
      ? tokens
      : signs === 'all'
        ? bodies
        : { ...signedFields, 'no headers at all': tokens['no headers at all'] ?? request };
  return {
    ...specific,
    'a digit of the proof off': changed(oneDigitOff),
    'half of the proof': changed((value) => value.slice(0, value.length / 2)),
    'an empty proof': changed(() => ''),
    'no proof':
      header === undefined ? { ...request, query: '', body: Buffer.from('{}') } : without(request, header),
  };
}

/** Accepts the request, and none of eight that its sender did not make. */
async function expectOnly(sender: TableSender, request: RawRequest): Promise<void> {
  const { secret = SECRET } = sender;
  const provider = providerOf(sender);
  expect(await settled(provider, request, secret)).toMatchObject({ ok: true });
  const changed = await mutations(sender, provider, request);
  expect(Object.keys(changed)).toHaveLength(8);
  const accepted = await Promise.all(
    Object.entries(changed).map(async ([name, each]) =>
      (await settled(provider, each, secret)).ok ? [name] : [],
    ),
  );
  expect(accepted.flat()).toEqual([]);
}

test.each(TABLE.map((sender) => [sender.name, sender] as const))(
  '%s: a request that it signs is accepted, and none of eight that it did not',
  async (_, sender) => expectOnly(sender, await good(sender)),
);

test.each(vectors.map((vector) => [vector.sender, vector.sdk, vector] as const))(
  '%s: what %s signed is accepted, and nothing changed',
  async (name, _, { headers, body, query }) => {
    const sender = TABLE.find((each) => each.name === name);
    if (sender === undefined) throw new Error(`the table has no ${name}`);
    const request = await good(sender);
    const type = sender.contentType ?? 'application/json';
    await expectOnly(sender, {
      ...request,
      headers: { 'content-type': type, ...headers },
      body: Buffer.from(body),
      query,
    });
  },
);

test('the table has the fifty senders, each once', () => {
  expect(new Set(TABLE.map(({ name }) => name)).size).toBe(TABLE.length);
  expect(TABLE.length).toBeGreaterThanOrEqual(50);
});

test('client-cert: the header of a proxy counts only from the addresses of proxies', async () => {
  const sender = TABLE.find(({ settings }) => settings.scheme === 'client-cert');
  if (sender === undefined) throw new Error('the table has no such sender');
  const provider = providerOf(sender);
  const request = await good(sender);
  const from = async (address: string) =>
    (await judge(provider, { ...request, address }, sender.secret ?? '')).ok;
  expect(await Promise.all(['10.1.2.3', '::ffff:10.1.2.3', '127.0.0.1'].map(from))).toEqual([
    true,
    true,
    true,
  ]);
  expect(await Promise.all(['11.1.2.3', '::1', '2001:db8::1'].map(from))).toEqual([false, false, false]);
});
