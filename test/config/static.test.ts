import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatDiagnostic } from '../../src/errors.ts';
import { folderWith, loadInNode, problemsOfModules } from './support.ts';

const VALID = `import { defineWebhook, type WebhookCommandDefinition } from 'hookctl';
const triage: WebhookCommandDefinition = { name: 'triage' };
export default defineWebhook({ name: 'own', provider: 'github', commands: [triage] });
`;

/** A module whose webhook has these fields beside name and provider, one per line from line 5. */
function withFields(...fields: readonly string[]): string {
  const head = [
    "import { defineWebhook } from 'hookctl';",
    'export default defineWebhook({',
    "  name: 'own',",
  ];
  return [...head, "  provider: 'github',", ...fields.map((field) => `  ${field},`), '});', ''].join('\n');
}

async function messagesOf(...modules: readonly string[]): Promise<readonly (readonly string[])[]> {
  return (await problemsOfModules(modules)).map((problems) => problems.map(formatDiagnostic));
}

test('G12: names of the webhook architecture are named in the error', async () => {
  const [source, prompt] = await problemsOfModules([
    "import { defineWebhook } from 'hookctl';\nexport default defineWebhook({ name: 'own', source: 'github' });\n",
    "import { defineWebhook } from 'hookctl';\nexport default defineWebhook({ name: 'own', provider: 'github',\n  commands: [{ name: 'a', prompt_template: 'x' }] });\n",
  ]);
  expect(source?.map(({ field, fix }) => [field, fix])).toContainEqual(['source', 'Did you mean provider?']);
  expect(prompt?.map(({ field, fix }) => [field, fix])).toEqual([
    ['commands.0.prompt_template', 'Did you mean template?'],
  ]);
});

test('modules load from any folder, whatever its package.json says, and Node warns of nothing', async () => {
  const types = ['{"type":"commonjs"}', '{"type":"module"}', '{}'];
  const folders = types.map((type) =>
    folderWith({
      'webhooks.yml': 'static: [./webhooks/*.ts, more/*.js]\n',
      'package.json': type,
      'webhooks/own.ts': VALID,
      'webhooks/types.d.ts': 'export type Nothing = never;\n',
      'webhooks/own.test.ts': 'throw new Error("a test was run");\n',
      'more/plain.js': `import { defineWebhook } from 'hookctl';
export default [
  defineWebhook({ name: 'one', provider: 'github' }),
  defineWebhook({ name: 'two', provider: 'github', endpoint: '/webhooks/second' }),
];
`,
    }),
  );
  const { loaded, stderr } = await loadInNode(...folders);
  expect(stderr).toBe('');
  for (const [index, { problems, webhooks }] of loaded.entries()) {
    expect(problems).toEqual([]);
    expect(webhooks.map(({ name, endpoint }) => [name, endpoint])).toEqual([
      ['github', '/webhooks/github'],
      ['one', '/webhooks/one'],
      ['two', '/webhooks/second'],
      ['own', '/webhooks/own'],
    ]);
    const file = join(folders[index] ?? '', 'webhooks/own.ts');
    expect(webhooks.at(-1)?.origin).toEqual({ kind: 'static', file, line: 3 });
  }
});

test('a project’s webhook takes the place of a built-in one with its name or endpoint, and is said to', async () => {
  const byName = withFields().replace("'own'", "'github'");
  const byEndpoint = withFields("endpoint: '/webhooks/github'");
  const yaml = 'webhooks: { github: { enabled: false } }\n';
  const { loaded } = await loadInNode(
    folderWith({ 'webhooks.yml': '', 'webhooks/github.ts': byName }),
    folderWith({ 'webhooks.yml': yaml, 'webhooks/mine.ts': byEndpoint }),
  );
  expect(loaded.map(({ webhooks }) => webhooks.map(({ name }) => name))).toEqual([['github'], ['own']]);
  expect(loaded.map(({ notices }) => notices)).toEqual([
    ['webhooks/github.ts replaces the built-in webhook github'],
    [
      'webhooks/mine.ts replaces the built-in webhook github',
      'webhooks.github in webhooks.yml has no effect, because that webhook is replaced',
    ],
  ]);
});

test('a module that cannot be loaded is reported with file, line and what to write', async () => {
  const messages = await messagesOf(
    "import { defineWebhook } from 'hookctl';\nexport default defineWebhook({ name: });\n",
    'const a = 1;\nenum Colour { Red }\nexport default Colour;\n',
    "import './helper.ts';\n\nexport default 1;\n",
    "import nothing from 'no-such-package';\nexport default nothing;\n",
    "import { WebhookDefinition, defineWebhook } from 'hookctl';\nexport default defineWebhook({} as WebhookDefinition);\n",
    "const token: string | undefined = undefined;\n\nif (!token) throw new Error('no token');\nexport default token;\n",
    'export const webhook = 1;\n',
    "export default { name: 'own', provider: 'github' };\n",
  );
  const fix = '\n  Write: export default defineWebhook({ name: …, provider: …, commands: [ … ] })';
  expect(messages.map(([first]) => first)).toEqual([
    expect.stringMatching(/^webhooks\/a\.ts:2 syntax error: /),
    expect.stringMatching(
      /^webhooks\/a\.ts:2 TypeScript that must be compiled: .*enum.*\n {2}Types are only stripped/,
    ),
    'webhooks/a.ts:1 cannot find the file webhooks/helper.ts\n  Write the file name whole, with its ending: ./labels.ts',
    'webhooks/a.ts:1 cannot find the package no-such-package\n  Type: npm install no-such-package',
    "webhooks/a.ts:1 hookctl has no export named WebhookDefinition\n  If WebhookDefinition is a type, write: import type { WebhookDefinition } from 'hookctl'",
    'webhooks/a.ts:3 throws while it loads: no token',
    `webhooks/a.ts has no default export${fix}`,
    `webhooks/a.ts its default export is not made by defineWebhook${fix}`,
  ]);
});

test('a mistake in a definition is reported with the line of its call, its field and what to write', async () => {
  const messages = await messagesOf(
    withFields("comandPrefix: '@bot'"),
    withFields("commands: [{ name: 'go' }, { name: 'look', template: 5 }]"),
    withFields("commands: [{ name: 'look', aliases: ['see'] },\n    { name: 'See' }]"),
    withFields("commands: [{ name: 'go' }]", "defaultCommand: 'run'"),
    withFields("commands: [{\n    name: 'go',\n    template: '{{#if x}}open',\n  }]"),
    withFields("commands: [{ name: 'stop' }]"),
    withFields("commands: [{ name: 'deep dive' }]"),
    withFields("commands: [{ name: 'go', trigger: 'issues.opened' }, { template: 'x' }]"),
    withFields("commands: [{ name: 'go', action: 'create_taks' }]"),
    withFields("commands: [{ trigger: 'push', conditions: { a: { $where: '1' } } }]"),
    withFields("endpoint: '/hooks/own'"),
    withFields().replace("'github'", "'githb'"),
    withFields().replace("'own'", "'My Hook'"),
    withFields("commands: [{ name: 'go', conditions: {} }]", 'requirePrefix: false'),
    withFields("commands: [{ name: 'go' },\n    { name: 'go' }]"),
    withFields("commands: [{ name: 5 },\n    { name: 'go', wat: 1, template: '{{' }]"),
  );
  expect(messages).toEqual([
    ['webhooks/a.ts:2 comandPrefix: unknown field\n  Did you mean commandPrefix?'],
    ['webhooks/a.ts:2 commands.1.template: expected string, received number'],
    [
      'webhooks/a.ts:2 commands.1.name: See is already used at commands.0.aliases.0' +
        '\n  Choose another word: upper and lower case do not differ.',
    ],
    ['webhooks/a.ts:2 defaultCommand: there is no text command run\n  Known here: go.'],
    [
      expect.stringMatching(
        /^webhooks\/a\.ts:2 commands\.0\.template: does not compile: .*line 1.*of the template\)$/,
      ),
    ],
    [
      'webhooks/a.ts:2 commands.0.name: stop is reserved: it answers a task that waits\n  Choose another word.',
    ],
    ['webhooks/a.ts:2 commands.0.name: “deep dive” is not one word\n  Use letters, digits, - and _ only.'],
    [
      'webhooks/a.ts:2 commands.0: has both name and trigger' +
        '\n  Make it two commands: one with a name, one with a trigger.',
      'webhooks/a.ts:2 commands.1: has neither name nor trigger' +
        '\n  Add name (a word that people write) or trigger (an event type, such as issues.opened).',
    ],
    ['webhooks/a.ts:2 commands.0.action: there is no action create_taks\n  Did you mean create_task?'],
    [expect.stringMatching(/^webhooks\/a\.ts:2 commands\.0\.conditions.*\$where/)],
    [expect.stringMatching(/^webhooks\/a\.ts:2 endpoint: expected a path that starts with \/webhooks\//)],
    ['webhooks/a.ts:2 provider: there is no provider githb\n  Did you mean github?'],
    ['webhooks/a.ts:2 name: expected a name of lower-case letters, digits, - and _'],
    [
      'webhooks/a.ts:2 commands.0.conditions: belongs to a command with a trigger' +
        '\n  Remove conditions, or give a trigger in place of the name.',
      'webhooks/a.ts:2 requirePrefix: without a prefix the default command runs, but defaultCommand is missing' +
        '\n  Add defaultCommand: go.',
    ],
    [expect.stringMatching(/^webhooks\/a\.ts:2 commands\.1\.name: go is already used at commands\.0\.name/)],
    [
      'webhooks/a.ts:2 commands.0.name: expected string, received number',
      'webhooks/a.ts:2 commands.1.wat: unknown field\n  Known here: name, aliases, trigger, conditions, ' +
        'priority, action, targetAgent, template, requiresApproval, approval, coalesce, options, variants.',
      expect.stringMatching(/^webhooks\/a\.ts:2 commands\.1\.template: does not compile/),
    ],
  ]);
});

test('all problems of all files come at once, in order of their places', async () => {
  const folder = folderWith({
    'webhooks.yml': 'ingress: { prot: 1 }\nstatic: [./webhooks/*.ts, none/*.ts, README.md]\n',
    'README.md': '',
    'webhooks/a.ts': withFields("comandPrefix: '@bot'", 'wat: 1').replace("'own'", "'first'"),
    'webhooks/b.ts': 'enum A { B }\n',
    'webhooks/c.ts': withFields("endpoint: '/webhooks/same'"),
    'webhooks/d.ts': withFields("endpoint: '/webhooks/other'"),
    'webhooks/e.ts': withFields("endpoint: '/webhooks/same'").replace("'own'", "'fifth'"),
  });
  const { loaded } = await loadInNode(folder);
  const problems = loaded[0]?.problems.map(({ file, line, field, message }) => [
    file.replace(`${folder}/`, ''),
    line,
    field,
    message.replaceAll(`${folder}/`, ''),
  ]);
  expect(problems).toEqual([
    ['webhooks.yml', 1, 'ingress.prot', 'unknown field'],
    ['webhooks.yml', 2, 'static', 'none/*.ts matches no file'],
    ['webhooks.yml', 2, 'static', 'README.md takes in README.md, which is no module'],
    ['webhooks/a.ts', 2, 'comandPrefix', 'unknown field'],
    ['webhooks/a.ts', 2, 'wat', 'unknown field'],
    ['webhooks/b.ts', 1, undefined, expect.stringContaining('enum')],
    ['webhooks/d.ts', 2, 'name', 'own is already taken by webhooks/c.ts:2'],
    ['webhooks/e.ts', 2, 'endpoint', '/webhooks/same is already taken by webhooks/c.ts:2'],
  ]);
});
