import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { webhookPatchSchema } from '../../src/config/dynamic/schema.ts';
import { definitionSchema } from '../../src/config/schema.ts';
import { tell, tellJson, tellWith } from '../support/in-process.ts';
import { providerNamed } from '../support/providers.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';

const KEY = Buffer.from('a key of thirty-two bytes, or so').toString('base64');

function add(sandbox: Sandbox, provider: string, ...args: readonly string[]) {
  return tell(sandbox, 'webhook', 'add', provider, '--name', 'mine', ...args);
}

async function shown(sandbox: Sandbox): Promise<string> {
  return (await tell(sandbox, 'webhook', 'show', 'mine', '--show-secret')).stdout;
}

describe('D8: a secret that can verify nothing is refused when it is entered', () => {
  test.each([
    ['standard', `v1,whsec_${KEY}`, /leave out `v1,` in front of it/],
    ['standard', `"whsec_${KEY}"`, /leave out `"` in front of it/],
    ['standard', 'not base64!', /not base64 behind whsec_ or an ed25519 key/],
    ['discord', 'abc', /not an ed25519 key/],
  ])('%s %s', async (provider, secret, message) => {
    const sandbox = await sandboxForTest();
    const refused = await add(sandbox, provider, '--secret', secret);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(message) });
    expect(
      refused.stderr
        .split('\n')
        .filter((line) => line.includes('error'))
        .join(),
    ).not.toContain(KEY);
    expect((await tell(sandbox, 'webhook', 'show', 'mine')).code).toBe(4);
  });

  test('D8: by rotation and by an edit as well, and what was there before stays', async () => {
    const sandbox = await sandboxForTest();
    expect((await add(sandbox, 'standard', '--secret', `whsec_${KEY}`)).code).toBe(0);
    for (const verb of ['rotate-secret', 'edit']) {
      const refused = await tell(sandbox, 'webhook', verb, 'mine', '--secret', `v1,whsec_${KEY}`);
      expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/leave out `v1,`/) });
    }
    expect(await shown(sandbox)).toBe(`whsec_${KEY}\n`);
  });

  test.each(['abc\n', 'abc\r\n', '\nabc\n\n'])(
    'D8: line ends around a variable %j do not count',
    async (value) => {
      const sandbox = await sandboxForTest({ env: { OWN: value, GITHUB_WEBHOOK_SECRET: value } });
      expect((await add(sandbox, 'github', '--secret-env', 'OWN')).code).toBe(0);
      expect(await shown(sandbox)).toBe('abc\n');
      expect((await tell(sandbox, 'webhook', 'show', 'github', '--show-secret')).stdout).toBe('abc\n');
      expect((await tell(sandbox, 'check')).code).toBe(0);
    },
  );

  test.each([
    ['github', ' abc', /webhook mine: the secret begins or ends with a blank/],
    ['github', 'abc\t', /begins or ends with a blank/],
    ['standard', `v1,whsec_${KEY}`, /webhook mine: the secret is not base64 behind whsec_.*leave out `v1,`/],
  ])('D8: check refuses a variable for %s that holds %j', async (provider, value, message) => {
    const sandbox = await sandboxForTest({ env: { OWN: value } });
    expect((await add(sandbox, provider, '--secret-env', 'OWN')).code).toBe(0);
    const checked = await tell(sandbox, 'check');
    expect(checked).toMatchObject({ code: 3, stderr: expect.stringMatching(message) });
    expect(checked.stderr).toContain('(now: OWN)');
    expect(checked.stderr).not.toContain(KEY);
  });

  test('D8: a blank around a typed secret is refused', async () => {
    const refused = await add(await sandboxForTest(), 'github', '--secret', 'abc ');
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/begins or ends with a blank/) });
  });
});

describe('F16: a secret can be given outside the command line', () => {
  test.each(['add', 'rotate-secret', 'edit'])(
    'F16: %s reads it from standard input and from a file',
    async (verb) => {
      const sandbox = await sandboxForTest();
      await writeFile(join(sandbox.project, 'secret.txt'), 'from the file\n', { mode: 0o600 });
      if (verb !== 'add') await add(sandbox, 'github', '--secret-env', 'GITHUB_WEBHOOK_SECRET');
      const line = verb === 'add' ? ['add', 'github', '--name', 'mine'] : [verb, 'mine'];
      const first = await tellWith(sandbox, { stdin: 'from stdin\n' }, 'webhook', ...line, '--secret-stdin');
      expect(first).toMatchObject({ code: 0, stderr: expect.not.stringContaining('list of processes') });
      expect(await shown(sandbox)).toBe('from stdin\n');
      const again = verb === 'add' ? ['edit', 'mine'] : line;
      const second = await tell(sandbox, 'webhook', ...again, '--secret-file', 'secret.txt');
      expect(second.code).toBe(0);
      expect(await shown(sandbox)).toBe('from the file\n');
    },
  );

  test('F16: --secret says that others can see it, and how not to', async () => {
    const added = await add(await sandboxForTest(), 'github', '--secret', 'abc');
    expect(added.code).toBe(0);
    expect(added.stderr).toMatch(/list of processes.*\n.*--secret-stdin or --secret-file/);
  });

  test('F16: an empty one, two at once, and a file that is not there are usage errors', async () => {
    const sandbox = await sandboxForTest();
    const line = ['webhook', 'add', 'github', '--name', 'mine'];
    const empty = await tellWith(sandbox, { stdin: '\n' }, ...line, '--secret-stdin');
    expect(empty).toMatchObject({ code: 2, stderr: expect.stringMatching(/the secret is empty/) });
    const two = await tell(sandbox, ...line, '--secret-stdin', '--secret-env', 'X');
    expect(two).toMatchObject({ code: 2, stderr: expect.stringMatching(/exclude each other/) });
    const none = await tell(sandbox, ...line, '--secret-file', 'nope');
    expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/can't read .*nope/) });
  });
});

describe('F16: a name that could be taken for something else is refused with the reason', () => {
  const BAD: readonly (readonly [string, RegExp])[] = [
    ['-x', /begins an option/],
    ['--help', /begins an option/],
    ['../x', /begin with a dot/],
    ['..', /begin with a dot/],
    ['.', /begin with a dot/],
    ['a/../x', /lead to other folders/],
    ['a\\x', /lead to other folders/],
    ['__proto__', /every JavaScript object/],
    ['constructor', /every JavaScript object/],
    ['prototype', /every JavaScript object/],
    ['hasOwnProperty', /every JavaScript object/],
    ['g\u0456thub', /mixes Latin and Cyrillic letters/],
    ['githu\u0184\u0391', /mixes Latin and Greek letters/],
    ['\uFF47ithub', /write "github"/],
    ['git\u3164hub', /write "github"/],
    ['cafe\u0301', /write "caf\u00e9"/],
    ['x'.repeat(101), /at most (100|64)/],
    ['git\u200Bhub', /one line|lower-case/],
    ['', /./],
  ];
  test.each(BAD)('%j', (name, message) => {
    for (const result of [
      webhookPatchSchema.safeParse({ name }),
      definitionSchema.safeParse({ name, provider: 'github' }),
    ]) {
      expect(result.error?.issues.map((issue) => issue.message).join()).toMatch(message);
    }
  });

  test('F16: names that people give are taken', () => {
    for (const name of ['My Custom Webhook', 'Вебхук', 'caf\u00e9', '倉庫', 'a.b', 'x_1', '🐛 bugs']) {
      expect([name, webhookPatchSchema.safeParse({ name }).success]).toEqual([name, true]);
    }
    expect(definitionSchema.safeParse({ name: 'my-hook_2', provider: 'github' }).success).toBe(true);
    for (const name of ['GitHub', 'a'.repeat(65), '_x']) {
      const { error } = definitionSchema.safeParse({ name, provider: 'github' });
      expect(error?.issues[0]?.message).toMatch(/at most 64 characters|lower-case letters/);
    }
  });

  test('F16: a webhook is not added under one, nor found by one', async () => {
    const sandbox = await sandboxForTest();
    for (const name of ['../x', '__proto__', 'constructor']) {
      const refused = await tell(sandbox, 'webhook', 'add', 'github', `--name=${name}`);
      expect([name, refused.code]).toEqual([name, 3]);
      expect((await tell(sandbox, 'webhook', 'show', name)).code).toBe(4);
    }
    const names = await tellJson<{ readonly name: string }[]>(sandbox, 'webhook', 'list');
    expect(names.map(({ name }) => name)).not.toContain('../x');
  });
});

test('D8: providers whose secret may be any text refuse none', () => {
  for (const name of ['github', 'gitlab', 'generic', 'slack']) {
    expect(providerNamed(name)?.secretProblem?.('any text') ?? null).toBeNull();
  }
});
