import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectJsonSchema } from '../../src/config/project/schema.ts';
import { ConfigError, formatDiagnostic } from '../../src/errors.ts';
import { folderWith, load, problemsOf } from './support.ts';

async function messages(yaml: string): Promise<readonly string[]> {
  return (await problemsOf(yaml)).map(formatDiagnostic);
}

test('an empty webhooks.yml is a project with the defaults', async () => {
  const { project, notices } = await load(folderWith({ 'webhooks.yml': '# nothing\n' }));
  expect(notices).toEqual([]);
  expect(project).toEqual({
    ingress: { host: '127.0.0.1', port: 8000, rateLimit: { perSecond: 10_000, burst: 20_000 } },
    owners: {},
    management: { port: 8001 },
    static: ['./webhooks/*.ts'],
    webhooks: {},
    credentials: {},
    loopGuard: { runs: 3, within: 600_000 },
    recover: { every: 900_000 },
    connect: { pauseWhenStopped: false },
    slack: { socketMode: false, tokenEnv: 'SLACK_APP_TOKEN', webhook: 'slack' },
    schedules: {},
    notify: [],
    prices: {},
    repositories: {},
    workspaces: { count: 50, size: 21_474_836_480 },
    claudeTasks: { enabled: true, list: expect.stringMatching(/^hookctl-config-\w+$/), record: true },
    store: { use: 'local', urlEnv: 'DATABASE_URL' },
    retention: { age: 2_592_000_000, size: 2_147_483_648 },
    agents: {},
    runs: {
      concurrency: 4,
      openChildren: 20,
      perDay: { runs: 200, usd: 50 },
      perThread: { runs: 20, usd: 20 },
      rateLimit: { tries: 8, wait: 60_000 },
      takeOverAfter: 600_000,
    },
  });
});

test('the example at the root of the repository loads without a problem or a notice', async () => {
  const example = readFileSync(join(import.meta.dirname, '../../webhooks.yml'), 'utf8');
  const { project, notices } = await load(folderWith({ 'webhooks.yml': example }));
  expect(notices).toEqual([]);
  expect(project.claudeTasks).toEqual({ enabled: true, list: 'hookctl', record: true });
});

test('an unknown field is shown at its name, with the one that was meant', async () => {
  const yaml = 'ingress:\n  prot: 80\nwebhooks:\n  github:\n    commnads: []\n';
  expect(await messages(yaml)).toEqual([
    'webhooks.yml:2:3 ingress.prot: unknown field\n  Did you mean port?',
    'webhooks.yml:5:5 webhooks.github.commnads: unknown field\n  Did you mean commands?',
  ]);
});

test.each([
  ['constructor: 1', 1, 'constructor: unknown field'],
  ['ingress: { toString: 1 }', 12, 'ingress.toString: unknown field'],
  ['__proto__: { a: 1 }', 1, '__proto__ is refused'],
  ['webhooks: { __proto__: { commandPrefix: "@x" } }', 13, '__proto__ is refused'],
  ['webhooks: { github: { commands: [{ "__proto__": x }] } }', 36, '__proto__ is refused'],
  ['agents: { __proto__: { use: command, program: a } }', 11, '__proto__ is refused'],
  ['agents: { "-x": { use: command, program: a } }', 11, 'agents.-x: expected the name of an agent'],
  ['agents: { "..": { use: command, program: a } }', 11, 'agents...: expected the name of an agent'],
  ['credentials: { __proto__: { tokenEnv: A } }', 16, '__proto__ is refused'],
])('F16: the name in %s is refused in column %i', async (yaml, column, message) => {
  const found = await messages(`${yaml}\n`);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`webhooks.yml:1:${column} ${message}`);
});

test('a field that is known nowhere near gets the list of those that are', async () => {
  const [message] = await messages('claudeTasks: { colour: red }\n');
  expect(message).toBe(
    'webhooks.yml:1:16 claudeTasks.colour: unknown field\n  Known here: enabled, list, record.',
  );
});

test('a value of the wrong kind is shown at the value', async () => {
  expect(await messages('ingress: { port: eighty }\nmanagement:\n  port: 99999\n')).toEqual([
    'webhooks.yml:1:18 ingress.port: expected number, received string',
    'webhooks.yml:3:9 management.port: expected number to be <=65535',
  ]);
});

test('a secret that was written in place of a variable’s name is not repeated', async () => {
  const [message] = await messages('webhooks:\n  github:\n    secretEnv: hunter2-!\n');
  expect(message).toBe(
    'webhooks.yml:3:16 webhooks.github.secretEnv: expected the name of an environment variable, ' +
      'not the secret itself (such as GITHUB_WEBHOOK_SECRET)',
  );
});

test('both forms of tunnel are understood, and a mistake inside the long one is found', async () => {
  const folder = folderWith({ 'webhooks.yml': 'tunnel: { use: smee, url: "https://smee.io/abc" }\n' });
  expect((await load(folder)).project.tunnel).toEqual({ use: 'smee', url: 'https://smee.io/abc' });
  expect(await messages('tunnel: { use: smee, urll: x, url: https://smee.io/abc }\n')).toEqual([
    'webhooks.yml:1:22 tunnel.urll: unknown field\n  Did you mean url?',
  ]);
  expect(await messages('tunnel: 5\n')).toEqual([
    'webhooks.yml:1:9 tunnel: expected cloudflared, ssh, ngrok or none; smee needs { use: smee, url: … }',
  ]);
});

test('addresses say what they want', async () => {
  expect(await messages('publicUrl: hooks.example.com\n')).toEqual([
    'webhooks.yml:1:12 publicUrl: expected a URL that starts with https:// or http://',
  ]);
});

test('errors of syntax and doubled keys have their line', async () => {
  const [syntax] = await problemsOf('ingress: { port: 80\nstatic: x\n');
  expect(syntax).toMatchObject({ file: 'webhooks.yml', line: 2 });
  const [doubled] = await messages('static: a\nstatic: b\n');
  expect(doubled).toMatch(/^webhooks.yml:2:1 the key static is already set on line 1/);
});

test('E24: a doubled key is named, with the line that has it already', async () => {
  expect(await messages('ingress: { port: 1 }\nwebhooks:\n  github: {}\n  jira: {}\n  github: {}\n')).toEqual(
    ['webhooks.yml:5:3 the key github is already set on line 3\n  Keep one of them.'],
  );
  expect(await messages('webhooks:\n  github: { "commandPrefix": a, commandPrefix: b }\n')).toEqual([
    'webhooks.yml:2:33 the key commandPrefix is already set on line 2\n  Keep one of them.',
  ]);
  expect(await messages('static: a.ts\n"static": b.ts\n')).toEqual([
    'webhooks.yml:2:1 the key static is already set on line 1\n  Keep one of them.',
  ]);
});

test('G12: names of the webhook architecture are named in the error', async () => {
  const command = 'webhooks:\n  github:\n    commands:\n      - name: a\n        ';
  expect((await messages(`${command}prompt_template: x\n`)).join()).toContain('Did you mean template?');
  expect((await messages(`${command}target_agent: x\n`)).join()).toContain('Did you mean targetAgent?');
  expect((await messages('webhooks:\n  github: { source: x }\n')).join()).toMatch(
    /source: unknown field\n {2}Did you mean provider\? It cannot be set here: remove it\./,
  );
  expect((await messages('webhooks:\n  github: { default_command: x }\n')).join()).toContain(
    'Did you mean defaultCommand?',
  );
  expect((await messages('webhooks:\n  github: { sync_to_claude_tasks: true }\n')).join()).toContain(
    'Did you mean syncToClaudeTasks?',
  );
});

test('E21: agent, for a webhook or a command, is named targetAgent', async () => {
  const unknown = /agent: unknown field\n {2}Did you mean targetAgent\?/;
  expect((await messages('webhooks:\n  github: { agent: x }\n')).join()).toMatch(unknown);
  expect((await messages('webhooks:\n  github: { commands: [{ name: a, agent: x }] }\n')).join()).toMatch(
    unknown,
  );
});

test('E2: a number in conditions that is not written as it is printed is a text', async () => {
  for (const [written, tag_name, holds] of [
    ['1.10', '1.10', true],
    ['1.10', '1.1', false],
    ['2', '2', true],
    ['2', 2, true],
    ['007', '007', true],
    ['1e3', '1e3', true],
    ['+1', '+1', true],
    ['0x10', '0x10', true],
    ['12345678901234567890', '12345678901234567890', true],
    ['{ $ne: 1.10 }', '1.10', false],
    ['{ $in: [1.0, 1.10] }', '1.10', true],
    ['{ $gte: 1.50 }', 2, true],
    ['{ $gt: 1e3 }', '2000', true],
    ['true', 'true', true],
  ] as const) {
    const command = `{ trigger: release.published, conditions: { release.tag_name: ${written} } }`;
    const yaml = `webhooks:\n  github: { commands: [{ name: analyze }, ${command}] }\n`;
    const { snapshot } = await load(folderWith({ 'webhooks.yml': yaml }));
    const [, found] = snapshot.byName.get('github')?.commands ?? [];
    if (found?.kind !== 'trigger') throw new Error('no trigger');
    expect([written, tag_name, found.conditions.unmet({ release: { tag_name } }) === null]).toEqual([
      written,
      tag_name,
      holds,
    ]);
  }
});

test('a file that would expand to gigabytes is refused', async () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de']) {
    lines.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`);
  }
  const [problem] = await problemsOf(`${lines.join('\n')}\n`);
  expect(problem?.message).toContain('Excessive alias count');
});

test('a merge key brings in the fields it names', async () => {
  const yaml = 'webhooks:\n  github: { <<: &own { targetAgent: brain }, commandPrefix: "@bot" }\n';
  const { snapshot } = await load(folderWith({ 'webhooks.yml': yaml }));
  expect(snapshot.byName.get('github')).toMatchObject({ commandPrefix: '@bot', targetAgent: 'brain' });
});

test('a list in place of settings, and settings for a webhook that does not exist', async () => {
  expect(await messages('- a\n')).toEqual(['webhooks.yml:1:1 expected object, received array']);
  expect(await messages('webhooks: { githb: {} }\n')).toEqual([
    'webhooks.yml:1:13 webhooks.githb: there is no built-in webhook githb\n  Did you mean github?',
  ]);
});

test('one section’s mistake does not hide those of another', async () => {
  const yaml =
    'ingress: 5\nwebhooks:\n  github: { defaultCommand: anlyze }\n  jra: {}\nstatic: [nothing/*.ts]\n';
  const problems = await problemsOf(yaml);
  expect(problems.map(({ field, line, fix }) => [field, line, fix?.replace(/ to .*/, '')])).toEqual([
    ['ingress', 1, undefined],
    ['webhooks.github.defaultCommand', 3, 'Did you mean analyze?'],
    ['webhooks.jra', 4, 'Did you mean jira?'],
    ['static', 5, 'Patterns are relative'],
  ]);
});

test('the JSON Schema for editors describes every setting', () => {
  const schema = projectJsonSchema() as { properties: Record<string, { description?: string }> };
  const undescribed = Object.entries(schema.properties).filter(([, { description }]) => !description);
  expect(undescribed).toEqual([]);
  expect(schema).toMatchObject({ additionalProperties: false, type: 'object' });
});

test('G7: an option that a provider does not have is refused, with the one that was meant', async () => {
  const yaml = (name: string, options: string) => `webhooks:\n  ${name}: { options: { ${options} } }\n`;
  const folder = (text: string) => load(folderWith({ 'webhooks.yml': text }), { allBuiltIn: true });
  const wrong = async (name: string, options: string) => {
    const error = await folder(yaml(name, options)).catch((thrown: unknown) => thrown);
    if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${error}`);
    expect(error.exitCode).toBe(3);
    return error.problems.map((problem) =>
      formatDiagnostic(problem).replace(/^.*webhooks\.yml/, 'webhooks.yml'),
    );
  };
  expect(await wrong('jira', 'agentUsr: x')).toEqual([
    'webhooks.yml:2:22 webhooks.jira.options.agentUsr: unknown setting\n  Did you mean agentUser?',
  ]);
  expect(await wrong('jira', 'agentUser: 7')).toEqual([
    'webhooks.yml:2:33 webhooks.jira.options.agentUser: expected string, received number',
  ]);
  expect(await wrong('sentry', 'baseURL: "https://sentry.example.com"')).toEqual([
    'webhooks.yml:2:24 webhooks.sentry.options.baseURL: unknown setting\n  Did you mean baseUrl?',
  ]);
  expect(await wrong('sentry', 'baseUrl: sentry')).toEqual([
    'webhooks.yml:2:33 webhooks.sentry.options.baseUrl: expected a URL',
  ]);
  for (const name of ['github', 'gitlab', 'slack']) {
    expect(await wrong(name, 'agentUser: x')).toEqual([
      expect.stringMatching(/agentUser: unknown setting: a webhook of \w+ has no options\n {2}Remove it\.$/),
    ]);
  }
  const right = await folder(yaml('jira', 'agentUser: "557058:agent"'));
  expect(right.snapshot.byName.get('jira')?.options).toEqual({ agentUser: '557058:agent' });
});
