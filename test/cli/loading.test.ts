import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { spawnCli } from '../support/cli.ts';
import { type Sandbox, sandboxForFile, sandboxForTest } from '../support/sandbox.ts';

/** Tells on stderr which files were loaded. */
const LOADED = `import { registerHooks } from 'node:module';
const files = [];
registerHooks({ load(url, context, next) {
  if (url.startsWith('file:')) files.push(url);
  return next(url, context);
} });
process.on('exit', () => console.error('loaded: ' + files.join(' ')));`;

const BUILT_IN = ['github', 'gitlab', 'jira', 'sentry', 'slack'];
const MODULE = `import { defineWebhook } from 'hookctl';
export default defineWebhook({ name: 'own', provider: 'gitea', commands: [
  { name: 'go', template: 'Go {{@argument}}' },
  { trigger: 'push', conditions: { ref: { $regex: '^refs' } }, template: 'x' } ] });`;

/** The providers (not the folders that they share) and the libraries that a command loads, by the source maps of the files that Node reads. */
async function loadedBy(sandbox: Sandbox, ...args: readonly string[]) {
  const hook = ['--import', `data:text/javascript,${encodeURIComponent(LOADED)}`];
  const { stderr } = await spawnCli(sandbox, args, hook).ended;
  const files = (/^loaded: (.*)$/m.exec(stderr)?.[1] ?? '').split(' ').filter((url) => url !== '');
  expect(files.length, stderr).toBeGreaterThan(3);
  const maps = files.map((url) => `${fileURLToPath(url)}.map`).filter((path) => existsSync(path));
  const sources = maps.flatMap(
    (path) => (JSON.parse(readFileSync(path, 'utf8')) as { readonly sources: readonly string[] }).sources,
  );
  const named = (pattern: RegExp) =>
    [...new Set(sources.flatMap((source) => pattern.exec(source)?.[1] ?? []))].sort();
  return {
    providers: named(/\/src\/providers\/(?!(?:ci|kit|links|receive|scheme)\/)(\w+)\//),
    libraries: named(/\/node_modules\/(zod|handlebars|re2js|sift)\//),
  };
}

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await sandboxForFile({
    files: { 'webhooks.yml': 'webhooks: { github: { commandPrefix: "@bot" } }\n', 'body.json': '{}' },
  });
});

test.each(['trigger --list', 'webhook list', 'task list', 'status'])(
  '%s loads no provider, and nothing that validates, renders or matches',
  async (command) => {
    expect(await loadedBy(sandbox, ...command.split(' '))).toEqual({ providers: [], libraries: [] });
  },
);

test.each(['check', 'explain body.json --provider github --event push'])(
  '%s loads the providers of the webhooks that are served, and no others',
  async (command) => {
    expect(await loadedBy(sandbox, ...command.split(' '))).toEqual({
      providers: BUILT_IN,
      libraries: ['zod'],
    });
  },
);

test('check loads a provider that a webhook names, and what its command is checked by', async () => {
  const own = await sandboxForTest({ files: { 'webhooks/own.ts': MODULE, 'webhooks.yml': '' } });
  expect(await loadedBy(own, 'check')).toEqual({
    providers: ['gitea', ...BUILT_IN],
    libraries: ['handlebars', 're2js', 'sift', 'zod'],
  });
});
