import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DeliveryView } from '../../src/views.ts';
import { cli, cliJson } from '../support/cli.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serverForTest } from '../support/server.ts';

const ADD = ['webhook', 'add', 'generic', '--name', 'deploys'];

function options(...settings: readonly string[]): readonly string[] {
  return settings.flatMap((setting) => ['--option', setting]);
}

test('generic: a few settings add a sender; errors are listed all at once', async () => {
  const sandbox = await sandboxForTest();
  const wrong = await cli(sandbox, ...ADD, ...options('heder=x-sig', 'tolerance=60', 'signedContent={foo}'));
  expect(wrong).toMatchObject({ code: 3, stdout: '' });
  expect(wrong.stderr).toBe(
    [
      'error: webhook deploys options.heder: unknown setting',
      '  Did you mean header?',
      'webhook deploys options.signedContent: there is no {foo}',
      '  Known: {body}, {payload}, {timestamp}, {id}, {url}, {method}, {path}, {query}, {form}, {sha256}, {crc32}, {secret}, {header:x-name}, {payload:a.path}, {fields:A,B}.',
      'webhook deploys options.tolerance: has no effect without a timestamp: no time is checked',
      '  Add timestamp: header:x-timestamp, or remove tolerance.',
      '',
    ].join('\n'),
  );
  expect(await cli(sandbox, ...ADD, '--option', 'header')).toMatchObject({
    code: 2,
    stderr: 'error: --option header has no `=`\nWrite it as name=value: --option header=x-signature\n',
  });

  const added = await cli(
    sandbox,
    ...ADD,
    ...options('header=X-Sig', 'title=deploy.name'),
    '--secret',
    'key',
  );
  expect(added.code).toBe(0);
  expect(added.stdout).toMatch(/Header x-sig: HMAC-SHA256 of \{body\} in hex/);
  await cli(sandbox, 'webhook', 'edit', 'deploys', ...options('encoding=base64'));
  const { stdout } = await cli(sandbox, 'webhook', 'export', 'deploys');
  expect(JSON.parse(stdout).webhooks[0].options).toEqual({
    header: 'X-Sig',
    title: 'deploy.name',
    encoding: 'base64',
  });
});

test('generic: generates secrets in the form of the settings', async () => {
  const sandbox = await sandboxForTest();
  const secretOf = async (...settings: readonly string[]) => {
    const name = `hook-${settings.length}-${settings.join('-')}x`;
    const args = ['webhook', 'add', 'generic', '--name', name, ...options(...settings)];
    return (await cliJson<{ secret: string }>(sandbox, ...args)).secret;
  };
  expect(await secretOf()).toMatch(/^[0-9a-f]{64}$/);
  expect(await secretOf('secretEncoding=whsec')).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(await secretOf('scheme=ed25519')).toMatch(/^whsk_[A-Za-z0-9+/]{43}=$/);
});

describe('a refused delivery', () => {
  test('shows the operator alone which settings would verify it', async () => {
    const sandbox = await sandboxForTest();
    const settings = options('header=x-sig', 'timestamp=header:x-time', 'signedContent={timestamp}.{body}');
    const added = await cliJson<{ endpoint: string }>(sandbox, ...ADD, ...settings, '--secret', 'a secret');
    const server = await serverForTest(sandbox);
    const signature = createHmac('sha256', 'a secret').update('{"a":1}').digest('hex');
    const post = (proof: string) =>
      fetch(server.url + added.endpoint, {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'x-sig': proof, 'x-time': String(Math.floor(Date.now() / 1000)) },
      });

    const answers = [await post(signature), await post('0'.repeat(64))];
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(bodies).toEqual(['{}', '{}']);

    const rejected = await cliJson<DeliveryView[]>(sandbox, 'delivery', 'list', '--status', 'rejected');
    const reasons = rejected.map(({ reason }) => reason).toReversed();
    const plain = 'the signature does not fit the body under any secret of the webhook';
    expect(reasons).toEqual([
      `${plain}; computed over \`{timestamp}.{body}\`; the signature would fit \`{body}\``,
      plain,
    ]);
    const explained = await cli(sandbox, 'explain', rejected.at(-1)?.id ?? '');
    expect(explained.stdout).toContain('the signature would fit `{body}`');
    expect(JSON.stringify([rejected, explained])).not.toContain(signature);

    // What hookctl itself makes of the settings is accepted, of course.
    const triggered = ['trigger', 'generic', '--webhook', 'deploys'];
    const { delivery } = await cliJson<{ delivery: DeliveryView }>(sandbox, ...triggered);
    expect(delivery).toMatchObject({ trust: 'verified', event_type: 'event', status: 'ignored' });
  });
});

test('project providers and webhooks: errors have file and line', async () => {
  const sandbox = await sandboxForTest({
    files: {
      'webhooks.yml': '',
      'webhooks/tickets.ts': `import { defineProvider, defineWebhook } from 'hookctl';
const tickets = defineProvider({
  name: 'tickets',
  signature: {
    header: 'x-sig',
    tolerance: 60,
  },
  lable: 'Tickets',
  parse: () => ({ type: 'x' }),
});
export default defineWebhook({ name: 'tickets', provider: tickets, comands: [] });
`,
      'webhooks/more.ts': `import { defineProvider, defineWebhook } from 'hookctl';
const noProof = defineProvider({ name: 'github', parse: () => [] });
export default [
  defineWebhook({
    name: 'one',
    provider: noProof,
  }),
  defineWebhook({
    name: 'two',
    provider: 'generic',
    options: {
      header: 'x-sig',
      algorithm: 'md5',
    },
  }),
];
`,
    },
  });
  const { code, stderr, stdout } = await cli(sandbox, 'check');
  expect(code).toBe(3);
  const problems = `${stderr}${stdout}`.replaceAll(`${sandbox.project}/`, '');
  for (const expected of [
    'webhooks/tickets.ts:2 signature.tolerance: has no effect without a timestamp: no time is checked',
    'webhooks/tickets.ts:2 lable: unknown field\n  Did you mean label?',
    'webhooks/tickets.ts:11 comands: unknown field\n  Did you mean commands?',
    'webhooks/more.ts:2 signature: missing: nothing says how a request is proved',
    'webhooks/more.ts:2 name: github is a provider that hookctl has already\n  Choose another name.',
    'webhooks/more.ts:8 options.algorithm: expected one of "sha1"|"sha256"|"sha384"|"sha512"',
  ]) {
    expect(problems).toContain(expected);
  }
  expect(problems).not.toContain('there is no provider');
});
