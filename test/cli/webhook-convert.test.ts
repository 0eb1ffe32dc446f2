import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { HOOKS, hooksJson } from '../support/adnanh-hooks.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile, sandboxForTest } from '../support/sandbox.ts';
import { type Server, serverForFile, settled } from '../support/server.ts';

interface Imported {
  readonly secret?: string;
  readonly webhook: { readonly name: string; readonly endpoint: string };
}

let sandbox: Sandbox;
let server: Server;
let imported: readonly Imported[];

beforeAll(async () => {
  sandbox = await sandboxForFile({
    files: { 'webhooks.yml': 'ingress:\n  trustedProxy: { name: test, addresses: [127.0.0.1] }\n' },
  });
  writeFileSync(join(sandbox.project, 'hooks.json'), hooksJson('/bin/true'));
  const converted = await tell(sandbox, 'webhook', 'convert', 'hooks.json', '--output', 'converted.json');
  expect(converted).toMatchObject({ code: 0 });
  const { stdout, stderr } = await tell(sandbox, 'webhook', 'import', 'converted.json', '--json');
  expect(stderr).not.toContain('error');
  imported = JSON.parse(stdout);
  server = await serverForFile(sandbox);
});

describe('webhook convert: the hooks of adnanh/webhook run as there', () => {
  test.each(Object.keys(HOOKS))('%s', async (id) => {
    const { secret, webhook } = imported.find((each) => each.webhook.name === id) as Imported;
    const ran: boolean[] = [];
    for (const { query = '', method = 'POST', headers = {}, body } of HOOKS[id]?.requests ?? []) {
      const answer = await fetch(`${server.url}${webhook.endpoint}${query}`, {
        method,
        headers: {
          'x-forwarded-for': '10.9.8.7',
          ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
          ...headers,
        },
        ...(body !== undefined && { body }),
      });
      const delivery = answer.headers.get('x-hookctl-delivery');
      if (answer.status === 200) expect(await answer.text()).toBe('ran');
      ran.push(answer.status === 200 && (await settled(sandbox, delivery ?? '')).status === 'processed');
    }
    expect(ran).toEqual(HOOKS[id]?.requests.map(({ runs }) => runs));
  });
});

describe('webhook convert: names what it cannot write', () => {
  const match = (type: string, more: object) => ({ match: { type, ...more } });
  const header = (name: string) => ({ parameter: { source: 'header', name } });

  test.each([
    ['scalr', match('scalr-signature', { secret: 'x' }), /scalr-signature/],
    ['raw', match('regex', { regex: 'x', parameter: { source: 'raw-request-body' } }), /raw-request-body/],
    [
      'address',
      match('value', { value: '1:2', parameter: { source: 'request', name: 'remote-addr' } }),
      /port/,
    ],
    ['secret', { or: [match('value', { value: 'x', ...header('X-Api-Key') })] }, /is a secret/],
    ['signed', { not: match('payload-hmac-sha1', { secret: 'x', ...header('X-S') }) }, /below `or` or `not`/],
    [
      'kinds',
      {
        or: ['sha1', 'sha256'].map((hash) =>
          match(`payload-hmac-${hash}`, { secret: 'x', ...header('X-S') }),
        ),
      },
      /several kinds/,
    ],
    ['unknown', match('moon', { ...header('X-S') }), /no match of type moon/],
    ['unplaced', match('moon', {}), /no match of type moon/],
    ['placeless', match('value', { value: 'x' }), /has no parameter/],
    ['pattern', match('regex', { regex: '(', ...header('X-S') }), /\$regex/],
  ])('%s is left out', async (id, rule, why) => {
    const hooks = JSON.stringify([{ id, 'execute-command': 'x', 'trigger-rule': rule }]);
    const box = await sandboxForTest();
    writeFileSync(join(box.project, 'hooks.json'), hooks);
    const { code, stdout, stderr } = await tell(box, 'webhook', 'convert', 'hooks.json');
    expect([code, JSON.parse(stdout)]).toEqual([1, { webhooks: [] }]);
    expect(stderr).toMatch(new RegExp(`^${id}: left out\n  .*`));
    expect(stderr).toMatch(why);
  });

  test('a program that got values of the request is disabled, with each of them', async () => {
    const box = await sandboxForTest();
    const hook = {
      id: 'deploy/api',
      'execute-command': './deploy.sh',
      'command-working-directory': '/srv',
      'pass-arguments-to-command': [
        { source: 'string', name: '--now' },
        { source: 'payload', name: 'head.id' },
      ],
      'pass-environment-to-command': [{ source: 'string', envname: 'MODE', name: 'fast' }],
      'pass-file-to-command': [{ source: 'raw-request-body', envname: 'FILE' }],
      'include-command-output-in-response': true,
      'response-message': '{{x}}',
      'success-http-response-code': 302,
    };
    writeFileSync(join(box.project, 'hooks.json'), JSON.stringify([hook]));
    const { code, stdout, stderr } = await tell(box, 'webhook', 'convert', 'hooks.json', '--json');
    expect(code).toBe(0);
    const { webhooks, hooks } = JSON.parse(stdout);
    expect(webhooks).toMatchObject([
      {
        name: 'deploy-api',
        enabled: false,
        options: { answerBody: '\\{{x}}' },
        commands: [{ options: { program: 'env', args: ['MODE=fast', './deploy.sh', '--now'], cwd: '/srv' } }],
      },
    ]);
    expect(hooks[0]).toMatchObject({ id: 'deploy/api', outcome: 'disabled' });
    for (const part of [
      'argument payload head.id',
      'file raw-request-body',
      'no output',
      'status 302',
      'no /',
    ])
      expect(stderr).toContain(part);
  });

  test('a secret of the environment stays there; other templates and wrong forms are mistakes with their place', async () => {
    const box = await sandboxForTest();
    const withText = async (text: string) => {
      writeFileSync(join(box.project, 'hooks.yaml'), text);
      return tell(box, 'webhook', 'convert', 'hooks.yaml');
    };
    const secret = (text: string) =>
      `[{"id":"a","execute-command":"x","trigger-rule":{"match":{"type":"payload-hmac-sha1","secret":"${text}","parameter":{"source":"header","name":"X-S"}}}}]`;
    const { stdout } = await withText(secret('{{ getenv "HOOK_SECRET" | js }}'));
    expect(JSON.parse(stdout).webhooks[0].secrets).toEqual([{ env: 'HOOK_SECRET' }]);
    const template = await withText(secret('{{ credential "x" }}'));
    expect(template).toMatchObject({ code: 3, stderr: expect.stringContaining('getenv') });
    const wrong = await withText('- id: a\n  execute-command: x\n  trigger-rule: { nand: [] }\n');
    expect(wrong).toMatchObject({ code: 3, stderr: expect.stringMatching(/hooks\.yaml:3.*trigger-rule/) });
  });
});
