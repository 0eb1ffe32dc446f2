import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { commands, type Group, type Verb } from '../../src/cli/index.ts';
import { cli, cliPath } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await sandboxForFile();
  const program = join(sandbox.root, 'hookctl-real');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${cliPath()}' "$@"\n`);
  chmodSync(program, 0o755);
  for (const name of ['cost$HOME', "o'brien", 'with blank', 'colon:name']) {
    const { code, stderr } = await cli(sandbox, 'webhook', 'add', 'generic', '--name', name);
    expect([code, name], stderr).toEqual([0, name]);
  }
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout, stderr } = await cli(sandbox, 'completion', shell);
    expect([code, stderr]).toEqual([0, '']);
    writeFileSync(join(sandbox.root, shell), stdout);
  }
}, 120_000);

/** In place of hookctl: prints its words one by one, and lets the real one answer the completions. */
const WORDS = `hookctl() { case "$*" in *__complete*) "$REAL" "$@" ;; *) printf '[%s]' "$@"; echo '<end>' ;; esac; }`;

function isThere(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

interface Terminal {
  /** Types it; resolves when the shell has written `expected` behind. */
  type(text: string, expected: string): Promise<void>;
  /** What the shell has written so far. */
  text(): string;
}

/** A shell on a terminal of its own, by `script` of util-linux. */
async function terminal(command: string, env: Readonly<Record<string, string>>): Promise<Terminal> {
  const child: ChildProcess = spawn('script', ['-qfc', command, '/dev/null'], {
    cwd: sandbox.project,
    env: { ...sandbox.env, ...env, REAL: join(sandbox.root, 'hookctl-real'), TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let written = '';
  let seen = 0;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    written += text.replaceAll('\r', '').replaceAll('\x07', '');
  });
  const type = async (text: string, expected: string) => {
    child.stdin?.write(text);
    await eventually(
      `${JSON.stringify(expected)} behind ${JSON.stringify(text)} in ${JSON.stringify(written.slice(seen))}`,
      () => written.indexOf(expected, seen) >= 0,
      30_000,
    );
    seen = written.indexOf(expected, seen) + expected.length;
  };
  await eventually('a prompt', () => written.includes('ready> '), 30_000);
  seen = written.length;
  return { type, text: () => written };
}

/** What is typed before each Tab, what the shell adds there, and the words that hookctl gets in the end. */
const LINES: readonly (readonly [
  typed: readonly (readonly [text: string, added: string])[],
  words: string,
])[] = [
  [
    [
      ['webhook sh', 'ow '],
      ['gitl', 'ab '],
      ['--js', 'on '],
    ],
    '[webhook][show][gitlab][--json]',
  ],
  [
    [
      ['trigger jira jira:issue_c', 'reated '],
      ['--te', 'xt '],
    ],
    '[trigger][jira][jira:issue_created][--text]',
  ],
  [[['delivery list --webhook=gith', 'ub ']], '[delivery][list][--webhook=github]'],
  [[['--config=x webhook command l', 'ist ']], '[--config=x][webhook][command][list]'],
  [[['webhook show cost', 'HOME ']], '[webhook][show][cost$HOME]'],
  [[['webhook show o', 'brien ']], "[webhook][show][o'brien]"],
  [[['webhook show with', 'blank ']], '[webhook][show][with blank]'],
  [[['webhook show colon', 'name ']], '[webhook][show][colon:name]'],
  [[['task list --status waiting_ap', 'proval ']], '[task][list][--status][waiting_approval]'],
];

async function drive(shell: Terminal): Promise<void> {
  for (const [typed, words] of LINES) {
    await shell.type('hookctl ', 'hookctl ');
    for (const [text, added] of typed) await shell.type(`${text}\t`, added);
    await shell.type('\n', '<end>');
    expect(shell.text()).toContain(words);
  }
}

test.skipIf(!isThere('script'))(
  'bash: completes commands, options and names, quoted as they have to be',
  async () => {
    const rc = join(sandbox.root, 'rc');
    writeFileSync(
      rc,
      `${WORDS}\nPS1='ready> '\nbind 'set enable-bracketed-paste off'\nsource '${join(sandbox.root, 'bash')}'\n`,
    );
    await drive(await terminal(`bash --noprofile --rcfile '${rc}' -i`, {}));
  },
  120_000,
);

test.skipIf(!isThere('script') || !isThere('zsh'))(
  'zsh: completes the same',
  async () => {
    writeFileSync(
      join(sandbox.root, '.zshrc'),
      `${WORDS}\nPS1='ready> '\nunset zle_bracketed_paste\nautoload -U compinit; compinit -u -D\nsource '${join(sandbox.root, 'zsh')}'\n`,
    );
    await drive(await terminal('zsh -i', { ZDOTDIR: sandbox.root }));
  },
  120_000,
);

test.skipIf(!isThere('fish'))(
  'fish: offers commands, options and names with what they are',
  () => {
    const asked = [
      'hookctl web',
      'hookctl webhook show gi',
      'hookctl trigger jira jira:issue_c',
      'hookctl task list --status waiting_a',
      'hookctl delivery list --web',
      'hookctl webhook show cost',
      'hookctl --config x webhook command li',
    ];
    const script = `function hookctl; $REAL $argv; end; source '${join(sandbox.root, 'fish')}'; ${asked.map((line) => `complete -C '${line}'`).join('; ')}`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], {
      cwd: sandbox.project,
      env: { ...sandbox.env, REAL: join(sandbox.root, 'hookctl-real') },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual([
      'webhook\tlist, add and edit webhooks',
      'github\tgithub /webhooks/github',
      'gitlab\tgitlab /webhooks/gitlab',
      'jira:issue_created\tJira',
      expect.stringMatching(/^waiting_answer/),
      expect.stringMatching(/^waiting_approval/),
      expect.stringMatching(/^--webhook/),
      expect.stringMatching(/^cost\\?\$HOME\tgeneric/),
      expect.stringMatching(/^list/),
    ]);
  },
  60_000,
);

test('completion: every command has its options, also those of modules that load lazily', async () => {
  const { stdout } = await cli(sandbox, 'completion', 'bash');
  for (const path of commands.flatMap(pathsOf)) expect(stdout).toContain(`\n    '${path}')\n`);
  const branch = /'webhook add'\)\n.*\n\s+opts=\((.*)\)/.exec(stdout)?.[1];
  expect(branch).toContain("'--name=text'");
  expect(branch).toContain("'--agent");
});

function pathsOf(command: Verb | Group): readonly string[] {
  const below = 'load' in command ? [] : command.subcommands.flatMap(pathsOf);
  return [command.name, ...below.map((path) => `${command.name} ${path}`)];
}

test('completion: an unknown shell is named, with those that are known', async () => {
  const { code, stderr } = await cli(sandbox, 'completion', 'zhs');
  expect([code, stderr]).toEqual([2, expect.stringContaining('Known here: bash, zsh, fish')]);
});

test('__complete: says nothing where there is nothing to read, and makes no folder', async () => {
  const other = await sandboxForFile();
  for (const kind of ['delivery', 'task', 'webhook', 'nonsense']) {
    const { code, stderr } = await cli(other, '__complete', kind);
    expect([code, stderr]).toEqual([0, '']);
  }
  const { stdout } = await cli(other, '__complete', 'delivery');
  expect(stdout).toBe('');
  expect(spawnSync('ls', ['-A', other.dataFolder]).status).not.toBe(0);
});

test('__complete: takes little processor time', () => {
  // User and system time of a child, as bash counts it, beside that of Node alone: by turns, the least of each.
  const cpuMs = (...args: readonly string[]) => {
    const words = [process.execPath, ...args].map((word) => `'${word}'`).join(' ');
    const { stderr } = spawnSync('bash', ['-c', `TIMEFORMAT='%U %S'; time ${words}`], {
      ...{ cwd: sandbox.project, env: sandbox.env },
      encoding: 'utf8',
    });
    const [user = 1, system = 1] = stderr.trim().split(' ').map(Number);
    return (user + system) * 1000;
  };
  for (const kind of ['webhook', 'task', 'event']) {
    const turns = Array.from(
      { length: 9 },
      () => [cpuMs('-e', '0'), cpuMs(cliPath(), '__complete', kind)] as const,
    );
    const least = (at: 0 | 1) => Math.min(...turns.map((turn) => turn[at]));
    // It takes 2.6 times; what reads and checks the whole configuration takes 7.
    expect(least(1) / least(0), kind).toBeLessThanOrEqual(4);
  }
}, 120_000);
