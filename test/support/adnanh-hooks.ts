import { createHmac } from 'node:crypto';

/*
 * Hooks of adnanh/webhook, with requests and whether its program runs on each. `test/cli/webhook-convert.test.ts` sends them to the
 * converted webhooks, `npm run test:adnanh` to adnanh/webhook itself: both have to agree with this table.
 */

interface HookRequest {
  /** Starts with `?` or is left out. */
  readonly query?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly runs: boolean;
}

interface HookCase {
  readonly hook: Readonly<Record<string, unknown>>;
  readonly requests: readonly HookRequest[];
}

const SECRET = 'a secret of the hooks';
const at = (source: string, name: string) => ({ source, name });
const payload = (name: string) => at('payload', name);
const value = (name: string, wanted: unknown, source = 'payload') => ({
  match: { type: 'value', value: wanted, parameter: at(source, name) },
});
const regex = (name: string, pattern: string) => ({
  match: { type: 'regex', regex: pattern, parameter: payload(name) },
});
const hmac = (hash: string, header: string, secret = SECRET) => ({
  match: { type: `payload-hmac-${hash}`, secret, parameter: at('header', header) },
});
const digest = (hash: string, body: string, secret = SECRET) =>
  createHmac(hash, secret).update(body).digest('hex');
const json = (body: string, runs: boolean, headers: Readonly<Record<string, string>> = {}): HookRequest => ({
  body,
  runs,
  headers: { 'content-type': 'application/json', ...headers },
});
const rule = (triggerRule: unknown, ...requests: readonly HookRequest[]): HookCase => ({
  hook: { 'trigger-rule': triggerRule },
  requests,
});
const A = value('a', 'x');
const B = value('b', 'y');

export const HOOKS: Readonly<Record<string, HookCase>> = {
  'no-rule': {
    hook: {},
    requests: [
      json('{"n":1}', true),
      { body: 'plain', headers: { 'content-type': 'text/plain' }, runs: true },
    ],
  },
  value: rule(
    value('ref.name', 'main'),
    json('{"ref":{"name":"main"}}', true),
    json('{"ref":{"name":"dev"}}', false),
    json('{}', false),
  ),
  'value-number': rule(
    value('a', '1'),
    json('{"a":1}', true),
    json('{"a":"1"}', true),
    json('{"a":2}', false),
  ),
  'value-boolean': rule(
    value('a', 'true'),
    json('{"a":true}', true),
    json('{"a":"true"}', true),
    json('{"a":false}', false),
  ),
  'value-decimal': rule(value('a', '1.50'), json('{"a":"1.50"}', true), json('{"a":"1.5"}', false)),
  'value-in-list': rule(
    value('items.1.id', 'b'),
    json('{"items":[{"id":"a"},{"id":"b"}]}', true),
    json('{"items":[{"id":"b"}]}', false),
  ),
  header: rule(
    value('X-GitHub-Event', 'push', 'header'),
    json('{"h":1}', true, { 'x-github-event': 'push' }),
    json('{"h":2}', false, { 'x-github-event': 'ping' }),
  ),
  query: rule(
    value('env', 'prod', 'url'),
    { ...json('{"q":1}', true), query: '?env=prod' },
    { ...json('{"q":2}', false), query: '?env=test' },
  ),
  method: {
    hook: { 'http-methods': ['put ', 'POST'], 'trigger-rule': value('method', 'PUT', 'request') },
    requests: [
      { ...json('{"m":1}', true), method: 'PUT' },
      json('{"m":2}', false),
      { method: 'PATCH', body: '{}', runs: false },
    ],
  },
  regex: rule(
    regex('ref', '^refs/(heads|tags)/v[0-9]+$'),
    json('{"ref":"refs/tags/v12"}', true),
    json('{"ref":"refs/tags/w"}', false),
  ),
  'regex-any': rule(regex('ref', '.*'), json('{"ref":7}', true), json('{"no":1}', false)),
  and: rule({ and: [A, B] }, json('{"a":"x","b":"y"}', true), json('{"a":"x"}', false)),
  'and-of-one-field': rule(
    { and: [regex('a', '^x'), regex('a', 'z$')] },
    json('{"a":"xyz"}', true),
    json('{"a":"xy"}', false),
  ),
  or: rule({ or: [A, B] }, json('{"b":"y"}', true), json('{"a":"x"}', true), json('{"c":1}', false)),
  not: rule({ not: A }, json('{"a":"z"}', true), json('{"a":"x"}', false), json('{"missing":1}', true)),
  'not-in-and': rule(
    { and: [{ not: A }, B] },
    json('{"a":"z","b":"y"}', true),
    json('{"a":"x","b":"y"}', false),
    json('{"b":"y"}', false),
  ),
  'not-in-or': rule(
    { or: [{ not: A }, B] },
    json('{"c":3}', true),
    json('{"a":"x","b":"y"}', true),
    json('{"a":"x"}', false),
  ),
  'not-not-in-and': rule(
    { and: [{ not: { not: A } }, B] },
    json('{"a":"x","b":"y"}', true),
    json('{"b":"y"}', false),
  ),
  'not-of-and-in-and': rule(
    { and: [{ not: { and: [A, B] } }, value('c', 'z')] },
    json('{"a":"x","b":"n","c":"z"}', true),
    json('{"a":"n","c":"z"}', true),
    json('{"a":"x","c":"z"}', false),
    json('{"a":"x","b":"y","c":"z"}', false),
  ),
  'not-of-or-in-and': rule(
    { and: [{ not: { or: [A, B] } }, value('c', 'z')] },
    json('{"c":"z"}', true),
    json('{"a":"x","c":"z"}', false),
  ),
  ip: rule({ match: { type: 'ip-whitelist', 'ip-range': '127.0.0.1/32 10.0.0.0/8' } }, json('{"i":1}', true)),
  'ip-of-others': rule({ match: { type: 'ip-whitelist', 'ip-range': '192.0.2.7' } }, json('{"i":2}', false)),
  ...Object.fromEntries(
    ['sha1', 'sha256', 'sha512'].map((hash) => [
      `hmac-${hash}`,
      rule(
        { and: [hmac(hash, 'X-Signature'), A] },
        json('{"a":"x","s":1}', true, { 'x-signature': digest(hash, '{"a":"x","s":1}') }),
        json('{"a":"z","s":1}', false, { 'x-signature': digest(hash, '{"a":"z","s":1}') }),
        json('{"a":"x","s":2}', false, { 'x-signature': digest(hash, '{"a":"x","s":1}') }),
        json('{"a":"x","s":3}', false),
      ),
    ]),
  ),
  'hmac-prefix': rule(
    hmac('sha256', 'X-Hub-Signature-256'),
    json('{"p":1}', true, { 'x-hub-signature-256': `sha256=${digest('sha256', '{"p":1}')}` }),
  ),
  'hmac-several': rule(
    hmac('sha1', 'X-Hub-Signature'),
    json('{"p":2}', true, { 'x-hub-signature': `sha1=${'0'.repeat(40)},sha1=${digest('sha1', '{"p":2}')}` }),
  ),
  'hmac-or': {
    hook: {
      'trigger-signature-soft-failures': true,
      'trigger-rule': {
        and: [{ or: [hmac('sha256', 'X-Sig', 'the old secret'), hmac('sha256', 'X-Sig')] }, A],
      },
    },
    requests: [
      json('{"a":"x","o":1}', true, { 'x-sig': digest('sha256', '{"a":"x","o":1}') }),
      json('{"a":"x","o":2}', true, { 'x-sig': digest('sha256', '{"a":"x","o":2}', 'the old secret') }),
      json('{"a":"x","o":3}', false, { 'x-sig': digest('sha256', '{"a":"x","o":3}', 'a third') }),
    ],
  },
  'token-header': rule(
    value('X-Gitlab-Token', 'glpat', 'header'),
    json('{"t":1}', true, { 'x-gitlab-token': 'glpat' }),
    json('{"t":2}', false, { 'x-gitlab-token': 'wrong' }),
  ),
  'token-bearer': rule(
    value('Authorization', 'Bearer abc', 'header'),
    json('{"t":3}', true, { authorization: 'Bearer abc' }),
    json('{"t":4}', false, { authorization: 'Bearer abd' }),
  ),
  'token-basic': rule(
    value('Authorization', `Basic ${Buffer.from('ci:pass').toString('base64')}`, 'header'),
    json('{"t":5}', true, { authorization: `Basic ${Buffer.from('ci:pass').toString('base64')}` }),
    json('{"t":6}', false, { authorization: `Basic ${Buffer.from('ci:past').toString('base64')}` }),
  ),
  'token-query': rule(
    value('token', '42', 'url'),
    { method: 'GET', query: '?token=42', runs: true },
    { method: 'GET', query: '?token=43', runs: false },
  ),
  'token-payload': rule(value('token', 'slack', 'payload'), {
    body: 'token=slack&text=deploy',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    runs: true,
  }),
  'form-json': {
    hook: {
      'parse-parameters-as-json': [payload('payload')],
      'trigger-rule': { and: [value('payload.state', 'passed'), value('payload.build.0', '7')] },
    },
    requests: [
      {
        body: `payload=${encodeURIComponent('{"state":"passed","build":[7]}')}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        runs: true,
      },
    ],
  },
  list: rule(
    value('root.1.event', 'it'),
    json('[{"event":"no"},{"event":"it"}]', true),
    json('[{"event":"it"}]', false),
  ),
  xml: rule(
    { and: [value('app.users.user.0.-name', 'Jeff'), value('app.message.#text', 'Hello!!')] },
    {
      body: '<app><users><user id="1" name="Jeff"/><user id="2" name="Sally"/></users><message id="1">Hello!!</message></app>',
      headers: { 'content-type': 'application/xml' },
      runs: true,
    },
  ),
  'content-type': {
    hook: { 'incoming-payload-content-type': 'application/json', 'trigger-rule': A },
    requests: [{ body: '{"a":"x"}', headers: { 'content-type': 'text/plain' }, runs: true }],
  },
  'twice-the-same': { hook: {}, requests: [json('{"same":1}', true), json('{"same":1}', true)] },
};

/** As `hooks.json` has them: each says `ran` where its program runs. */
export const hooksJson = (program: string): string =>
  JSON.stringify(
    Object.entries(HOOKS).map(([id, { hook }]) => ({
      id,
      'execute-command': program,
      'response-message': 'ran',
      ...hook,
    })),
  );
