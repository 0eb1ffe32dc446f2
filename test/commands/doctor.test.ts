import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkDisk, checkNode } from '../../src/cli/doctor/machine.ts';
import { hookctlVersion } from '../../src/package-root.ts';
import { openStore } from '../../src/store/local/index.ts';
import { newDelivery } from '../store/records.ts';
import { tellWith } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

type State = 'ok' | 'warning' | 'fault';
interface Finding {
  readonly check: string;
  readonly state: State;
  readonly text: string;
  readonly fix: string | null;
}

/** What a case does to a healthy installation. */
interface Scene {
  readonly sandbox: Sandbox;
  readonly bin: string;
  /** Variables of the command that looks. */
  readonly env: Record<string, string>;
  readonly args: string[];
  yaml(text: string): void;
  program(name: string, output: string): void;
}

const PORTS = 'ingress: { port: 0 }\nmanagement: { port: 0 }\n';

/** An installation without a fault: only programs of its own are on its PATH. */
async function healthy(): Promise<Scene> {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': PORTS } });
  const bin = join(sandbox.root, 'bin');
  mkdirSync(bin);
  mkdirSync(sandbox.dataFolder, { mode: 0o700 });
  const program = (name: string, output: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${output}\n`, { mode: 0o755 });
  };
  program('claude', 'echo "2.1.100 (Claude Code)"');
  return {
    ...{ sandbox, bin, program },
    env: { PATH: bin },
    args: ['--offline'],
    yaml: (text) => writeFileSync(join(sandbox.project, 'webhooks.yml'), PORTS + text),
  };
}

async function look({ sandbox, env, args }: Scene): Promise<{ code: number; findings: readonly Finding[] }> {
  const { code, stdout, stderr } = await tellWith(sandbox, { env }, 'doctor', '--json', ...args);
  expect(stderr).toMatch(/^(?:note: .*\n)?$/);
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: readonly Finding[] };
  expect(code).toBe(ok ? 0 : 1);
  return { code, findings };
}

/** A server that ends with the test. */
async function listening(
  answer: (path: string) => { status: number; headers?: Record<string, string>; body?: string },
): Promise<{ url: string; port: number }> {
  const server = createServer((request, response) => {
    const { status, headers = {}, body = '' } = answer(request.url ?? '');
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port };
}

/** GitHub's API, as far as it says whose token it is. */
async function github(scene: Scene, headers: Record<string, string>, status = 200): Promise<void> {
  const { url } = await listening(() => ({
    ...{ status, body: status === 200 ? '{"login":"octocat"}' : '{"message":"Bad credentials"}' },
    headers: { 'content-type': 'application/json', ...headers },
  }));
  scene.yaml(`credentials: { github: { baseUrl: "${url}" } }\n`);
  scene.env.GITHUB_TOKEN = 'token-of-octocat';
  scene.args.length = 0;
}

const GOOD = { 'x-oauth-scopes': 'repo, admin:repo_hook' };

interface Broken {
  readonly name: string;
  readonly break: (scene: Scene) => void | Promise<void>;
  readonly finds: readonly [check: string, state: State, text: string | RegExp, fix: string | RegExp];
}

const installations: readonly Broken[] = [
  {
    name: 'others may look into the data folder',
    break: ({ sandbox }) => chmodSync(sandbox.dataFolder, 0o755),
    finds: ['folder', 'fault', 'others may look into the data folder (mode 755)', 'chmod -R go-rwx'],
  },
  {
    name: 'a file is where the data folder should be',
    async break(scene) {
      scene.env.HOOKCTL_HOME = join(scene.sandbox.root, 'file');
      writeFileSync(scene.env.HOOKCTL_HOME, '', { mode: 0o600 });
    },
    finds: ['folder', 'fault', 'is a file where the data folder should be', 'Move it away: mv'],
  },
  {
    name: 'others can write webhooks.yml',
    break: ({ sandbox }) => chmodSync(join(sandbox.project, 'webhooks.yml'), 0o666),
    finds: ['folder', 'warning', /webhooks\.yml is not used.*hookctl trust/, /^$/],
  },
  {
    name: 'the file of a secret is open',
    break({ sandbox }) {
      mkdirSync(join(sandbox.dataFolder, 'secrets'), { mode: 0o700 });
      writeFileSync(join(sandbox.dataFolder, 'secrets/jira'), 'x'.repeat(64), { mode: 0o644 });
    },
    finds: ['modes', 'warning', 'secrets/jira is readable by others', 'chmod -R go-rwx'],
  },
  {
    name: 'the ingress port is taken',
    async break(scene) {
      const { port } = await listening(() => ({ status: 204 }));
      writeFileSync(
        join(scene.sandbox.project, 'webhooks.yml'),
        `ingress: { port: ${port} }\nmanagement: { port: 0 }\n`,
      );
    },
    finds: ['ports', 'fault', /^port \d+ is taken/, '--port'],
  },
  {
    name: 'the management port is taken',
    async break(scene) {
      const { port } = await listening(() => ({ status: 204 }));
      writeFileSync(
        join(scene.sandbox.project, 'webhooks.yml'),
        `ingress: { port: 0 }\nmanagement: { port: ${port} }\n`,
      );
    },
    finds: ['ports', 'fault', /^port \d+ is taken/, '--management-port'],
  },
  {
    name: 'both sockets have one port',
    break: ({ sandbox }) =>
      writeFileSync(
        join(sandbox.project, 'webhooks.yml'),
        'ingress: { port: 8123 }\nmanagement: { port: 8123 }\n',
      ),
    finds: ['ports', 'fault', "can't both have port 8123", '--management-port 8124'],
  },
  {
    name: 'a field of webhooks.yml is misspelled',
    break: (scene) => scene.yaml('ingres: { port: 1 }\n'),
    finds: ['configuration', 'fault', /webhooks\.yml:3:1 ingres/, 'ingress'],
  },
  {
    name: 'the db of webhooks is broken',
    break: ({ sandbox }) =>
      writeFileSync(join(sandbox.dataFolder, 'webhooks.json'), '{"version": 1,', { mode: 0o600 }),
    finds: ['configuration', 'fault', 'webhooks.json', /./],
  },
  {
    name: 'a trigger names an event that its sender does not send',
    break: (scene) =>
      scene.yaml(
        'webhooks: { github: { defaultCommand: fix, commands: [{ name: fix, template: x }, { trigger: issues.opend, template: x }] } }\n',
      ),
    finds: ['configuration', 'warning', 'did you mean issues.opened?', /^$/],
  },
  {
    name: 'the variable of a secret is not set',
    break: (scene) => scene.yaml('webhooks: { jira: { secretEnv: MY_JIRA_SECRET } }\n'),
    finds: ['secrets', 'fault', 'webhook jira: MY_JIRA_SECRET is not set', 'Set MY_JIRA_SECRET before'],
  },
  {
    name: 'a secret ends with a blank',
    break(scene) {
      scene.env.GITHUB_WEBHOOK_SECRET = 'copied with a blank ';
    },
    finds: ['configuration', 'fault', 'webhook github: the secret begins or ends with a blank', 'Compare it'],
  },
  {
    name: 'a token file is open',
    break(scene) {
      writeFileSync(join(scene.sandbox.project, 'token'), 't', { mode: 0o644 });
      scene.yaml('credentials: { github: { tokenFile: token } }\n');
    },
    finds: ['configuration', 'fault', 'others may read', 'chmod 600'],
  },
  {
    name: 'a token is refused',
    break: (scene) => github(scene, {}, 401),
    finds: ['credentials', 'fault', /GitHub: GET \/user at 127.*401/, 'Make a new token'],
  },
  {
    name: 'a token lacks a scope',
    break: (scene) => github(scene, { 'x-oauth-scopes': 'repo:status, gist' }),
    finds: [
      'credentials',
      'warning',
      'its scopes: repo:status, gist; not enough for replies (needs repo or public_repo)',
      'Add what is missing',
    ],
  },
  {
    name: 'the API of a sender is away',
    break(scene) {
      scene.yaml('credentials: { gitea: { baseUrl: "http://127.0.0.1:9" } }\n');
      scene.env.GITEA_TOKEN = 'token-of-gitea';
      scene.args.length = 0;
    },
    finds: ['credentials', 'fault', 'GET /api/v1/user at 127.0.0.1:9', 'credentials.gitea.baseUrl'],
  },
  {
    name: 'a token that webhooks.yml asks for is not set',
    break: (scene) => scene.yaml('credentials: { sentry: { tokenEnv: MY_SENTRY } }\n'),
    finds: ['credentials', 'fault', 'sentry: no MY_SENTRY', 'Set the variable'],
  },
  {
    name: 'the clock is an hour ahead',
    break: (scene) => github(scene, { ...GOOD, date: new Date(Date.now() - 3_600_000).toUTCString() }),
    finds: ['clock', 'fault', /the clock is 3(?:599|600|601) s ahead of GitHub/, 'timedatectl'],
  },
  {
    name: 'the program of a tunnel is missing',
    break: (scene) => scene.yaml('tunnel: cloudflared\n'),
    finds: ['tunnel', 'fault', 'cloudflared is not installed', 'brew install cloudflared'],
  },
  {
    name: 'the token of a tunnel is not set',
    break(scene) {
      scene.program('cloudflared', 'exit 0');
      scene.yaml('tunnel: { use: cloudflared, tokenEnv: CF_TOKEN, url: "https://hooks.example.com" }\n');
    },
    finds: ['tunnel', 'fault', 'CF_TOKEN is not set', 'CF_TOKEN'],
  },
  {
    name: 'the public URL is dead',
    break(scene) {
      scene.yaml('publicUrl: http://127.0.0.1:9\n');
      scene.args.length = 0;
    },
    finds: ['url', 'fault', "http://127.0.0.1:9 can't be reached: ECONNREFUSED", 'Compare publicUrl'],
  },
  {
    name: 'the public URL leads to another program',
    async break(scene) {
      const { url } = await listening(() => ({ status: 404 }));
      scene.yaml(`publicUrl: ${url}\n`);
      scene.args.length = 0;
      await serveHere(scene.sandbox);
    },
    finds: ['url', 'fault', /does not lead to this server: it answered 404/, 'Compare publicUrl'],
  },
  {
    name: 'Claude Code is not installed',
    break: ({ bin }) => chmodSync(join(bin, 'claude'), 0o644),
    finds: ['claude code', 'warning', 'not found', 'Install it'],
  },
  {
    name: 'Claude Code is too old',
    break: (scene) => scene.program('claude', 'echo "2.1.9 (Claude Code)"'),
    finds: ['claude code', 'fault', '2.1.9: it is older than 2.1.16', 'claude update'],
  },
  {
    name: 'newer Claude Code shows no task list here',
    break: (scene) => scene.program('claude', 'echo "2.1.330 (Claude Code)"'),
    finds: ['claude code', 'warning', 'those of this project do not', 'hookctl claude install'],
  },
  {
    name: 'the task list is a symbolic link',
    break: ({ sandbox }) => symlinkSync('/tmp', join(sandbox.claudeFolder, 'tasks')),
    finds: [
      'claude code',
      'fault',
      'is a symbolic link, which hookctl does not follow',
      'hookctl claude status',
    ],
  },
  {
    name: 'the program of an agent is missing',
    break: (scene) => scene.yaml('agents: { brain: { use: codex, cwd: . } }\n'),
    finds: ['configuration', 'fault', /agents\.brain.*codex/, /./],
  },
  {
    name: 'an agent is not logged in',
    break: (scene) => scene.yaml('agents: { brain: { use: claude, cwd: ., timeout: 5m } }\n'),
    finds: ['agents', 'warning', 'agent brain: no login is found', /^$/],
  },
  {
    name: 'a sender’s requests are refused',
    async break({ sandbox }) {
      const { url } = await serveHere(sandbox);
      const headers = { 'x-github-event': 'ping', 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
      const { status } = await fetch(`${url}/webhooks/github`, { method: 'POST', headers, body: '{}' });
      expect(status).toBe(401);
    },
    finds: ['problems', 'warning', 'github: 1 request was refused in the last 24 h', /^$/],
  },
  {
    name: 'the management token is gone while a server runs',
    async break({ sandbox }) {
      await serveHere(sandbox);
      execFileSync('rm', [join(sandbox.dataFolder, 'token')]);
    },
    finds: ['server', 'fault', 'there is no management token', 'Restart `hookctl serve`.'],
  },
  {
    name: 'the service failed',
    async break(scene) {
      const { name } = await unitOf(scene, process.execPath);
      const said =
        'ActiveState=failed\\nSubState=failed\\nExecMainStatus=3\\nExecMainExitTimestampMonotonic=1\\n';
      scene.program('systemctl', `printf '${said}'`);
      expect(name).toMatch(/^hookctl-/);
    },
    finds: ['service', 'fault', 'is failed (failed), and ended with status 3', 'hookctl service logs'],
  },
  {
    name: 'the service runs, but is not enabled',
    async break(scene) {
      await unitOf(scene, process.execPath);
      scene.program(
        'systemctl',
        "printf 'ActiveState=active\\nSubState=running\\nUnitFileState=disabled\\n'",
      );
    },
    finds: ['service', 'warning', 'does not start by itself', 'hookctl service install'],
  },
  {
    name: 'the unit of the service is cut off',
    async break(scene) {
      const { file } = await unitOf(scene, process.execPath);
      writeFileSync(file, '[Unit]\nDescription=hookctl\n');
      scene.program('systemctl', "printf 'ActiveState=inactive\\nSubState=dead\\n'");
    },
    finds: ['service', 'fault', 'starts no Node with hookctl', 'hookctl service install'],
  },
  {
    name: 'the store is damaged',
    break: ({ sandbox }) =>
      writeFileSync(join(sandbox.dataFolder, 'hookctl.db'), 'no database '.repeat(100), { mode: 0o600 }),
    finds: ['store', 'fault', 'is damaged', 'hookctl restore'],
  },
  {
    name: 'a token expires soon',
    break: (scene) =>
      github(scene, {
        ...GOOD,
        'github-authentication-token-expiration': `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)} 08:00:00 UTC`,
      }),
    finds: ['credentials', 'warning', /the token of octocat is good.*it expires on \d{4}-/, 'Make a new one'],
  },
  {
    name: 'a field of an agent is misspelled',
    break: (scene) => scene.yaml('agents: { brain: { use: claude, cwd: ., folder: x } }\n'),
    finds: [
      'configuration',
      'fault',
      'agents.brain.folder: unknown field',
      /^Known here: use, (?:(?!use|resumeArgs).)*$/,
    ],
  },
  {
    name: 'the Node of the service is gone',
    async break(scene) {
      await unitOf(scene, '/opt/node-20/bin/node');
      scene.program('systemctl', "printf 'ActiveState=active\\nSubState=running\\n'");
    },
    finds: [
      'service',
      'fault',
      'runs /opt/node-20/bin/node, which is not there any more',
      'hookctl service install',
    ],
  },
  {
    name: 'npm is missing',
    break(scene) {
      scene.args.length = 0;
    },
    finds: ['newest version', 'warning', 'npm is not on the PATH', 'npm comes with Node'],
  },
];

/** Writes the unit of the service, as `service install` does, with another Node. */
async function unitOf({ sandbox, env }: Scene, node: string): Promise<{ name: string; file: string }> {
  const { stdout } = await tellWith(
    sandbox,
    { env },
    'service',
    'install',
    '--print',
    '--manager',
    'launchd',
  );
  const name = /<string>(hookctl-[^<]+)<\/string>/.exec(stdout)?.[1] ?? '';
  const folder = join(sandbox.home, '.config/systemd/user');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.service`);
  writeFileSync(file, `ExecStart="${node}" "serve"\n`);
  return { name, file };
}

test('doctor: finds no fault in a healthy installation, with and without a server', async () => {
  const scene = await healthy();
  const { findings } = await look(scene);
  expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
  await serveHere(scene.sandbox);
  const served = await look(scene);
  expect(served.findings.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(served.findings).toContainEqual(
    expect.objectContaining({ check: 'server', text: expect.stringMatching(/^pid \d+, hookctl/) }),
  );
});

test('doctor: is held to at least 25 broken installations', () => {
  expect(new Set(installations.map(({ name }) => name)).size).toBeGreaterThanOrEqual(25);
});

test.each(installations)('doctor: $name', async ({ break: breakIt, finds: [check, state, text, fix] }) => {
  const scene = await healthy();
  await breakIt(scene);
  const { code, findings } = await look(scene);
  const wrong = findings.filter((finding) => finding.state !== 'ok');
  const named = wrong.find((it) => it.check === check && matches(it.text, text));
  expect(named, JSON.stringify(wrong, null, 1)).toMatchObject({ state });
  expect(named?.fix ?? '').toSatisfy((said: string) => matches(said, fix));
  // Each is said once, whichever checks come upon it.
  const texts = wrong.map((finding) => finding.text);
  expect(texts).toEqual([...new Set(texts)]);
  if (state === 'fault') expect(code).toBe(1);
});

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
}

test('doctor: names an old Node and a full disk', () => {
  expect(checkNode('20.19.0')).toMatchObject({
    state: 'fault',
    text: expect.stringContaining('Node 20.19.0 is too old'),
  });
  expect(checkNode('23.1.0').state).toBe('warning');
  expect(checkNode(process.versions.node).state).toBe('ok');
  expect(checkDisk(10_000_000, '/data')).toMatchObject({
    state: 'fault',
    text: 'only 10.0 MB are free where /data is: deliveries may be refused (503)',
  });
  expect(checkDisk(500_000_000, '/data').state).toBe('warning');
});

test('doctor: proves that the public URL leads to this server', async () => {
  const scene = await healthy();
  let target = 0;
  const proxy = createServer((request, response) => {
    const { method = 'POST', url = '/', headers } = request;
    const onward = forward({ host: '127.0.0.1', port: target, path: url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  scene.yaml(`publicUrl: http://127.0.0.1:${(proxy.address() as AddressInfo).port}\n`);
  target = (await serveHere(scene.sandbox)).port;
  scene.args.length = 0;
  const { findings } = await look(scene);
  expect(findings).toContainEqual(
    expect.objectContaining({ check: 'url', state: 'ok', text: expect.stringContaining('leads here') }),
  );
});

test('doctor: names the scopes of a good token, and compares the clock', async () => {
  const scene = await healthy();
  await github(scene, GOOD);
  const { findings } = await look(scene);
  expect(findings).toContainEqual(
    expect.objectContaining({
      ...{ check: 'credentials', state: 'ok' },
      text: 'GitHub: the token of octocat is good; its scopes: repo, admin:repo_hook',
    }),
  );
  expect(findings).toContainEqual({ check: 'clock', state: 'ok', text: 'as GitHub has it', fix: null });
});

test('doctor: asks the registry that npm is configured for', async () => {
  const scene = await healthy();
  const { url } = await listening(() => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ name: 'hookctl', 'dist-tags': { latest: '99.0.0' } },
      versions: { '99.0.0': { name: 'hookctl', version: '99.0.0', dist: {} } },
    }),
  }));
  writeFileSync(join(scene.sandbox.project, '.npmrc'), `registry=${url}/\n`);
  Object.assign(scene.env, { PATH: `${scene.bin}:${dirname(process.execPath)}:${process.env.PATH}` });
  scene.args.length = 0;
  const { findings } = await look(scene);
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'newest version',
      text: `hookctl 99.0.0 is out; this is ${hookctlVersion()}`,
    }),
  );
}, 60_000);

test('doctor: prints what to type under each fault, and counts', async () => {
  const scene = await healthy();
  scene.yaml('tunnel: cloudflared\n');
  const { code, stdout, stderr } = await tellWith(scene.sandbox, scene, 'doctor', '--offline');
  expect([code, stderr]).toEqual([1, '1 fault, 0 warnings\n']);
  expect(stdout).toMatch(/^fault {4}tunnel {10}cloudflared is not installed\n {25}Install cloudflared/m);
});

test('bug-report: holds no secret, payload or name, and is its user’s alone', async () => {
  const scene = await healthy();
  const { sandbox } = scene;
  scene.yaml('webhooks: { jira: { secretEnv: MY_JIRA_SECRET } }\n');
  scene.env.MY_JIRA_SECRET = 'jira-secret-0123456789';
  const store = await openStore({ path: join(sandbox.dataFolder, 'hookctl.db') });
  await store.accept(
    newDelivery('dlv-1', { senderName: 'grace-hopper', body: Buffer.from('{"words":"of-a-payload"}') }),
  );
  await store.close();
  const log = join(sandbox.project, 'log');
  writeFileSync(log, `{"msg":"token jira-secret-0123456789"}\n`);
  const { code, stdout, stderr } = await tellWith(
    sandbox,
    scene,
    'bug-report',
    '--offline',
    '--log',
    'log',
    '--output',
    'r.tar.gz',
  );
  expect([code, stderr]).toEqual([0, expect.stringContaining('tar -xzOf')]);
  const file = join(sandbox.project, 'r.tar.gz');
  expect(stdout).toContain(`${file}: `);
  expect(readFileSync(file).length).toBeGreaterThan(500);
  expect(existsSync(file) && execFileSync('stat', ['-c', '%a', file]).toString().trim()).toBe('600');
  const names = execFileSync('tar', ['-tzf', file]).toString().trim().split('\n');
  expect(names).toEqual(
    expect.arrayContaining([
      'README.txt',
      'doctor.json',
      'environment.json',
      'status.json',
      'webhooks.yml',
      'deliveries.json',
      'log.txt',
    ]),
  );
  const text = execFileSync('tar', ['-xzOf', file]).toString();
  expect(text).toContain('"dlv-1"');
  expect(text).toContain('MY_JIRA_SECRET');
  for (const hidden of ['jira-secret-0123456789', 'grace-hopper', 'of-a-payload'])
    expect(text).not.toContain(hidden);
  const again = await tellWith(sandbox, scene, 'bug-report', '--offline', '--output', 'r.tar.gz');
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('--output <file>')]);
});
