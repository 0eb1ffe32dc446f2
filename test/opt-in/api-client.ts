/**
 * `npm run test:api-client`: openapi-typescript makes types of the OpenAPI document, TypeScript checks a client of openapi-fetch against
 * them, and the client runs the management examples of the description against a server. The packages are installed from npm into a
 * folder that is thrown away, or are in `HOOKCTL_CLIENT_MODULES`. Ends with `N passed, N failed, N skipped`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endServers, serve } from './served.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = ['openapi-typescript@7.13.0', 'openapi-fetch@0.17.0', 'typescript@5.9.3'];

/** What a user would write. Each line that begins with `@ts-expect-error` is wrong, and must not compile. */
const EXAMPLES = `
import createClient from 'openapi-fetch';
import type { paths } from './api.ts';

const [baseUrl = '', token = ''] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${token}\` } });

function check(what: string, isSo: boolean): void {
  console.log(\`\${isSo ? 'passed' : 'FAILED'}: \${what}\`);
}

const made = await api.POST('/api/webhooks', {
  body: { provider: 'github', name: 'My Custom Webhook', secret: 'my-secret' },
});
const id = made.data?.webhook_id ?? '';
const params = { path: { id } };
check('POST /api/webhooks makes a webhook', made.response.status === 201 && id !== '');
const again = await api.POST('/api/webhooks', { body: { provider: 'github', name: 'My Custom Webhook' } });
check('a name that is taken is refused as a problem with a code', typeof again.error?.code === 'string');
const all = await api.GET('/api/webhooks');
check('GET /api/webhooks lists it', all.data?.items.some((webhook) => webhook.webhook_id === id) === true);
const command = await api.POST('/api/webhooks/{id}/commands', {
  params,
  body: {
    trigger: 'issues.opened',
    action: 'create_task',
    target_agent: 'planning',
    template: 'New issue: {{issue.title}}',
  },
});
check('POST /api/webhooks/{id}/commands adds a command', command.response.status === 201);
const shown = await api.GET('/api/webhooks/{id}', { params });
const [first] = shown.data?.commands ?? [];
check('GET /api/webhooks/{id} shows it', first?.id !== undefined && shown.data?.name === 'My Custom Webhook');
const path = { id, command: String(first?.id) };
const changed = await api.PUT('/api/webhooks/{id}/commands/{command}', {
  params: { path },
  body: { template: 'Opened: {{issue.title}}' },
});
check('PUT /api/webhooks/{id}/commands/{command} changes it', changed.response.ok);
const off = await api.POST('/api/webhooks/{id}/disable', { params });
check('POST /api/webhooks/{id}/disable', off.data?.enabled === false);
const on = await api.POST('/api/webhooks/{id}/enable', { params });
check('POST /api/webhooks/{id}/enable', on.data?.enabled === true);
const renamed = await api.PUT('/api/webhooks/{id}', { params, body: { name: 'Renamed' } });
check('PUT /api/webhooks/{id} changes it', renamed.data?.name === 'Renamed');
const gone = await api.DELETE('/api/webhooks/{id}/commands/{command}', { params: { path } });
check('DELETE /api/webhooks/{id}/commands/{command}', gone.response.ok);
const task = await api.POST('/api/tasks', { body: { prompt: 'Find out why the login fails' } });
const ended = await api.POST('/api/tasks/{id}/complete', {
  params: { path: { id: task.data?.id ?? '' } },
  body: { result: 'The session was read too early.' },
});
check('POST /api/tasks and its completion', ended.data?.status === 'completed');
const found = await api.GET('/api/tasks', { params: { query: { status: 'completed', text: 'login' } } });
check('GET /api/tasks finds it', found.data?.items[0]?.id === task.data?.id);
const removed = await api.DELETE('/api/webhooks/{id}', { params });
check('DELETE /api/webhooks/{id}', removed.response.ok);
const none = await api.GET('/api/webhooks/{id}', { params });
check('what was removed is not found, and says what to do', none.response.status === 404 && none.error?.status === 404);

export async function wrong(): Promise<void> {
  // @ts-expect-error there is no such route
  await api.GET('/api/webhook');
  // @ts-expect-error a webhook has a provider
  await api.POST('/api/webhooks', { body: { name: 'x' } });
  // @ts-expect-error no task has this status
  await api.GET('/api/tasks', { params: { query: { status: 'done' } } });
}
`;

const root = mkdtempSync(join(tmpdir(), 'hookctl-client-'));
const counts = { passed: 0, failed: 0 };
function check(what: string, isSo: boolean, detail = ''): void {
  counts[isSo ? 'passed' : 'failed'] += 1;
  console.log(`${isSo ? 'passed' : 'FAILED'}: ${what} ${isSo ? '' : detail.slice(0, 3_000)}`.trimEnd());
}

function install(): void {
  const given = process.env.HOOKCTL_CLIENT_MODULES;
  if (given !== undefined) {
    symlinkSync(given, join(root, 'node_modules'));
    return;
  }
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefix', root];
  execFileSync('npm', ['install', ...options, ...MODULES], { cwd: root, stdio: 'ignore' });
}

function node(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

try {
  const project = join(root, 'project');
  mkdirSync(project);
  install();
  const env = { PATH: process.env.PATH ?? '', HOME: root, HOOKCTL_HOME: join(root, 'none') };
  const spec = [join(ROOT, 'bin/hookctl.js'), 'api', '--spec'];
  writeFileSync(
    join(root, 'openapi.json'),
    execFileSync(process.execPath, spec, { env, encoding: 'utf8', maxBuffer: 1e8 }),
  );
  writeFileSync(join(root, 'package.json'), '{"type":"module"}\n');
  writeFileSync(join(root, 'client.ts'), EXAMPLES);
  const made = node(['node_modules/openapi-typescript/bin/cli.js', 'openapi.json', '--output', 'api.ts']);
  check('openapi-typescript makes types of the document', made.status === 0, made.text);
  const tsc = [
    'node_modules/typescript/bin/tsc',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--types',
    'node',
  ];
  const where = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--allowImportingTsExtensions'];
  const how = ['--target', 'esnext', '--module', 'nodenext', '--moduleResolution', 'nodenext'];
  const checked = node([...tsc, ...where, ...how, 'client.ts']);
  check('TypeScript takes the client, and refuses three wrong calls', checked.status === 0, checked.text);
  const server = await serve(project);
  const ran = node(['client.ts', server.management, server.token]);
  check('the client runs to its end', ran.status === 0, ran.text);
  for (const [, how = '', what = ''] of ran.text.matchAll(/^(passed|FAILED): (.*)$/gm))
    check(what, how === 'passed', ran.text);
  await server.stop();
} catch (error) {
  check('the script', false, error instanceof Error ? error.stack : String(error));
} finally {
  await endServers();
  rmSync(root, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
