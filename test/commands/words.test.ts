import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { commandLine } from '../../src/lib/shell-quote.ts';
import type { DispatchView } from '../../src/server/api/deliveries.ts';
import { tell, tellJson, tellWith } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile, sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

const NAME = "My Hook's $HOME `x`";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  await tellJson(sandbox, 'webhook', 'add', 'github', '--name', 'bugs');
});

/** The words of a printed command line, as a shell takes them. */
const words = (line: string) =>
  execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');

/** The command lines of a text: from `hookctl` to the end of the line. */
const linesIn = (text: string) =>
  [...text.matchAll(/hookctl (?:webhook|trigger|delivery) [^`\n]*/g)].map(([line]) => line);

test('printed commands: can be pasted into a shell, whatever a name contains', async () => {
  for (const word of [NAME, 'a b', '*', "it's", '日本語', '-x', 'a;b', '$(x)', '~', '!']) {
    expect(words(commandLine('hookctl', 'webhook', 'show', word)).at(-1)).toBe(word);
  }
  const own = await sandboxForTest();
  const add = await tell(own, 'webhook', 'add', 'github', '--name', 'My Custom Webhook');
  const more = [
    await tell(own, 'webhook', 'command', 'add', 'My Custom Webhook', '--trigger', 'issues.opened'),
    await tell(own, 'webhook', 'command', 'add', 'My Custom Webhook', '--text-name', 'triage'),
    await tell(own, 'webhook', 'show', 'My Custom Webhook'),
    await tell(own, 'webhook', 'disable', 'My Custom Webhook'),
    await tell(own, 'webhook', 'enable', 'My Custom Webhook'),
    await tell(own, 'webhook', 'edit', 'My Custom Webhook', '--agent', 'planning'),
    await tell(own, 'webhook', 'rotate-secret', 'My Custom Webhook'),
    await tell(own, 'webhook', 'command', 'remove', 'My Custom Webhook', 'nope'),
  ];
  const server = await serveHere(own, []);
  const printed = [add, ...more].map(({ stdout, stderr }) => stdout + stderr).join('\n') + server.stderr();
  const lines = linesIn(printed).filter((line) => line.includes('My'));
  expect(lines.length).toBeGreaterThanOrEqual(9);
  for (const line of lines) expect(words(line), line).toContain('My Custom Webhook');
});

test('printed commands: repeat --config, and work when pasted', async () => {
  const own = await sandboxForTest({
    files: { "it's mine/webhooks.yml": 'webhooks: { jira: { enabled: false } }\n' },
  });
  const config = ['--config', "it's mine/webhooks.yml"];
  const printed: string[] = [];
  for (const [args, expected] of [
    [['webhook', 'add', 'github', '--name', 'a b', ...config], 0],
    [[...config, 'webhook', 'show', 'a b'], 0],
    [[`--config=${config[1]}`, 'webhook', 'disable', 'a b'], 0],
    [[...config, 'webhook', 'command', 'add', 'a b', '--trigger', 'issues.opened'], 0],
    [[...config, 'webhook', 'edit', 'jira', '--agent', 'x'], 1],
    [[...config, 'webhook', 'command', 'edit', 'a b', 'x', '--priority', '1'], 4],
    [['task', 'create', 'Look', ...config], 0],
    [['task', 'create', 'Look', ...config], 0],
    [['task', 'list', '--limit', '1', ...config], 0],
  ] as const) {
    const { code, stdout, stderr } = await tell(own, ...args);
    expect([args, code, stderr]).toEqual([args, expected, expect.anything()]);
    printed.push(stdout, stderr);
  }
  const lines = [...printed.join('\n').matchAll(/hookctl (?:--config|[a-z]+ (?=[a-z'-]))[^`\n]*/g)].map(
    ([line]) => line,
  );
  expect(lines.length).toBeGreaterThanOrEqual(8);
  for (const line of lines) {
    const [, ...typed] = words(line);
    expect(
      typed.filter((word) => word === '--config'),
      line,
    ).toHaveLength(1);
    expect(typed, line).toContain(config[1]);
    // These read standard input, or go on for ever.
    if (typed.includes('--from') || typed.includes('trigger')) continue;
    expect([line, (await tell(own, ...typed)).code]).toEqual([line, 0]);
  }
});

test('options: a former name is refused with the present one', async () => {
  for (const [args, meant] of [
    [['task', 'fail', 'task-1', '--error', 'x'], '--reason'],
    [['task', 'fail', 'task-1', '--error-file', 'x'], '--reason-file'],
    [['webhook', 'add', 'github', '--name', 'x', '--options', '{}'], '--option name=value'],
    [['webhook', 'edit', 'bugs', '--options', '{}'], '--option name=value'],
    [['webhook', 'add', 'github', '--name', 'x', '--target-agent', 'y'], '--agent'],
    [['webhook', 'command', 'add', 'bugs', '--options', '{}'], '--option name=value'],
    [['webhook', 'command', 'edit', 'bugs', 'x', '--target-agent', 'y'], '--agent'],
  ] as const) {
    const { code, stderr } = await tell(sandbox, ...args);
    expect([code, stderr], args.join(' ')).toEqual([2, expect.stringContaining(`Did you mean ${meant}?`)]);
  }
  const { stdout } = await tell(sandbox, 'task', 'fail', '--help');
  expect(stdout).not.toContain('--error');
});

test('options: settings of an action are given one by one, with their types', async () => {
  const add = ['webhook', 'command', 'add', 'bugs', '--trigger', 'push', '--action', 'forward'];
  const { command } = await tellJson<{ command: { options: object } }>(
    sandbox,
    ...[...add, '--option', 'urls=["https://example.com/a"]', '--option', 'privateNetwork=true'],
  );
  expect(command.options).toEqual({ urls: ['https://example.com/a'], privateNetwork: true });
});

test('options: an option or template that the action does not use is refused, with those that it uses', async () => {
  const add = ['webhook', 'command', 'add', 'bugs', '--trigger', 'push', '--action'];
  for (const [action, setting, used] of [
    ['react', [], 'emoji'],
    ['label', ['--option', 'labels=["a"]'], 'labels'],
    ['forward', ['--option', 'urls=["https://example.com"]'], 'urls'],
    ['run', ['--option', 'program=true'], 'program'],
  ] as const) {
    const { code, stderr } = await tell(sandbox, ...add, action, ...setting, '--template', 'x');
    expect(code, action).toBe(3);
    expect(stderr, action).toContain(`has no effect on ${action}`);
    expect(stderr, action).toContain(used);
  }
  const { code, stderr } = await tell(sandbox, ...add, 'react', '--option', 'emojy=eyes');
  expect([code, stderr]).toEqual([3, expect.stringContaining('emoji')]);
  await tellJson(sandbox, ...add, 'react', '--option', 'emoji=eyes');
  await tellJson(sandbox, ...add, 'label', '--option', 'labels=["a"]');
  const copy = await tell(sandbox, 'webhook', 'add', '--from', 'bugs', '--name', 'copied');
  expect([copy.code, copy.stderr]).toEqual([0, expect.any(String)]);
});

test('reasons: show names of commands, not ids', async () => {
  const own = await sandboxForTest();
  await tellJson(own, 'webhook', 'add', 'github', '--name', 'named');
  await tellJson(own, 'webhook', 'command', 'add', 'named', '--text-name', 'triage');
  const server = await serveHere(own, []);
  const text = ['issue_comment.created', '--text', '@agent triage it'];
  const { delivery } = await tellJson<DispatchView>(own, 'trigger', 'named', ...text);
  expect(delivery.reason).toMatch(/^triage: /);
  const { stdout } = await tell(own, 'explain', delivery.id);
  expect(stdout).toMatch(/^triage +fires/m);
  const { stderr: served } = server;
  const shown = [
    await tell(own, 'trigger', 'named', ...text),
    await tell(own, 'explain', delivery.id, '--json'),
    await tell(own, 'delivery', 'show', delivery.id),
    await tell(own, 'delivery', 'list', '--json'),
    await tell(own, 'task', 'show', delivery.decisions.flatMap(({ task_ids }) => task_ids)[0] ?? ''),
  ].map((told) => told.stdout + told.stderr);
  expect([delivery.reason, stdout, ...shown, served()].join('\n')).not.toContain('cmd-');
});

test('lines: errors, notes and forms are no wider than 80 columns on a terminal', async () => {
  const hook = { id: 'a', 'execute-command': 'x', 'include-command-output-in-response': true };
  writeFileSync(join(sandbox.project, 'hooks.json'), JSON.stringify([hook]));
  const told = [
    await tellWith(sandbox, { isTerminal: true }, 'webhook', 'add', 'github', '--name', 'wide'),
    await tellWith(sandbox, { isTerminal: true }, 'store', 'import', join(sandbox.root, 'no such folder')),
    await tellWith(sandbox, { isTerminal: true }, 'webhook', 'convert', 'hooks.json', '--output', 'c.json'),
  ];
  expect(told.map(({ code }) => code)).toEqual([0, 1, 0]);
  const wide = told
    .flatMap(({ stdout, stderr }) => `${stdout}${stderr}`.split('\n'))
    // What is pasted stays in one piece.
    .filter((line) => line.length > 80 && !/^ *(?:Payload URL:|Next:)/.test(line));
  expect(wide).toEqual([]);
  expect(told[0]?.stdout).toMatch(/^ {2}Events: .+\n {4}\S/m);
});
