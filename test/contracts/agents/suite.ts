import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { runnerNamed } from '../../../src/agents/index.ts';
import type { AgentRunner, CommonOptions } from '../../../src/agents/runner.ts';
import {
  installAgent,
  installDumper,
  isAlive,
  newFolder,
  readArguments,
  runAgent,
  TASK,
} from '../../agents/support.ts';
import { COMMANDS, OPTIONS, SECRETS } from '../../agents/values.ts';

/** The fake agent under each runner, with all that the runner can be told. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  claude: { model: 'sonnet', allowedTools: ['Edit', 'Bash(npm test:*)'], maxTurns: 5, worktree: true },
  codex: { model: 'mock-model', sandboxMode: 'workspace-write', network: true },
  opencode: { model: 'mock/model', permission: { read: 'allow', bash: { 'npm test*': 'allow' } } },
  gemini: { model: 'gemini-mock', approval: 'auto_edit', allowedTools: ['run_shell_command(npm test)'] },
  copilot: { model: 'mock-model', allowedTools: ['shell(npm test)'], deniedTools: ['shell(git push)'] },
  command: {
    args: [
      '--title={{title}}',
      '--url={{url}}',
      '--id={{externalId}}',
      '--about=about {{title}}',
      '--session={{session}}',
    ],
  },
};

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => void rmSync(folder, { recursive: true, force: true })));

const inFolder = (name: string, more: object = {}) => {
  const folder = newFolder();
  folders.push(folder);
  const program = installAgent(folder);
  return { folder, settings: { ...SETTINGS[name], program, ...more } };
};

/** What each runner has to hold. */
export function holdsContract(name: string): void {
  const runner = runnerNamed(name);
  if (runner === null) throw new Error(`there is no runner ${name}`);
  describe(name, () => contractOf(name, runner));
}

function contractOf(name: string, runner: AgentRunner): void {
  test('is found by its name, and its settings say what they are for', () => {
    expect(runnerNamed(name)).toBe(runner);
    const { folder: _, settings } = inFolder(name);
    const options = runner.options.parse({ use: name, ...settings }) as unknown as CommonOptions;
    expect(runner.check(options)).toEqual([]);
    expect(runner.program(options)).toBe(settings.program);
    const { properties = {} } = z.toJSONSchema(runner.options, { io: 'input' });
    for (const [field, schema] of Object.entries(properties)) {
      if (field !== 'use') expect((schema as { description?: string }).description, field).toMatch(/\.$/);
    }
    expect(runner.options.safeParse({ use: name, ...settings, comand: 1 }).success).toBe(false);
  });

  test('gives the prompt on stdin, the result, and what was said meanwhile', async () => {
    const { folder, settings } = inFolder(name);
    const { result, dump, log, commandLines } = await runAgent(runner, folder, settings);
    expect(result).toMatchObject({ state: 'completed', text: 'It is done.', exitCode: 0, signal: null });
    expect(dump).toMatchObject({ stdin: 'Fix it.', cwd: folder });
    expect(commandLines).toEqual([[settings.program, ...(dump?.argv ?? [])]]);
    expect(log.length).toBeGreaterThan(0);
  });

  test('of 25 planted secrets a run sees none, and it inherits no descriptor', async () => {
    const { folder, settings } = inFolder(name, { env: ['MY_OWN', 'GITHUB_TOKEN'] });
    expect(Object.keys(SECRETS)).toHaveLength(25);
    const open = openSync(import.meta.filename, 'r');
    installDumper(folder);
    await runAgent(runner, folder, { ...settings, program: './dumper' });
    const { dump } = await runAgent(runner, folder, settings, {
      env: { PATH: process.env.PATH, HOME: folder, MY_OWN: 'mine', ...SECRETS },
      secretNames: new Set(['GITHUB_TOKEN']),
    });
    closeSync(open);
    const seen = Object.entries(SECRETS).filter(([secret, value]) => {
      return secret in (dump?.env ?? {}) || JSON.stringify(dump).includes(value);
    });
    expect(seen).toEqual([]);
    expect(dump?.env).toMatchObject({ MY_OWN: 'mine', HOME: folder, HOOKCTL_TASK_ID: TASK.id });
    if (process.platform !== 'linux') return;
    const listed = readFileSync(join(folder, 'descriptors'), 'utf8').matchAll(/(\d+) -> (.*)/g);
    const others = [...listed].filter(([, fd]) => Number(fd) > 2).map(([, , target]) => target);
    // `ls` itself reads one; what this process was started with leads to nothing.
    expect(others.filter((target) => target !== '/dev/null')).toEqual([
      expect.stringMatching(/^\/proc\/\d+\/fd$/),
    ]);
  });

  test(`none of ${OPTIONS.length} option-like and ${COMMANDS.length} command-like values is taken for one, in any slot`, async () => {
    expect(OPTIONS.length).toBeGreaterThanOrEqual(40);
    expect(COMMANDS.length).toBeGreaterThanOrEqual(40);
    const { folder, settings } = inFolder(name);
    installDumper(folder);
    const usual = await argvFor(runner, folder, settings, 'plain');
    const shape = (argv: readonly string[]) =>
      argv.filter((arg) => arg.startsWith('-')).map((arg) => arg.split('=')[0]);
    const values = [...OPTIONS, ...COMMANDS];
    // `command` alone has slots; the others are given four values at once.
    const slots = name === 'command' ? 1 : 4;
    const rounds = values.filter((_, index) => index % slots === 0).map((_, index) => index * slots);
    for (let at = 0; at < rounds.length; at += 8) {
      await Promise.all(
        rounds.slice(at, at + 8).map(async (from) => {
          const argv = await argvFor(runner, folder, settings, ...values.slice(from, from + slots));
          // Not one argument more, and none that a program could read as an option, wherever it looks.
          expect(argv).toHaveLength(usual.length);
          expect(shape(argv), values[from]).toEqual(shape(usual));
          expect(argv.some((arg) => /^[@+]/.test(arg))).toBe(false);
        }),
      );
    }
    expect(existsSync(join(folder, 'canary'))).toBe(false);
  });

  test.each([
    ['hangs', 'hang', { timeout: '1s' }, /took longer than 1 s/],
    ['ignores SIGTERM', 'stubborn', { timeout: '1s' }, /took longer than 1 s/],
    ['writes 1 GB', 'flood', { outputMb: 5 }, /printed more than 5 MB/],
    ['exits 0 with nothing', 'nothing', {}, /without a result|left no result/],
    ['is killed', 'killed', {}, /SIGKILL/],
    ['fails', 'fail', {}, /status 3: first line \| last line of it/],
  ])('one that %s ends in its limit, as failed', async (_, what, limits, why) => {
    const { folder, settings } = inFolder(name, limits);
    // Those that never end by themselves would outlast the test.
    const { result, dump } = await runAgent(runner, folder, settings, { prompt: `do: ${what}` });
    expect(result.state).toBe('failed');
    expect(result.text).toMatch(why);
    expect(isAlive(dump?.pid ?? 0)).toBe(false);
  });

  test('what a run leaves behind ends with it, also a daemon that is deaf and has left the group', async () => {
    const { folder, settings } = inFolder(name);
    const { result } = await runAgent(runner, folder, settings, { prompt: 'do: daemon' });
    expect(result).toMatchObject({ state: 'completed', text: 'A daemon was left behind.' });
    expect(isAlive(Number(readFileSync(join(folder, 'daemon'), 'utf8')))).toBe(false);
  });

  test('a program that is not there is a failure that says how to get it', async () => {
    const { folder, settings } = inFolder(name, { program: './nowhere' });
    await expect(runAgent(runner, folder, settings)).rejects.toMatchObject({ code: 'program_missing' });
  });
}

async function argvFor(runner: AgentRunner, folder: string, settings: object, ...values: readonly string[]) {
  const [title = '', url = title, externalId = title, prompt = title] = values;
  const task = { ...TASK, title, url, externalId, prompt };
  const more = { task, prompt: `Said: ${prompt}` };
  const ran = await runAgent(runner, folder, { ...settings, program: './dumper' }, more);
  // What was started is what arrived: nothing stands between, and the dumper tells.
  const [, ...started] = ran.commandLines[0] ?? [];
  expect(readArguments(folder, ran.pids[0] ?? 0)).toEqual(started);
  return started.map((arg) => arg.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'uuid'));
}
