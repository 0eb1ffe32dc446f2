import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { locate } from '../../src/config/project/locate.ts';
import { trustFile, trustProblem } from '../../src/config/project/trust.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { folderWith } from './support.ts';

const isRoot = process.getuid?.() === 0;
const OTHER = 12_345;

interface Case {
  readonly name: string;
  readonly change: (file: string, folder: string) => void;
  readonly reason: RegExp;
  /** Only root can give a file away. */
  readonly needsRoot?: true;
}

const NOT_OWN: readonly Case[] = [
  {
    name: 'a foreign file',
    change: (file) => chownSync(file, OTHER, OTHER),
    reason: /it belongs to another user \(uid 12345\)/,
    needsRoot: true,
  },
  {
    name: 'a foreign folder',
    change: (_, folder) => chownSync(folder, OTHER, OTHER),
    reason: /its folder .* belongs to another user/,
    needsRoot: true,
  },
  {
    name: 'a file that all can write',
    change: (file) => chmodSync(file, 0o646),
    reason: /it can be written by every user/,
  },
  {
    name: 'a folder that all can write',
    change: (_, folder) => chmodSync(folder, 0o777),
    reason: /its folder .* can be written by every user/,
  },
  {
    name: 'a folder like /tmp',
    change: (_, folder) => chmodSync(folder, 0o1777),
    reason: /can be written by every user/,
  },
  {
    name: 'a file of a group with others in it',
    change: (file) => {
      chownSync(file, 0, OTHER);
      chmodSync(file, 0o664);
    },
    reason: /it can be written by group 12345/,
    needsRoot: true,
  },
];

function project(): { readonly folder: string; readonly file: string } {
  const folder = join(folderWith({ 'shop/webhooks.yml': '', 'shop/deep/x': '' }), 'shop');
  return { folder, file: join(folder, 'webhooks.yml') };
}

describe('F2: a webhooks.yml that others could have written', () => {
  for (const { name, change, reason, needsRoot } of NOT_OWN) {
    test.skipIf(needsRoot && !isRoot)(
      `F2: ${name} does not count, named or found, until its folder is trusted`,
      async () => {
        const { folder, file } = project();
        change(file, folder);
        const home = folderWith();
        const options = { cwd: join(folder, 'deep'), env: {}, home, configFlag: null };
        const located = locate(options);
        expect(located).toMatchObject({ projectFile: null, dataFolder: join(home, '.hookctl') });
        expect(located.ignored).toMatch(reason);
        expect(located.ignored).toMatch(
          new RegExp(`^${file} is not used: .*If you trust it: hookctl trust ${folder}$`),
        );
        expect(() => locate({ ...options, configFlag: file })).toThrow(reason);
        expect(() => locate({ ...options, configFlag: file })).toThrow(`hookctl trust ${folder}`);

        const trusted = { ...(await sandboxForTest()), project: folder };
        expect(await tell(trusted, 'trust', folder)).toMatchObject({ code: 0 });
        const after = locate({ ...options, home: trusted.home });
        expect(after).toMatchObject({ projectFile: file, dataFolder: join(folder, '.hookctl') });
        expect(after.ignored).toBeUndefined();
        expect(locate({ ...options, home: trusted.home, configFlag: file }).projectFile).toBe(file);
      },
    );
  }

  test.skipIf(!isRoot)('F2: a link is judged by what it leads to as well', () => {
    const { folder, file } = project();
    const own = folderWith();
    symlinkSync(file, join(own, 'webhooks.yml'));
    expect(trustProblem(join(own, 'webhooks.yml'), [])).toBeNull();
    chownSync(file, OTHER, OTHER);
    expect(trustProblem(join(own, 'webhooks.yml'), [])).toMatch(/belongs to another user/);
    chownSync(file, 0, 0);
    chmodSync(folder, 0o777);
    expect(trustProblem(join(own, 'webhooks.yml'), [])).toMatch(/can be written by every user/);
    expect(trustProblem(join(own, 'webhooks.yml'), [folder])).toBeNull();
    expect(trustProblem(join(own, 'webhooks.yml'), [`${folder}-other`])).not.toBeNull();
  });

  test('F2: the search ends at the home folder', () => {
    const above = folderWith({ 'webhooks.yml': '', 'home/work/x': '' });
    const home = join(above, 'home');
    const options = { cwd: join(home, 'work'), env: {}, configFlag: null };
    expect(locate({ ...options, home }).projectFile).toBeNull();
    expect(locate({ ...options, home: folderWith() }).projectFile).toBe(join(above, 'webhooks.yml'));
    writeFileSync(join(home, 'webhooks.yml'), '');
    expect(locate({ ...options, home }).projectFile).toBe(join(home, 'webhooks.yml'));
  });

  test('F2: the search ends at another file system', (context) => {
    const above = folderWith({ 'webhooks.yml': '', 'mounted/x': '' });
    const mount = join(above, 'mounted');
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=755', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      return context.skip('this machine does not let the test mount a file system');
    }
    onTestFinished(() => void execFileSync('umount', [mount]));
    mkdirSync(join(mount, 'deep'));
    const options = { cwd: join(mount, 'deep'), env: {}, home: folderWith(), configFlag: null };
    expect(locate(options).projectFile).toBeNull();
    writeFileSync(join(mount, 'webhooks.yml'), '');
    expect(locate(options).projectFile).toBe(join(mount, 'webhooks.yml'));
  });
});

describe('F2: hookctl trust', () => {
  test('F2: adds, lists and removes, in a file of the user alone', async () => {
    const sandbox = await sandboxForTest({ files: { 'a/x': '', 'b/x': '' } });
    const [a, b] = [join(sandbox.project, 'a'), join(sandbox.project, 'b')];
    expect((await tell(sandbox, 'trust', '--list')).stderr).toContain('No folder is trusted');
    expect((await tell(sandbox, 'trust', 'a')).stdout).toContain(`trusted ${a}`);
    await tell(sandbox, 'trust', b);
    expect((await tell(sandbox, 'trust', '--list')).stdout).toBe(`${a}\n${b}\n`);
    expect(JSON.parse((await tell(sandbox, 'trust', '--list', '--json')).stdout)).toEqual([a, b]);
    const file = trustFile(sandbox);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(file.startsWith(sandbox.home)).toBe(true);
    expect((await tell(sandbox, 'trust', '--remove', 'a')).stdout).toContain('no longer trusted');
    expect((await tell(sandbox, 'trust', '--list')).stdout).toBe(`${b}\n`);
    expect((await tell(sandbox, 'trust', '--remove', 'a')).code).toBe(4);
    expect((await tell(sandbox, 'trust', 'nope')).code).toBe(4);
    expect((await tell(sandbox, 'trust', '/')).code).toBe(2);
    expect((await tell(sandbox, 'trust')).code).toBe(2);
    chmodSync(file, 0o666);
    expect((await tell(sandbox, 'trust', '--list')).stdout).toBe('');
  });
});

/** Leaves a mark when it is run. */
function marking(sandbox: Sandbox, name: string): string {
  const mark = JSON.stringify(join(sandbox.root, `ran-${name}`));
  return `import { writeFileSync } from 'node:fs';
import { defineWebhook } from 'hookctl';
writeFileSync(${mark}, '');
export default defineWebhook({ name: '${name}', provider: 'github', commands: [{ name: 'go' }] });\n`;
}

describe('F2: only check, trigger and serve run modules', () => {
  test('F2: no other command does, and a list names those that are not loaded', async () => {
    const sandbox = await sandboxForTest({ files: { 'webhooks.yml': '' } });
    await sandbox.write('webhooks/mine.ts', marking(sandbox, 'mine'));
    const lines = [
      ['webhook', 'list'],
      ['webhook', 'list'],
      ['webhook', 'list', '--json'],
      ['webhook', 'show', 'github'],
      ['webhook', 'add', 'github', '--name', 'extra'],
      ['webhook', 'command', 'list', 'github'],
      ['webhook', 'export', 'extra'],
      ['task', 'create', 'look'],
      ['delivery', 'prune', '--dry-run'],
      ['sync'],
      ['status'],
      ['task', 'list'],
    ];
    const mistaken = [
      ['delivery', 'list', '--webhook', 'nope'],
      ['task', 'list', '--agent', 'nope'],
      ['task', 'cancel', '--agent', 'nope'],
      ['outbox', 'list', '--webhook', 'nope'],
      ['webhook', 'show', 'mine'],
      ['webhook', 'edit', 'nope', '--agent', 'x'],
      ['webhook', 'remove', 'nope', '--yes'],
      ['webhook', 'add', 'githb', '--name', 'x'],
      ['webhook', 'export', 'nope'],
      ['explain', 'nope.json'],
      ['replay', 'nope'],
      ['restore', 'nope'],
    ];
    for (const line of mistaken) {
      expect([line, (await tell(sandbox, ...line)).code]).not.toEqual([line, 0]);
      expect([line, existsSync(join(sandbox.root, 'ran-mine'))]).toEqual([line, false]);
    }
    for (const line of lines) {
      const { code, stderr, stdout } = await tell(sandbox, ...line);
      expect([line, code, stderr]).toEqual([line, 0, expect.anything()]);
      expect([line, existsSync(join(sandbox.root, 'ran-mine'))]).toEqual([line, false]);
      if (line[1] === 'list' && line[0] === 'webhook') {
        expect(stderr).toContain('webhooks/mine.ts: written, not loaded: restart `hookctl serve`');
        if (line.length === 2) expect(stdout).toMatch(/^webhooks\/mine\.ts +- +static +not loaded/m);
      }
    }
  });
});
