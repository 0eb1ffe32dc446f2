import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { type Server, serverForTest } from '../support/server.ts';

function module(sandbox: Sandbox, name: string, more = ''): string {
  const mark = JSON.stringify(join(sandbox.root, `ran-${name}`));
  return `import { writeFileSync } from 'node:fs';
import { defineWebhook } from 'hookctl';
writeFileSync(${mark}, '');
export default defineWebhook({ name: '${name}', provider: 'github', ${more}commands: [{ name: 'go' }] });\n`;
}

interface Status {
  readonly problems: readonly string[];
  readonly not_loaded: readonly { readonly file: string; readonly state: string }[];
}

const problems = async (sandbox: Sandbox) => (await tellJson<Status>(sandbox, 'status')).problems;

/** Waits until `status` has a line that fits. */
function told(sandbox: Sandbox, text: string): Promise<string> {
  return eventually(text, async () => (await problems(sandbox)).find((line) => line === text));
}

/** The `restart_needed` lines of `serve`, by file. */
function restarts(server: Server): readonly unknown[] {
  return server
    .lines()
    .flatMap((line) => (line.state === 'restart_needed' ? [[line.file, line.change]] : []));
}

describe('files of the project and a running server', () => {
  test('E4, F2, G9: what is written while serving is named everywhere, and lists say what the server has', async () => {
    const sandbox = await sandboxForTest({ files: { 'webhooks.yml': '' } });
    await sandbox.write('webhooks/first.ts', module(sandbox, 'first', "secretEnv: 'OWN', "));
    const withSecret = { ...sandbox, env: { ...sandbox.env, OWN: 'only where serve runs' } };
    const server = await serverForTest(withSecret);
    expect(existsSync(join(sandbox.root, 'ran-first'))).toBe(true);

    // G9: this process lacks the variable.
    expect((await tell(sandbox, 'webhook', 'list')).stdout).toMatch(/^first +github +static +enabled/m);
    const [view] = (
      await tellJson<{ name: string; has_secret: boolean; secret_source: string }[]>(
        sandbox,
        'webhook',
        'list',
      )
    ).filter(({ name }) => name === 'first');
    expect(view).toMatchObject({ has_secret: true, secret_source: 'OWN' });
    expect(await tellJson(sandbox, 'webhook', 'show', 'first')).toMatchObject({ has_secret: true });
    expect((await tell(sandbox, 'webhook', 'show', 'first')).stdout).toMatch(/^secret +OWN$/m);

    // E4: a new file.
    const mine = join(sandbox.project, 'webhooks/mine.ts');
    await writeFile(mine, module(sandbox, 'mine'));
    const line = 'webhooks/mine.ts: written, not loaded: restart `hookctl serve`';
    await told(sandbox, line);
    await eventually('the line of serve', () => restarts(server).length > 0);
    expect(restarts(server)).toEqual([[mine, 'written']]);
    expect(server.running.stderr()).toBe('');
    const listed = await tell(sandbox, 'webhook', 'list');
    expect(listed.stderr).toContain(line);
    expect(listed.stdout).toMatch(/^webhooks\/mine\.ts +- +static +not loaded/m);
    const body = join(sandbox.project, 'body.json');
    await writeFile(body, '{"action":"opened"}');
    const explained = await tell(
      sandbox,
      'explain',
      body,
      '--provider',
      'github',
      '--event',
      'issues.opened',
    );
    expect(explained.stderr).toContain(line);
    const triggered = await cli(sandbox, 'trigger', 'mine');
    expect(triggered.code).toBe(1);
    expect(triggered.stderr).toContain(line);
    expect(triggered.stderr).toMatch(
      /the running server does not have the webhook mine.*\n.*Restart `hookctl serve`/,
    );

    // A changed one, and one that is put back; then a removed one.
    const first = join(sandbox.project, 'webhooks/first.ts');
    await writeFile(first, module(sandbox, 'first', "secretEnv: 'OWN', enabled: false, "));
    await told(sandbox, 'webhooks/first.ts: changed, not loaded: restart `hookctl serve`');
    await writeFile(first, module(sandbox, 'first', "secretEnv: 'OWN', "));
    await rm(mine);
    await eventually('no line', async () =>
      (await problems(sandbox)).every((text) => !text.includes('loaded')),
    );
    await rm(first);
    await told(sandbox, 'webhooks/first.ts: removed, still loaded: restart `hookctl serve`');
    await writeFile(first, module(sandbox, 'first', "secretEnv: 'OWN', "));

    // F2: without a server the last start counts, and nothing is run.
    await server.stop();
    await rm(join(sandbox.root, 'ran-first'));
    await writeFile(mine, module(sandbox, 'mine'));
    await rm(join(sandbox.root, 'ran-mine'), { force: true });
    for (let times = 0; times < 2; times++) {
      const offline = await tell(sandbox, 'webhook', 'list');
      expect(offline.stdout).toMatch(/^first +github +static +no secret +\/webhooks\/first/m);
      expect(offline.stdout).toMatch(/^webhooks\/mine\.ts +- +static +not loaded/m);
    }
    expect(await tellJson(sandbox, 'webhook', 'show', 'first')).toMatchObject({
      origin: 'static',
      file: first,
      line: 4,
    });
    expect(existsSync(join(sandbox.root, 'ran-first'))).toBe(false);
    expect(existsSync(join(sandbox.root, 'ran-mine'))).toBe(false);
  });

  test('F2: serve and check refuse a module, or what it imports, that others can write', async () => {
    const sandbox = await sandboxForTest({
      files: { 'webhooks.yml': '', 'lib/names.ts': "export const name = 'x';\n" },
    });
    await sandbox.write('webhooks/open.ts', module(sandbox, 'open'));
    await sandbox.write(
      'webhooks/importing.ts',
      `import '../lib/names.ts';\n${module(sandbox, 'importing')}`,
    );
    await chmod(join(sandbox.project, 'webhooks/open.ts'), 0o666);
    await chmod(join(sandbox.project, 'lib'), 0o777);
    const refused = await cli(sandbox, 'check');
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('webhooks/open.ts is not run: it can be written by every user');
    expect(refused.stderr).toMatch(/lib\/names\.ts is not run: its folder .* can be written by every user/);
    for (const name of ['open', 'importing'])
      expect(existsSync(join(sandbox.root, `ran-${name}`))).toBe(false);
    await tell(sandbox, 'trust', sandbox.project);
    expect(await cli(sandbox, 'check')).toMatchObject({ code: 0 });
    for (const name of ['open', 'importing'])
      expect(existsSync(join(sandbox.root, `ran-${name}`))).toBe(true);
  });

  test('E18: a folder link on the path of --config that is pointed elsewhere is seen, and later edits', async () => {
    const sandbox = await sandboxForTest();
    for (const version of ['v1', 'v2', 'v3']) {
      await mkdir(join(sandbox.project, version));
      await sandbox.write(`${version}/webhooks.yml`, `retention: { age: ${version.slice(1)}d }\n`);
    }
    const point = async (version: string) => {
      await symlink(version, join(sandbox.project, 'next'));
      await rename(join(sandbox.project, 'next'), join(sandbox.project, 'current'));
    };
    await point('v1');
    const server = await serverForTest(sandbox, '--config', 'current/webhooks.yml');
    const file = join(sandbox.project, 'current/webhooks.yml');
    const line = 'webhooks.yml: changed, not loaded: restart `hookctl serve`';
    await point('v2');
    await told(sandbox, line);
    await eventually('the line of serve', () => restarts(server).length > 0);
    expect(restarts(server)).toEqual([[file, 'changed']]);
    await point('v1');
    await eventually('no line', async () => !(await problems(sandbox)).includes(line));
    await sandbox.write('v1/webhooks.yml', 'retention: { age: 9d }\n');
    await told(sandbox, line);
    await point('v3');
    await sandbox.write('v3/webhooks/later.ts', module(sandbox, 'later'));
    await eventually('the new module', async () =>
      (await problems(sandbox)).some((text) => text.includes('later.ts: written')),
    );
  });
});
