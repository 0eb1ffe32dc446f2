import { beforeAll, expect, test } from 'vitest';
import { commands, type Group, type Verb } from '../../src/cli/index.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await sandboxForFile();
});

test('help: has groups, fits 80 columns and ends with two examples', async () => {
  for (const args of [[], ['--help'], ['help']]) {
    const { code, stdout, stderr } = await tell(sandbox, ...args);
    expect([code, stderr]).toEqual([0, '']);
    const headings = stdout.match(/^\S.*:$/gm);
    expect(headings).toEqual([
      'Options:',
      ...['Start:', 'Webhooks:', 'Deliveries:', 'Tasks:', 'Upkeep:', 'Examples:'],
    ]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(
      lines.slice(lines.indexOf('Examples:') + 1).filter((line) => line.startsWith('  hookctl ')),
    ).toHaveLength(2);
  }
});

test('help: every command fits 80 columns', async () => {
  for (const path of commands.flatMap((command) => pathsOf(command))) {
    const { code, stdout } = await tell(sandbox, ...path, '--help');
    const long = stdout.split('\n').filter((line) => line.length > 80);
    expect([code, long], path.join(' ')).toEqual([0, []]);
  }
});

function pathsOf(command: Verb | Group): readonly (readonly string[])[] {
  const below = 'load' in command ? [] : command.subcommands.flatMap(pathsOf);
  return [[command.name], ...below.map((path) => [command.name, ...path])];
}

test('errors: an unknown command, topic, subcommand or option gets a suggestion', async () => {
  const cases = [
    [['srve'], 'Did you mean serve?'],
    [['help', 'foo'], 'there is no command hookctl foo'],
    [['help', 'trigerr'], 'Did you mean trigger?'],
    [['webhook', 'help', 'ad'], 'Did you mean add?'],
    [['help', 'webhook', 'commnd'], 'Did you mean command?'],
    [['webhook', 'ad'], 'Did you mean add?'],
    [['webhook', 'lst', 'add'], 'Did you mean list?'],
    [['task', 'aprove', 'task-1'], 'Did you mean approve?'],
    [['webhook', 'command', 'ad'], 'Did you mean add?'],
    [['delivery', 'list', '--statsu', 'failed'], 'Did you mean --status?'],
    [['trigger', 'githb'], 'Did you mean github?'],
    [['trigger', 'github', '--webhook', 'githb'], 'Did you mean github?'],
    [['webhook', 'show', 'githb'], 'Did you mean github?'],
    [['trigger', 'github', 'issue.opened'], 'Did you mean issues.opened?'],
    [['trigger', '--list', 'githb'], 'Did you mean github?'],
    [['serve', '--tunnel', 'cloudflard'], 'Did you mean cloudflared?'],
    [['tunnel', 'open', 'ssh=serevo'], 'Did you mean serveo?'],
    [['api', 'PTU', '/api/status'], 'Known here: GET, POST, PUT, PATCH, DELETE'],
    [['claude', 'instal'], 'Did you mean install?'],
    [['task', 'fail', 'task-1', '--raeson', 'x'], 'Did you mean --reason?'],
    [['webhook', 'edit', 'github', '--clear', 'agnet'], 'Did you mean agent?'],
    [['audit', 'list', '--what', 'webhok'], 'Did you mean webhook?'],
  ] as const;
  for (const [args, words] of cases) {
    const { code, stdout, stderr } = await tell(sandbox, ...args);
    expect([code === 2 || code === 4, stdout], args.join(' ')).toEqual([true, '']);
    expect(stderr, args.join(' ')).toContain(words);
  }
});

test('errors: a nested command’s error names its own help', async () => {
  const cases = [
    [['webhook', 'add', '--nope'], 'See hookctl webhook add --help'],
    [['webhook', 'command', 'add', 'x', '--nope'], 'See hookctl webhook command add --help'],
    [['task', 'show'], 'See hookctl task show --help'],
    [['delivery', 'list', '--limit', 'x'], 'See hookctl delivery list --help'],
    [['webhook', 'nope'], 'See hookctl webhook --help'],
    [['serve', '--nope'], 'See hookctl serve --help'],
    [['nope'], 'See hookctl --help'],
  ] as const;
  for (const [args, words] of cases) {
    const { code, stderr } = await tell(sandbox, ...args);
    expect(code, args.join(' ')).toBe(2);
    expect(stderr, args.join(' ')).toContain(`${words}\n`);
  }
});

test('help: every way to ask prints the same help', async () => {
  for (const args of [
    ['help', 'webhook'],
    ['webhook', '--help'],
    ['webhook', 'help'],
    ['help', 'webhook', 'add'],
    ['webhook', 'help', 'command'],
    ['help', 'webhook', 'command', 'add'],
  ]) {
    expect(await tell(sandbox, ...args), args.join(' ')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        `Usage: hookctl ${args.filter((word) => /^\w/.test(word) && word !== 'help').join(' ')} [options]`,
      ),
    });
  }
});
