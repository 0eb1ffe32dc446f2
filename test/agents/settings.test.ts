import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { command } from '../../src/agents/command.ts';
import type { AgentRunner } from '../../src/agents/runner.ts';
import { tell } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { folderForTest, installAgent, runAgent, TASK } from './support.ts';

/** What is said against arguments of a program; null: nothing. */
function against(program: string, args: readonly string[], more: object = {}): string | null {
  const options = command.options.parse({ use: 'command', program, args, ...more });
  return (command as AgentRunner).check(options as never)[0]?.message ?? null;
}

describe('arguments with a value from outside', () => {
  test.each([
    ['as the value of a long option', ['run', '--title={{title}}', '--', '--url={{ url }}']],
    [
      'as ids of hookctl, anywhere',
      ['{{taskId}}', '-r{{runId}}', '{{session}}', '{{promptFile}}', '{{resultFile}}'],
    ],
    ['not at all', ['-c', 'anything', '--eval=1']],
  ])('are accepted %s', (_, args) => {
    expect(against('./agent', args)).toBeNull();
    expect(against('node', ['agent.js', ...args])).toBeNull();
  });

  const ELSEWHERE = /could be taken for an option, a file or a command/;
  test.each([
    ['alone', './agent', ['{{title}}'], ELSEWHERE],
    ['before --', './agent', ['{{title}}', '--'], ELSEWHERE],
    ['after --', './agent', ['run', '--', '{{title}}'], ELSEWHERE],
    ['after words', './agent', ['about {{title}}'], ELSEWHERE],
    ['in a short option', './agent', ['-m{{title}}'], ELSEWHERE],
    ['in the name of an option', './agent', ['--{{title}}'], ELSEWHERE],
    ['as a file of arguments', './agent', ['@{{title}}'], ELSEWHERE],
    ['in an option that runs it', './agent', ['--', '--exec={{title}}'], /would be run/],
    ['in an option that loads it', './agent', ['--pre-config={{url}}'], /would be run or read as settings/],
    ['in a shell', 'bash', ['-c', 'echo {{title}}'], ELSEWHERE],
    ['after a shell', '/bin/sh', ['-c', 'echo "$1"', '--', '{{title}}'], ELSEWHERE],
    ['after a program that starts others', 'env', ['--', '{{title}}'], ELSEWHERE],
    ['after ssh', 'ssh', ['host', '--', '{{externalId}}'], ELSEWHERE],
    ['as a program of an interpreter', 'node', ['--', '{{title}}'], ELSEWHERE],
    ['after an interpreter’s option', 'python3', ['-c', 'x', '--', '{{title}}'], ELSEWHERE],
    ['by an unknown name', './agent', ['--title={{titel}}'], /there is no \{\{titel\}\}/],
    ['in the program', './{{title}}', [], /the program is fixed/],
  ])('are refused %s', (_, program, args, why) => {
    expect(against(program, args)).toMatch(why);
  });

  test('resumeArgs: only for a program that takes a session, and checked like args', () => {
    expect(against('./agent', [], { resumeArgs: ['--resume={{session}}'] })).toMatch(
      /only a program that was given/,
    );
    expect(against('./agent', ['--id={{session}}'], { resumeArgs: ['{{title}}'] })).toMatch(ELSEWHERE);
    expect(against('./agent', ['--id={{session}}'], { resumeArgs: ['--resume={{session}}'] })).toBeNull();
  });
});

describe('a command', () => {
  const run = async (settings: object, script: string, more = {}) => {
    const folder = folderForTest();
    installAgent(folder);
    writeFileSync(join(folder, 'script'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return runAgent(command as AgentRunner, folder, { program: './script', ...settings }, more);
  };

  test('takes the prompt from a file and leaves the result in one', async () => {
    const { result } = await run(
      { prompt: 'file', args: ['{{promptFile}}', '{{resultFile}}'], result: 'file' },
      'echo noise; tr a-z A-Z < "$1" > "$2"',
    );
    expect(result).toMatchObject({ state: 'completed', text: 'FIX IT.' });
  });

  test('leaves the result, what it cost and its tokens in JSON, whole or as the last line', async () => {
    const json = '{"out":{"text":"Found."},"usd":0.5,"in":7,"n":2}';
    const settings = { result: { json: 'out.text', costUsd: 'usd', inputTokens: 'in', turns: 'n' } };
    for (const script of [`echo '${json}'`, `echo noise; echo '${json}'`]) {
      const { result } = await run(settings, script);
      expect(result).toMatchObject({
        text: 'Found.',
        usage: { costUsd: 0.5, inputTokens: 7, outputTokens: null, turns: 2 },
      });
    }
    const { result } = await run(settings, 'echo "no json"');
    expect(result).toMatchObject({
      state: 'failed',
      text: expect.stringContaining('no result in out.text of stdout'),
    });
  });

  test('does not take a link for its result', async () => {
    const { result } = await run({ result: 'file', args: ['{{resultFile}}'] }, 'ln -s /etc/passwd "$1"');
    expect(result.state).toBe('failed');
  });

  test('is given a session, and resumes it', async () => {
    const settings = { args: ['new', '{{session}}'], resumeArgs: ['again', '{{session}}'] };
    const first = await run(settings, 'echo "$@"');
    const [session] = first.sessions[0] ?? [];
    expect(first.result.text).toBe(`new ${session}`);
    const second = await run(settings, 'echo "$@"', { session });
    expect(second.result.text).toBe(`again ${session}`);
  });

  test('F10: sees the task’s ids, its command in place of a title from outside, and that on one line', async () => {
    const task = { ...TASK, title: 'a\nb\u202e "c"' };
    const { result } = await run({ args: ['--title={{title}}'] }, 'echo "$1 $HOOKCTL_TASK_ID"', { task });
    expect(result.text).toBe(`--title=task github:o/r#1 ${TASK.id}`);
    const odd = { ...TASK, command: 'a\nb\u202e "c"' };
    const other = await run({ args: ['--title={{title}}'] }, 'echo "$1"', { task: odd });
    expect(other.result.text).toBe('--title=a b⟦U+202E⟧ "c" github:o/r#1');
  });
});

describe('`hookctl check`', () => {
  const check = async (yaml: string, prepare: (project: string) => void = () => undefined) => {
    const sandbox = await sandboxForTest({ files: { 'webhooks.yml': yaml } });
    writeFileSync(join(sandbox.project, 'agent'), '#!/bin/sh\n', { mode: 0o755 });
    mkdirSync(join(sandbox.root, 'elsewhere'));
    prepare(sandbox.project);
    const { code, stderr } = await tell(sandbox, 'check');
    return { code, stderr: stderr.replaceAll(sandbox.root, '') };
  };
  const agent = (settings: string) => `agents: { brain: { use: command, program: ./agent, ${settings} } }\n`;

  test.each([
    [
      'a folder that is not there',
      agent('cwd: nowhere'),
      /brain\.cwd: there is no folder \S*\/project\/nowhere/,
    ],
    [
      'one outside of the project',
      agent('cwd: ../elsewhere'),
      /brain\.cwd: \.\.\/elsewhere leads out of the project/,
    ],
    [
      'an unsafe argument',
      agent('args: ["{{title}}"]'),
      /brain\.args\.0: a value from outside could be taken/,
    ],
    [
      'a secret of hookctl',
      agent('env: [GITHUB_WEBHOOK_SECRET]'),
      /env\.0: GITHUB_WEBHOOK_SECRET is a secret of hookctl/,
    ],
    [
      'a token of a provider',
      agent('env: [SLACK_BOT_TOKEN]'),
      /env\.0: SLACK_BOT_TOKEN is a secret of hookctl/,
    ],
    [
      'a program that is not there',
      agent('').replace('./agent', './agnet'),
      /there is no program \.\/agnet, so its tasks wait/,
    ],
    [
      'a run that may cost more than the day',
      'agents: { brain: { use: claude, program: ./agent } }\nruns: { perDay: { usd: 1 } }\n',
      /budgetUsd: a run may cost \$5, but runs\.perDay\.usd is 1: none would ever start/,
    ],
    [
      'a runner that there is not',
      'agents: { brain: { use: codecs } }\n',
      /brain\.use: expected .* use: claude or codex or /,
    ],
    ['a field that there is not', agent('modell: x'), /brain\.modell: unknown field/],
  ])('finds %s, with line and column', async (_, yaml, message) => {
    const { code, stderr } = await check(yaml);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/webhooks\.yml:1:\d+/);
    expect(code).toBe(3);
  });

  test('follows links: a folder in the project may not lead out of it', async () => {
    const link = (project: string) => symlinkSync('../elsewhere', join(project, 'inside'));
    const { code, stderr } = await check(agent('cwd: inside'), link);
    expect(stderr).toMatch(
      /inside leads out of the project, to \S*\/elsewhere\n {2}If agents are to work there/,
    );
    expect(code).toBe(3);
  });

  test('takes folders in the project, and any that is named as it is', async () => {
    expect(await check(agent('cwd: sub'), (project) => mkdirSync(join(project, 'sub')))).toMatchObject({
      code: 0,
    });
    expect(await check(agent('cwd: /'))).toMatchObject({ code: 0 });
  });
});
