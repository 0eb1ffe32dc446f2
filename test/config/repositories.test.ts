import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Repositories, resolveRepositories } from '../../src/config/project/repositories.ts';
import { tell } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';

interface Known {
  readonly root: string;
  readonly repositories: Repositories;
}

/** Lines whose folders are beside webhooks.yml; `nowhere` is missing. */
async function known(lines: Readonly<Record<string, string>>): Promise<Known> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-repositories-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const name of ['project', 'web', 'api']) mkdirSync(join(root, name));
  symlinkSync(join(root, 'api'), join(root, 'link'));
  const source = { file: join(root, 'project/webhooks.yml'), position: () => ({}) };
  return { root, repositories: await resolveRepositories(lines, source) };
}

/** The folders of a route, below the root; or why there is none. */
function routed({ root, repositories }: Known, externalId: string, named: readonly string[] = []) {
  const route = repositories.routeOf(externalId, named);
  if (route.kind === 'agent') return null;
  if (route.kind === 'missing') return route.reason;
  return route.checkouts.map(({ folder }) => folder.slice(root.length + 1));
}

const LINES = { 'acme/web': '../web', 'git.example.com/acme/api': '../link', PROJ: '../web', gone: '../no' };

test.each([
  ['github:acme/web#4', ['web']],
  ['github:Acme/Web@main', ['web']],
  ['gitlab:acme/web!4', ['web']],
  ['github:git.example.com/acme/api#4', ['api']],
  ['jira:PROJ-7', ['web']],
  ['jira:jira.example.com/PROJ-7', ['web']],
  ['slack:T1/C1/1.0', null],
  ['hookctl:task-0123456789abcdef', null],
  ['sentry:42', null],
] as const)('repositories: a task about %s runs in %j', async (externalId, folders) => {
  expect(routed(await known(LINES), externalId)).toEqual(folders);
});

test.each([
  ['github:acme/api#4', 'acme/api'],
  ['github:git.example.com/acme/other#4', 'git.example.com/acme/other'],
  ['jira:OPS-7', 'OPS'],
  ['linear:acme/ENG-7', 'ENG'],
])('repositories: of a task about %s the line %s is missing', async (externalId, name) => {
  expect(routed(await known(LINES), externalId)).toBe(
    `no line of \`repositories\` in webhooks.yml names ${name}: write \`${name}: /path/to/its/checkout\` there, then restart hookctl serve`,
  );
});

test('repositories: without any line every task runs in the folder of its agent', async () => {
  expect(routed(await known({}), 'github:acme/web#4')).toBeNull();
});

test('repositories: a line whose folder is missing is told, and its tasks do not run elsewhere', async () => {
  const lines = await known(LINES);
  expect(lines.repositories.missing.map(({ field, message }) => [field, message])).toEqual([
    ['repositories.gone', `there is no folder ${join(lines.root, 'no')}, so its tasks wait`],
  ]);
  expect(routed(lines, 'jira:GONE-1')).toBe(
    `repositories.gone: there is no folder ${join(lines.root, 'no')}: make it, then restart hookctl serve`,
  );
});

test('repositories: named ones come behind the own one, each folder once', async () => {
  const lines = await known(LINES);
  const api = 'git.example.com/acme/api';
  expect(routed(lines, 'github:acme/web#4', [api, 'PROJ', 'acme/web'])).toEqual(['web', 'api']);
  expect(routed(lines, 'jira:OPS-1', [api])).toEqual(['api']);
  expect(routed(lines, 'slack:T1/C1/1.0', [api])).toEqual(['api']);
  // What is about a repository without a line runs in no other one.
  expect(routed(lines, 'github:acme/other#4', [api])).toContain('names acme/other');
});

test.each([
  ['also in acme/web', true],
  ['`acme/web`, (acme/api)', true],
  ['see acme/web#4.', true],
  ['in acme/web.', true],
  ['https://github.com/acme/web/issues/4', true],
  ['https://github.com/acme/web.git', true],
  ['git@github.com:acme/web.git', true],
  ['ACME/Web', true],
  ['src/acme/web', false],
  ['acme/website', false],
  ['acme/web/index.ts', false],
  ['my-acme/web', false],
  ['acme/web.js', false],
  ['web', false],
])('repositories: whether %j names acme/web: %s', async (text, isNamed) => {
  const { repositories } = await known(LINES);
  expect(repositories.namedIn(text).includes('acme/web')).toBe(isNamed);
});

test('repositories: a text full of a name is read in a moment', async () => {
  const { repositories } = await known(LINES);
  const text = `${'http://a'.repeat(12)}/xacme/web`.repeat(8_000);
  const startedAt = performance.now();
  expect(repositories.namedIn(text)).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('repositories: check names each line whose folder is missing, and ends with 3', async () => {
  const sandbox = await sandboxForTest({
    files: { 'webhooks.yml': 'repositories:\n  acme/web: .\n  acme/api: ../api\n' },
  });
  const { code, stderr } = await tell(sandbox, 'check');
  expect(code).toBe(3);
  expect(stderr).toContain('webhooks.yml:3');
  expect(stderr).toContain(`repositories.acme/api: there is no folder ${join(sandbox.root, 'api')}`);
  expect(stderr).not.toContain('acme/web');
});
