/**
 * `npm run test:senders`: Debian's prometheus-alertmanager and docker-registry post to a running hookctl. What they
 * send verifies, parses, and makes the tasks that the conditions ask for, each once, although both send again.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../scripts/dev.js', import.meta.url));
const TOKEN = 'a-token-of-this-run';
const PATIENCE_MS = 30_000;

/** Static webhooks, with conditions that leave something out. */
const WEBHOOKS = `import { defineWebhook } from 'hookctl';
export default [
  defineWebhook({
    name: 'alerts',
    provider: 'alertmanager',
    secretEnv: 'SENDERS_TOKEN',
    commands: [
      { trigger: 'alert.firing', conditions: { 'labels.severity': 'critical' }, template: 'Fix {{@event.title}}' },
      { trigger: 'alert.resolved', template: 'Report on {{labels.instance}}' },
    ],
  }),
  defineWebhook({
    name: 'images',
    provider: 'registry',
    secretEnv: 'SENDERS_TOKEN',
    commands: [{ trigger: 'push', conditions: { 'target.tag': '1.0' }, template: 'Scan {{target.repository}}:{{target.tag}}' }],
  }),
];
`;

interface DeliveryRow {
  readonly webhook: string;
  readonly status: string;
  readonly trust: string | null;
  readonly reason: string | null;
}

const programs = { alertmanager: found('prometheus-alertmanager'), registry: found('docker-registry') };
const folder = mkdtempSync(join(tmpdir(), 'hookctl-senders-'));
const env = {
  ...process.env,
  HOOKCTL_HOME: join(folder, 'data'),
  CLAUDE_CONFIG_DIR: join(folder, 'claude'),
  SENDERS_TOKEN: TOKEN,
};
const children: ChildProcess[] = [];

try {
  mkdirSync(join(folder, 'webhooks'));
  writeFileSync(join(folder, 'webhooks.yml'), '');
  writeFileSync(join(folder, 'webhooks/senders.ts'), WEBHOOKS);
  const hooks = await startHookctl();
  const alertmanager = await startAlertmanager(hooks);
  const registry = await startRegistry(hooks);

  const critical = alert({ alertname: 'HighErrorRate', severity: 'critical', instance: 'web-1' });
  const warning = alert({ alertname: 'SlowDisk', severity: 'warning', instance: 'web-2' });
  await post(`${alertmanager}/api/v2/alerts`, [critical, warning]);
  await pushImage(registry, 'team/app', '1.0');
  await pushImage(registry, 'team/app', 'nightly');
  await until('the first tasks', () => titles().length >= 2);
  // As long as it fires, Alertmanager sends the group again, which is no news.
  await until('a group that was sent again', () => deliveries().some(({ status }) => status === 'duplicate'));
  await post(`${alertmanager}/api/v2/alerts`, [{ ...critical, endsAt: new Date().toISOString() }]);
  await until('the task of the resolved alert', () => titles().length >= 3);

  assert.deepEqual(titles(), ['Fix web-1 answers with errors', 'Report on web-1', 'Scan team/app:1.0']);
  const rows = deliveries();
  const believed = rows.filter(({ status }) => status !== 'rejected');
  assert.deepEqual([...new Set(believed.map(({ trust }) => trust))], ['verified']);
  assert.deepEqual(
    believed.filter(({ status }) => !['processed', 'ignored', 'duplicate'].includes(status)),
    [],
  );
  const refused = rows.filter(({ status }) => status === 'rejected');
  assert.ok(refused.length > 0, 'the receiver with a wrong token was not refused');
  assert.deepEqual(
    [...new Set(refused.map(({ reason }) => reason))],
    ['the token is no secret of the webhook'],
  );
  const count = (webhook: string, status: string) =>
    rows.filter((row) => row.webhook === webhook && row.status === status).length;
  for (const webhook of ['alerts', 'images']) {
    const told = ['processed', 'ignored', 'duplicate', 'rejected'].map(
      (status) => `${count(webhook, status)} ${status}`,
    );
    console.log(`${webhook.padEnd(8)} ${told.join(', ')}`);
  }
  console.log(`tasks    ${titles().join(' | ')}`);
  console.log('2 passed, 0 failed, 0 skipped');
} finally {
  for (const child of children.toReversed()) await end(child);
  rmSync(folder, { recursive: true, force: true });
}

function found(program: string): string {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  const file = places.map((place) => join(place, program)).find((candidate) => existsSync(candidate));
  if (file !== undefined) return file;
  console.log(`skipped  ${program} is missing: apt install prometheus-alertmanager docker-registry`);
  console.log('0 passed, 0 failed, 2 skipped');
  process.exit(0);
}

async function startHookctl(): Promise<string> {
  const args = [CLI, 'serve', '--json', '--port', '0', '--management-port', '0'];
  const child = start(process.execPath, args, ['ignore', 'pipe', 'inherit']);
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
    const told = JSON.parse(line) as { readonly type: string; readonly ingress_url: string };
    if (told.type === 'ready') ready.resolve(told.ingress_url);
  });
  child.once('exit', (code) => ready.reject(new Error(`hookctl ended with ${code} before it was ready`)));
  return ready.promise;
}

/** Two receivers: one with the token, one with another. Groups are sent again after some seconds. */
async function startAlertmanager(hooks: string): Promise<string> {
  const receiver = (name: string, token: string) => [
    `  - name: ${name}`,
    '    webhook_configs:',
    `      - url: ${hooks}/webhooks/alerts`,
    `        http_config: { authorization: { credentials: ${token} } }`,
  ];
  const config = [
    'route:',
    '  receiver: hookctl',
    '  group_by: [instance]',
    '  group_wait: 1s',
    '  group_interval: 1s',
    '  repeat_interval: 3s',
    '  routes: [{ receiver: stranger, continue: true }, { receiver: hookctl }]',
    'receivers:',
    ...receiver('hookctl', TOKEN),
    ...receiver('stranger', 'another-token'),
  ];
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(file, `${config.join('\n')}\n`);
  const address = `127.0.0.1:${await freePort()}`;
  start(programs.alertmanager, [
    `--config.file=${file}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ]);
  await until('Alertmanager', async () => (await fetch(`http://${address}/-/ready`)).ok);
  return `http://${address}`;
}

async function startRegistry(hooks: string): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  const config = [
    'version: 0.1',
    `storage: { filesystem: { rootdirectory: ${join(folder, 'registry')} } }`,
    `http: { addr: "${address}" }`,
    'notifications:',
    '  endpoints:',
    '    - name: hookctl',
    `      url: ${hooks}/webhooks/images`,
    `      headers: { Authorization: [Bearer ${TOKEN}] }`,
    '      timeout: 5s',
    '      threshold: 3',
    '      backoff: 1s',
  ];
  const file = join(folder, 'registry.yml');
  writeFileSync(file, `${config.join('\n')}\n`);
  start(programs.registry, ['serve', file]);
  await until('the registry', async () => (await fetch(`http://${address}/v2/`)).ok);
  return `http://${address}`;
}

function alert(labels: Readonly<Record<string, string>>) {
  return { labels, annotations: { summary: `${labels.instance} answers with errors` } };
}

/** A manifest with an empty configuration, as `docker push` would send it. */
async function pushImage(registry: string, repository: string, tag: string): Promise<void> {
  const blob = Buffer.from('{}');
  const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`;
  const begun = await fetch(`${registry}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const upload = new URL(begun.headers.get('location') ?? '', registry);
  upload.searchParams.set('digest', digest);
  const stored = await fetch(upload, {
    method: 'PUT',
    body: blob,
    headers: { 'content-type': 'application/octet-stream' },
  });
  assert.equal(stored.status, 201);
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const config = { mediaType: 'application/vnd.docker.container.image.v1+json', size: blob.length, digest };
  const manifest = await fetch(`${registry}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }),
  });
  assert.equal(manifest.status, 201, await manifest.text());
}

async function post(url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.text());
}

function deliveries(): readonly DeliveryRow[] {
  return hookctl('delivery', 'list', '--limit', '100000', '--json') as readonly DeliveryRow[];
}

function titles(): readonly string[] {
  const tasks = hookctl('task', 'list', '--limit', '100000', '--json') as readonly {
    readonly title: string;
  }[];
  return tasks.map(({ title }) => title).toSorted();
}

function hookctl(...args: readonly string[]): unknown {
  return JSON.parse(execFileSync(process.execPath, [CLI, ...args], { cwd: folder, env, encoding: 'utf8' }));
}

function start(
  program: string,
  args: readonly string[],
  stdio: 'ignore' | ['ignore', 'pipe', 'inherit'] = 'ignore',
) {
  const child = spawn(program, args, { cwd: folder, env, stdio });
  children.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await delay(200)) {
    if (
      await Promise.resolve()
        .then(holds)
        .catch(() => false)
    )
      return;
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1000} s for ${what}`);
  }
}
