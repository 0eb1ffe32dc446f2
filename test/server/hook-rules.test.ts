import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Delivery, JsonObject } from '../../src/types.ts';
import { eventually } from '../support/eventually.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile } from '../support/server.ts';

/*
 * The rules and black-box cases of adnanh/webhook, by their names there, as webhooks of hookctl (docs/receiving.md has the table). Each
 * request comes over HTTP, is verified, and fires its command or not.
 */

const SECRET = 'mysecret-of-the-rules';
const hmac = (algorithm: string, body: string) => createHmac(algorithm, SECRET).update(body).digest('hex');

interface Case {
  /** Of the webhook. */
  readonly options?: JsonObject;
  readonly endpoint?: string;
  readonly conditions: JsonObject;
  readonly template?: string;
  readonly request: {
    readonly method?: string;
    readonly query?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  /** Why it does not fire; null when it does, undefined when the request is refused. */
  readonly unmet?: RegExp | null;
  readonly status?: number;
  /** Of the answer. */
  readonly answer?: string;
  readonly answerHeaders?: Readonly<Record<string, string>>;
  /** Title of the task that it makes. */
  readonly task?: string;
}

const TOKEN: JsonObject = { scheme: 'token' };
const SHA1: JsonObject = { header: 'x-hub-signature', algorithm: 'sha1', prefix: 'sha1=' };
/** Another one each time: the same signed body is one delivery, whichever webhook of that secret it comes to. */
const pushOf = (after: string) =>
  JSON.stringify({
    after,
    ref: 'refs/heads/master',
    head_commit: { id: '1481a2d', author: { email: 'lolwut@noway.biz' } },
  });
const [push, second, third, fourth] = ['1', '2', '3', '4'].map(pushOf) as [string, string, string, string];
const multipart = [
  '--xxx',
  'Content-Disposition: form-data; name="payload"',
  'Content-Type: application/json',
  '',
  '{"event":"media.play","user":true,"Account":{"title":"plex"}}',
  '--xxx',
  'Content-Disposition: form-data; name="thumb"; filename="thumb.jpg"',
  'Content-Type: application/octet-stream',
  '',
  'binary data',
  '--xxx--',
  '',
].join('\r\n');
const json = { 'content-type': 'application/json' };
const success: JsonObject = { answerStatus: 200, answerBody: 'success' };

const CASES: Readonly<Record<string, Case>> = {
  github: {
    options: SHA1,
    conditions: { ref: 'refs/heads/master' },
    template: '{{head_commit.id}} {{head_commit.author.email}}',
    request: { headers: { ...json, 'x-hub-signature': `sha1=${hmac('sha1', push)}` }, body: push },
    unmet: null,
    task: '1481a2d lolwut@noway.biz',
  },
  'missing-cmd-arg': {
    options: SHA1,
    conditions: { ref: 'refs/heads/master' },
    template: '{{head_commit.id}} [{{head_commit.committer.email}}]',
    request: { headers: { ...json, 'x-hub-signature': `sha1=${hmac('sha1', second)}` }, body: second },
    unmet: null,
    task: '1481a2d []',
  },
  'github-multi-sig': {
    options: { header: 'x-hub-signature', algorithm: 'sha1', prefix: 'sha1=', separator: ',' },
    conditions: { ref: 'refs/heads/master' },
    request: {
      headers: { 'x-hub-signature': `sha1=${'0'.repeat(40)}, sha1=${hmac('sha1', third)}` },
      body: third,
    },
    unmet: null,
  },
  'github-multi-sig-fail': {
    options: { header: 'x-hub-signature', algorithm: 'sha1', prefix: 'sha1=', separator: ',' },
    conditions: { ref: 'refs/heads/master' },
    request: {
      headers: { 'x-hub-signature': `sha1=${'0'.repeat(40)}, sha1=${'1'.repeat(40)}` },
      body: fourth,
    },
    status: 401,
  },
  'empty-payload-signature': {
    options: SHA1,
    conditions: {},
    request: { headers: { 'x-hub-signature': `sha1=${hmac('sha1', '')}` } },
    unmet: null,
  },
  bitbucket: {
    options: { ...TOKEN, ...success },
    conditions: { 'repository.owner': 'marcus', 'repository.scm': 'git', user: 'marcus' },
    request: {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `payload=${encodeURIComponent('{"repository":{"owner":"marcus","scm":"git"},"user":"marcus"}')}`,
    },
    unmet: null,
    status: 200,
    answer: 'success',
  },
  gitlab: {
    options: { scheme: 'token', header: 'x-gitlab-token' },
    conditions: { ref: 'refs/heads/master' },
    template: '{{commits.0.id}} {{user_name}}',
    request: {
      headers: { ...json, 'x-gitlab-token': SECRET },
      body: '{"ref":"refs/heads/master","user_name":"John Smith","commits":[{"id":"b6568db"}]}',
    },
    unmet: null,
    task: 'b6568db John Smith',
  },
  xml: {
    options: { ...TOKEN, ...success },
    conditions: { 'app.users.user.0._name': 'Jeff', 'app.messages.message._id': '1' },
    request: {
      headers: { 'content-type': 'application/xml' },
      body: '<app><users><user id="1" name="Jeff"/><user id="2" name="Sally"/></users><messages><message id="1" from_user="1">Hello!!</message></messages></app>',
    },
    unmet: null,
    answer: 'success',
    status: 200,
  },
  'txt-raw': {
    options: TOKEN,
    conditions: {},
    template: '{{text}}',
    request: { headers: { 'content-type': 'text/plain' }, body: '# FOO blah blah' },
    unmet: null,
    task: '# FOO blah blah',
  },
  'payload-json-array': {
    options: { ...TOKEN, ...success, eventType: 'event' },
    conditions: { event: 'processed' },
    request: {
      headers: json,
      body: '[{"email":"example@test.com","timestamp":1513299569,"event":"processed"},{"event":"dropped"}]',
    },
    unmet: null,
    answer: 'success',
    status: 200,
  },
  'slash-in-hook-id': {
    options: { ...TOKEN, events: 'one' },
    endpoint: '/webhooks/sendgrid/dir',
    conditions: { 'items.0.event': 'it worked!' },
    request: { headers: json, body: '[{"event":"it worked!"}]' },
    unmet: null,
  },
  multipart: {
    options: { ...TOKEN, ...success },
    conditions: { event: 'media.play', 'Account.title': 'plex' },
    request: { headers: { 'content-type': 'multipart/form-data; boundary=xxx' }, body: multipart },
    unmet: null,
    answer: 'success',
    status: 200,
  },
  'issue-471': {
    options: TOKEN,
    conditions: { $or: [{ foo: 'bar' }, { exists: 1 }] },
    request: { headers: json, body: '{"exists":1}' },
    unmet: null,
  },
  'issue-471-and': {
    options: TOKEN,
    conditions: { foo: 'bar', exists: 1 },
    request: { headers: json, body: '{"exists":1}' },
    unmet: /foo is missing, wanted "bar"/,
  },
  'empty payload': {
    options: TOKEN,
    conditions: { ref: 'refs/heads/master' },
    request: { headers: json, body: '{}' },
    unmet: /ref is missing/,
  },
  'request-source': {
    options: { ...TOKEN, methods: 'POST,PUT' },
    conditions: { 'request:method': 'PUT', 'request:client': { $exists: true } },
    request: { method: 'PUT', headers: { ...json, 'x-forwarded-for': '192.30.252.7' }, body: '{}' },
    unmet: null,
  },
  'rule: ip-whitelist': {
    options: TOKEN,
    conditions: { 'request:client': { $cidr: ['10.0.0.0/8', '192.30.252.0/22'] } },
    request: { headers: { 'x-forwarded-for': '1.1.1.1, 192.30.252.7' }, body: '{}' },
    unmet: null,
  },
  'rule: ip-whitelist, another address': {
    options: TOKEN,
    conditions: { 'request:client': { $cidr: '192.30.252.0/22' } },
    request: { headers: { 'x-forwarded-for': '192.30.252.7, 203.0.113.9' }, body: '{}' },
    unmet: /request:client is "203.0.113.9", wanted an address in "192.30.252.0\/22"/,
  },
  'rule: value of a header': {
    options: TOKEN,
    conditions: { 'header:x-gitlab-event': 'Push Hook' },
    request: { headers: { 'x-gitlab-event': 'Push Hook' }, body: '{}' },
    unmet: null,
  },
  'rule: value of the query': {
    options: TOKEN,
    conditions: { 'query:env': 'prod' },
    request: { query: '?env=test', body: '{}' },
    unmet: /query:env is "test", wanted "prod"/,
  },
  'rule: regex': {
    options: TOKEN,
    conditions: { ref: { $regex: '^refs/tags/v' } },
    request: { body: '{"ref":"refs/tags/v1"}' },
    unmet: null,
  },
  'rule: not': {
    options: TOKEN,
    conditions: { $nor: [{ 'header:x-event': 'ping' }] },
    request: { headers: { 'x-event': 'ping' }, body: '{}' },
    unmet: /number 1 of \$nor holds/,
  },
  'rule: payload-hmac-sha512': {
    options: { header: 'x-signature', algorithm: 'sha512' },
    conditions: {},
    request: { headers: { 'x-signature': hmac('sha512', '{"a":1}') }, body: '{"a":1}' },
    unmet: null,
  },
  'http-methods: one that is not named': {
    options: { ...TOKEN, methods: 'PUT' },
    conditions: {},
    request: { method: 'DELETE' },
    status: 405,
    answerHeaders: { allow: 'PUT' },
  },
  'http-methods: GET': {
    options: { ...TOKEN, methods: ['GET'] },
    conditions: { 'query:deploy': 'now' },
    request: { method: 'GET', query: '?deploy=now' },
    unmet: null,
  },
  'response-headers and -message': {
    options: {
      ...TOKEN,
      answerStatus: 201,
      answerType: 'text/xml',
      answerHeaders: { 'Access-Control-Allow-Origin': '*' },
      answerBody: '<Response><Message>Hi {{From}}, {{@event.type}}</Message></Response>',
    },
    conditions: {},
    request: {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'From=%3Cscript%3E%26&Body=hi',
    },
    unmet: null,
    status: 201,
    answer: '<Response><Message>Hi &lt;script&gt;&amp;, event</Message></Response>',
    answerHeaders: {
      'access-control-allow-origin': '*',
      'content-type': 'text/xml',
      'x-content-type-options': 'nosniff',
    },
  },
  'response-message in JSON': {
    options: { ...TOKEN, answerType: 'application/json', answerBody: '{"said":"{{text}}"}' },
    conditions: {},
    request: { headers: { 'content-type': 'text/plain' }, body: 'a "quote"\n' },
    unmet: null,
    status: 200,
    answer: '{"said":"a \\"quote\\"\\n"}',
  },
  'response-message, not verified': {
    options: { ...TOKEN, answerBody: '{{text}}' },
    conditions: {},
    request: { headers: { authorization: 'Bearer wrong', 'content-type': 'text/plain' }, body: 'x' },
    status: 401,
    answer: '{}',
  },
};

const nameOf = (title: string) => title.toLowerCase().replace(/[^a-z0-9]+/g, '-');

function moduleOf(cases: Readonly<Record<string, Case>>): string {
  const webhooks = Object.entries(cases).map(([title, { options = {}, endpoint, conditions, template }]) =>
    JSON.stringify({
      name: `rule-${nameOf(title)}`,
      provider: 'generic',
      secretEnv: 'SENDER_SECRET',
      options,
      ...(endpoint !== undefined && { endpoint }),
      commands: [{ trigger: '*', conditions, template: template ?? 'It fired' }],
    }),
  );
  return `import { defineWebhook } from 'hookctl';\nexport default [\n${webhooks.map((each) => `defineWebhook(${each}),`).join('\n')}\n];\n`;
}

const YAML = `
static: ./webhooks/*.ts
ingress:
  trustedProxy: { name: test, addresses: [127.0.0.1] }
`;

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile({
    files: { 'webhooks.yml': YAML, 'webhooks/rules.ts': moduleOf(CASES) },
    env: { SENDER_SECRET: SECRET },
  });
  server = await serverForFile(sandbox);
});

/** A delivery once it is worked off. */
function settled(id: string): Promise<Delivery> {
  return eventually(`${id} to be worked off`, () => {
    const delivery = readStore(sandbox, (reader) => reader.delivery(id));
    return delivery === null || delivery.status === 'pending' ? null : delivery;
  });
}

async function send(title: string, { endpoint, request }: Case) {
  const { method = 'POST', query = '', headers = {}, body } = request;
  const url = `${server.url}${endpoint ?? `/webhooks/rule-${nameOf(title)}`}${query}`;
  const init = {
    method,
    headers: { authorization: `Bearer ${SECRET}`, ...headers },
    ...(body !== undefined && { body }),
  };
  const answer = await fetch(url, init);
  return { answer, body: await answer.text() };
}

describe('adnanh/webhook', () => {
  test.each(Object.keys(CASES))('%s', async (title) => {
    const given = CASES[title] as Case;
    const { answer, body } = await send(title, given);
    expect([answer.status, body]).toEqual([given.status ?? 202, given.answer ?? body]);
    for (const [name, value] of Object.entries(given.answerHeaders ?? {}))
      expect(answer.headers.get(name)).toBe(value);
    if (given.unmet === undefined) return;
    const delivery = await settled(answer.headers.get('x-hookctl-delivery') ?? '');
    const fired = delivery.decisions.filter((each) => each.fired);
    if (given.unmet === null) {
      expect(delivery).toMatchObject({ status: 'processed' });
      const [task] = readStore(sandbox, (reader) => reader.tasks({})).filter(({ id }) =>
        fired[0]?.taskIds.includes(id),
      );
      expect(task?.title).toContain(given.task ?? 'It fired');
    } else {
      expect(delivery).toMatchObject({ status: 'ignored', reason: expect.stringMatching(given.unmet) });
    }
  });

  test('a list makes a task for each element whose conditions hold', async () => {
    const { answer } = await send('payload-json-array', CASES['payload-json-array'] as Case);
    const { decisions } = await settled(answer.headers.get('x-hookctl-delivery') ?? '');
    expect(decisions.map(({ eventType, fired }) => [eventType, fired])).toEqual([
      ['processed', true],
      ['dropped', false],
    ]);
  });

  test('method, address and headers decide alike when it is explained and replayed', async () => {
    const { answer } = await send('request-source', CASES['request-source'] as Case);
    const { id, headers } = await settled(answer.headers.get('x-hookctl-delivery') ?? '');
    expect(headers).toMatchObject({ ':method': 'PUT', ':client': '192.30.252.7' });
    expect((await tell(sandbox, 'explain', id)).stdout).toContain('its conditions hold');
    const replayed = await tell(sandbox, 'replay', id, '--json');
    expect(replayed.stdout).toContain('"status": "processed"');
  });

  test('what is wrong in an answer is said when it is written', async () => {
    const add = (...options: readonly string[]) =>
      tell(
        sandbox,
        'webhook',
        'add',
        'generic',
        '--name',
        'wrong',
        ...options.flatMap((each) => ['--option', each]),
      );
    expect((await add('answerBody={{#if a}}')).stderr).toContain('answerBody');
    expect((await add('answerStatus=302')).stderr).toContain('expected a status of 200 to 299');
    expect((await add('answerStatus=204', 'answerBody=x')).stderr).toContain('an answer 204 has no body');
    expect((await add('methods=HEAD')).stderr).toContain('PATCH');
  });
});
