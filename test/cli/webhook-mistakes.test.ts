import { beforeAll, describe, expect, test } from 'vitest';
import { tell, tellJson } from '../support/in-process.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { sandboxOfSuite } from '../support/suite.ts';

const suite = sandboxOfSuite();
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = suite();
  await tellJson(sandbox, 'webhook', 'add', 'github', '--name', 'triage');
  await sandbox.write('wrong.hbs', 'fine\n{{#if x}}\nno end');
});

/** The mistake, the option that holds it, and what is said: with the place where one can be pointed at. */
const inCommands: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'no operator',
    ['--when', 'issue.labels bug'],
    /--when, character 14: expected one of .*\n {2}issue\.labels bug\n {15}\^/,
  ],
  ['no field', ['--when', '=bug'], /--when, character 1: expected a field.*\n {2}=bug\n {2}\^/],
  ['no value', ['--when', 'issue.title='], /--when, character 13: expected a value/],
  ['an empty part of a path', ['--when', 'issue..title=x'], /--when, character 6: a path has an empty part/],
  ['an open quote', ['--when', 'issue.title="x'], /--when, character 13: the quotation mark is not closed/],
  ['an open group', ['--when', 'issue.title~(a'], /--when, character 13: missing closing \)/],
  ['look-around', ['--when', 'issue.title~a(?=b)'], /--when, character 14: look-around is not supported/],
  ['a prototype', ['--when', '__proto__.x=1'], /--when '__proto__\.x=1': .*leads to a prototype/],
  ['the second of two', ['--when', 'a=1', '--when', 'b'], /--when, character 2: .*\n {2}b\n {3}\^/],
  [
    'no JSON',
    ['--conditions', '{"a": }'],
    /--conditions, character 7: not valid JSON.*\n {2}\{"a": \}\n {8}\^/,
  ],
  ['JSON that ends early', ['--conditions', '{"a": 1'], /--conditions, character 8: not valid JSON/],
  ['a list', ['--conditions', '[1]'], /--conditions: expected a JSON object/],
  ['$where', ['--conditions', '{"a": {"$where": "1"}}'], /--conditions: a\.\$where: \$where is refused/],
  [
    'an operator',
    ['--conditions', '{"a": {"$regx": "1"}}'],
    /--conditions: a\.\$regx: unknown operator.*\$regex/,
  ],
  ['both forms', ['--when', 'a=1', '--conditions', '{}'], /exclude each other/],
  ['a template', ['--template', '{{nope x}}'], /--template:1/],
  ['a template file', ['--template-file', 'wrong.hbs'], /wrong\.hbs:\d/],
  ['a missing template file', ['--template-file', 'none.hbs'], /can't read .*none\.hbs/],
  ['a priority', ['--priority', 'high'], /whole number/],
  ['an option without a value', ['--option', 'emoji'], /--option emoji has no `=`/],
  ['a former name', ['--options', '{}'], /Did you mean --option name=value\?/],
];

describe('a mistake in a command: the error points at it, and nothing is written:', () => {
  test.each(inCommands)('%s', async (_, options, said) => {
    const args = ['webhook', 'command', 'add', 'triage', '--trigger', 'issues.opened'];
    const ran = await tell(sandbox, ...args, ...options);
    expect(ran.stderr).toMatch(said);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
  });

  test('none of them was added', async () => {
    expect(await tellJson(sandbox, 'webhook', 'command', 'list', 'triage')).toEqual([]);
  });
});

/** The command line behind `webhook`, its exit code, and what is said. */
const others: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['no provider', ['add', '--name', 'x'], 2, /name a provider/],
  ['no name', ['add', 'github'], 2, /has no name/],
  ['an unknown provider', ['add', 'githup'], 2, /no provider githup\n.*github/],
  ['a taken name', ['add', 'github', '--name', 'Triage'], 1, /is taken by wh-/],
  ['a name of a built-in one', ['add', 'github', '--name', 'github'], 1, /is taken by the built-in webhook/],
  [
    'two secrets',
    ['add', 'github', '--name', 'x', '--secret', 'a', '--secret-env', 'B'],
    2,
    /exclude each other/,
  ],
  [
    'the secret for its variable',
    ['add', 'github', '--name', 'x', '--secret-env', 'a b'],
    3,
    /name of an environment/,
  ],
  ['an unknown default', ['edit', 'triage', '--default-command', 'nix'], 3, /default_command: .*nix/],
  ['an unknown setting', ['edit', 'triage', '--clear', 'name'], 2, /prefix/],
  ['a built-in webhook', ['edit', 'github', '--agent', 'x'], 1, /built in[\s\S]*--from github/],
  ['an unknown webhook', ['enable', 'nothing-like-it'], 4, /no webhook nothing-like-it/],
  ['an unknown command', ['command', 'remove', 'triage', 'cmd-x'], 4, /no command cmd-x/],
  [
    'a command of both kinds',
    ['command', 'add', 'triage', '--trigger', 'x', '--text-name', 'y'],
    2,
    /either/,
  ],
  ['a command of no kind', ['command', 'add', 'triage'], 2, /either/],
  ['a reserved word', ['command', 'add', 'triage', '--text-name', 'approve'], 3, /approve is reserved/],
  [
    'an unknown action',
    ['command', 'add', 'triage', '--trigger', 'x', '--action', 'fly'],
    3,
    /action: .*fly/,
  ],
  ['an import of nothing', ['import', 'none.yml'], 2, /can't read none\.yml/],
  ['an export of a built-in one', ['export', 'github'], 2, /static[\s\S]*--from github/],
];

test.each(others)('%s is refused with what to type instead', async (_, args, code, said) => {
  const ran = await tell(sandbox, 'webhook', ...args);
  expect(ran.stderr).toMatch(said);
  expect(ran.code).toBe(code);
});

test('commands that share a trigger: the error lists their ids', async () => {
  for (const priority of ['1', '2']) {
    await tellJson(
      sandbox,
      'webhook',
      'command',
      'add',
      'triage',
      '--trigger',
      'push',
      '--priority',
      priority,
    );
  }
  const ran = await tell(sandbox, 'webhook', 'command', 'edit', 'triage', 'push', '--agent', 'x');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toMatch(/push matches 2:\n {2}cmd-\w+ {2}push\n {2}cmd-\w+ {2}push/);
});
