import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { ask } from '../support/management.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, settled, tokenOf } from '../support/server.ts';

/** Planted where hookctl is given secrets. Those that it makes itself are read from where they lie. */
const PLANTED = {
  'secret of a built-in webhook, by variable': 'canary-01-builtin-env',
  'secret of a static webhook, by variable': 'canary-02-static-env',
  'secret of a dynamic webhook, given': 'canary-03-dynamic-given',
  'secret of a dynamic webhook, by variable': 'canary-04-dynamic-env',
  'secret that was rotated out': 'canary-05-rotated-out',
  'token for replies, by variable': 'canary-06-reply-token',
  'token for replies, by file': 'canary-07-token-file',
  'token of the tunnel': 'canary-08-tunnel-token',
  'key of a model': 'canary-09-model-key',
  'Authorization of a request': 'canary-10-authorization',
  'Cookie of a request': 'canary-11-cookie',
  'plain token of a request': 'canary-12-plain-token',
  'password in a URL': 'canary-13-url-password',
} as const;
const canary = (name: keyof typeof PLANTED) => PLANTED[name];

/** Prints what it was given, as programs do that fail in the middle of something. */
const TELLTALE = '#!/bin/sh\necho "failed with $GITHUB_TOKEN $NGROK_AUTHTOKEN $ANTHROPIC_API_KEY"\nexit 1\n';

let sandbox: Sandbox;
let server: Server;
let log: string;
let secrets: Readonly<Record<string, string>>;
const printed: string[] = [];

beforeAll(async () => {
  // An API that quotes what it was sent, as some do in their error answers.
  const api = createServer((request, response) => {
    response.writeHead(422, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: `refused ${request.headers.authorization}` }));
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  apis.push(() => void api.close());
  const { port } = api.address() as AddressInfo;
  const run =
    "{ trigger: 'issue_comment.created', action: 'run', options: { program: './telltale', env: ['GITHUB_TOKEN', 'ANTHROPIC_API_KEY'] } }";
  sandbox = await sandboxForFile({
    files: {
      'webhooks.yml': [
        'static: ./hooks/*.ts',
        'webhooks: { github: { defaultCommand: say, commands: [{ name: say, action: comment, template: done }] } }',
        `credentials: { github: { baseUrl: "http://127.0.0.1:${port}" }, gitlab: { tokenFile: ./gitlab-token } }`,
        'tunnel: { use: ngrok, authtokenEnv: MY_TUNNEL, apiUrl: "http://127.0.0.1:9" }',
      ].join('\n'),
      'hooks/own.ts': [
        "import { defineWebhook } from 'hookctl';",
        "export default defineWebhook({ name: 'own', provider: 'github', secretEnv: 'OWN', commands: [",
        `  ${run},`,
        `  { trigger: 'issue_comment.created', action: 'forward', options: { urls: ['http://me:${canary('password in a URL')}@127.0.0.1:9/x'] } },`,
        '] });',
      ].join('\n'),
      telltale: TELLTALE,
      'bin/ngrok': TELLTALE,
      'gitlab-token': canary('token for replies, by file'),
    },
    env: {
      GITHUB_WEBHOOK_SECRET: canary('secret of a built-in webhook, by variable'),
      OWN: canary('secret of a static webhook, by variable'),
      DYNAMIC: canary('secret of a dynamic webhook, by variable'),
      GITHUB_TOKEN: canary('token for replies, by variable'),
      MY_TUNNEL: canary('token of the tunnel'),
      ANTHROPIC_API_KEY: canary('key of a model'),
    },
  });
  chmodSync(join(sandbox.project, 'gitlab-token'), 0o600);
  for (const program of ['telltale', 'bin/ngrok']) chmodSync(join(sandbox.project, program), 0o755);
  sandbox = {
    ...sandbox,
    env: { ...sandbox.env, PATH: `${join(sandbox.project, 'bin')}${delimiter}${sandbox.env.PATH}` },
  };
  mkdirSync(join(sandbox.root, 'logs'));
  log = join(sandbox.root, 'logs/serve.log');
  const given = ['--secret', canary('secret that was rotated out')];
  await told('webhook', 'add', 'github', '--name', 'dyn', ...given);
  await told('webhook', 'rotate-secret', 'dyn', '--secret', canary('secret of a dynamic webhook, given'));
  await told('webhook', 'add', 'github', '--name', 'env', '--secret-env', 'DYNAMIC');
  server = await serverForFile(
    sandbox,
    '--log-file',
    log,
    '--public-url',
    `https://u:${canary('password in a URL')}@example.com`,
  );
  secrets = {
    ...PLANTED,
    'management token': tokenOf(sandbox),
    'generated secret': readFileSync(join(sandbox.dataFolder, 'secrets/jira'), 'utf8'),
  };
  await scene();
});

const READS_MODULES = /^(?:webhook|check|explain)$/;
const apis: (() => void)[] = [];
afterAll(async () => {
  for (const close of apis) close();
  // Before its sandbox is removed: it goes on trying to open the tunnel.
  await server.stop('SIGKILL');
});

/** A command line whose output counts; in this process, unless it reads the project's modules. */
async function told(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await (READS_MODULES.test(args[0] ?? '') ? cli : tell)(sandbox, ...args);
  printed.push(`$ hookctl ${args.slice(0, 2).join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Everything goes wrong that can quote a secret. */
async function scene(): Promise<void> {
  const headers = {
    authorization: `Bearer ${canary('Authorization of a request')}`,
    cookie: `sid=${canary('Cookie of a request')}`,
    'proxy-authorization': `Basic ${Buffer.from(`u:${canary('Authorization of a request')}`).toString('base64')}`,
    'x-gitlab-token': canary('plain token of a request'),
  };
  const own = { secret: canary('secret of a static webhook, by variable'), path: '/webhooks/own', headers };
  const builtIn = { secret: canary('secret of a built-in webhook, by variable'), headers };
  const sent = [
    await signedPost(server.url, comment('hello'), own),
    await signedPost(server.url, comment('@agent say'), builtIn),
    await signedPost(server.url, '{"broken":', builtIn),
  ];
  await signedPost(server.url, comment('x'), { ...builtIn, secret: 'wrong' });
  await fetch(`${server.url}/webhooks/gitlab`, {
    method: 'POST',
    headers: { 'x-gitlab-token': headers['x-gitlab-token'] },
    body: '{}',
  });
  for (const { id } of sent) if (id !== '') await settled(sandbox, id);
  await eventually('what leaves to have failed', () =>
    readStore(sandbox, (reader) =>
      reader.outbox({}).some(({ reason }) => reason?.includes('refused') ?? false),
    ),
  );
  await eventually('the program to have failed', () =>
    readStore(sandbox, (reader) =>
      reader.deliveries({}).some(({ reason }) => reason?.includes('failed with') ?? false),
    ),
  );
  await eventually('the tunnel to have failed', () =>
    server.lines().some(({ of, reason }) => of === 'tunnel' && `${reason}`.includes('failed with')),
  );
  const task = await tellJson<{ id: string }>(sandbox, 'task', 'create', 'look');
  await told(
    'task',
    'fail',
    task.id,
    '--reason',
    `the run said ${canary('key of a model')} and ${tokenOf(sandbox)}`,
  );
  const done = await tellJson<{ id: string }>(sandbox, 'task', 'create', 'look again');
  await told('task', 'complete', done.id, '--result', `it used ${canary('token for replies, by variable')}`);
}

/** Secrets that stand in a text: as they are, in base64, in hex, escaped. */
function found(text: string, names: readonly string[] = Object.keys(secrets)): readonly string[] {
  return names.filter((name) => {
    const value = secrets[name] ?? '';
    const bytes = Buffer.from(value);
    const forms = [
      value,
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('hex'),
      encodeURIComponent(value),
    ];
    return value === '' || forms.some((form) => text.includes(form));
  });
}

/** Those that the server was given; what a stranger sends it is no secret of its own. */
function knownTo(): readonly string[] {
  const names = Object.keys(secrets).filter((name) => !/ of a request$|rotated out/.test(name));
  return names.map((name) => secrets[name] ?? '');
}

function filesBelow(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return names.filter((name) => statSync(name).isFile());
}

test('all of them are planted', () => {
  expect(Object.keys(secrets).length).toBeGreaterThanOrEqual(14);
  expect(found('')).toEqual([]);
  for (const value of Object.values(secrets)) expect(value.length).toBeGreaterThan(8);
  expect(found(`x ${secrets['management token']} y`)).toEqual(['management token']);
});

test('none is in what serve prints or logs', () => {
  const text = server.running.stdout() + server.running.stderr();
  expect(text).toContain('[redacted]');
  expect(found(text)).toEqual([]);
  const lines = readFileSync(log, 'utf8');
  expect(lines).toContain('[redacted]');
  expect(found(lines)).toEqual([]);
});

test('none is in an answer of the API, metrics and problems among them', async () => {
  const { tasks, deliveries } = readStore(sandbox, (reader) => ({
    tasks: reader.tasks(),
    deliveries: reader.deliveries({}),
  }));
  const paths = [
    ...[
      '/api/status',
      '/api/webhooks',
      '/api/deliveries',
      '/api/outbox',
      '/api/tasks',
      '/api/flows',
      '/api/audit',
    ],
    ...[
      '/api/conversations',
      '/metrics',
      '/readyz',
      '/healthz',
      '/api/webhooks/own',
      '/api/webhooks/own/commands',
    ],
    ...tasks.map(({ id }) => `/api/tasks/${id}`),
    ...deliveries.map(({ id }) => `/api/deliveries/${id}`),
    // What is not there is named in the answer.
    ...knownTo().map((value) => `/api/webhooks/${encodeURIComponent(value)}`),
    ...knownTo().map((value) => `/api/tasks?cursor=x&${encodeURIComponent(value)}=1`),
  ];
  for (const path of paths) {
    const { text } = await ask(server, 'GET', path);
    expect([path.slice(0, 40), found(text)]).toEqual([path.slice(0, 40), []]);
  }
  for (const value of knownTo()) {
    const answer = await ask(server, 'POST', '/api/webhooks', {
      body: { provider: value, name: 'x', [value]: 1 },
    });
    expect([answer.status, found(answer.text)]).toEqual([422, []]);
  }
});

test('none is in an answer of the ingress', async () => {
  for (const value of Object.values(secrets)) {
    // E5 keeps the path of a request to no webhook, without the secrets that the server knows.
    const path = knownTo().includes(value) ? encodeURIComponent(value) : 'none';
    const answer = await fetch(`${server.url}/webhooks/${path}`, {
      method: 'POST',
      body: value,
    });
    expect(found(await answer.text())).toEqual([]);
  }
});

test('none is in what the CLI prints, for people or as JSON, also in errors', async () => {
  for (const args of [
    ['status'],
    ['webhook', 'list'],
    ['webhook', 'show', 'own'],
    ['webhook', 'show', 'dyn'],
    ['webhook', 'export'],
    ['delivery', 'list'],
    ['outbox', 'list'],
    ['task', 'list'],
    ['audit', 'list'],
    ['tunnel', 'status'],
  ]) {
    await told(...args);
    if (args[1] !== 'export') await told(...args, '--json');
  }
  const [delivery] = readStore(sandbox, (reader) => reader.deliveries({ status: 'failed' }));
  await told('delivery', 'show', delivery?.id ?? '', '--json');
  await told('explain', delivery?.id ?? '');
  for (const task of readStore(sandbox, (reader) => reader.tasks()))
    await told('task', 'show', task.id, '--json');
  await told('check');
  // What goes wrong is said by the process itself, which takes secrets out of all that it says on stderr.
  for (const args of [['serve'], ['webhook', 'show', canary('token for replies, by variable')]]) {
    const { stdout, stderr, code } = await cli(sandbox, ...args);
    expect(code).toBeGreaterThan(0);
    printed.push(`$ hookctl ${args[0]}\n${stdout}\n${stderr}`);
  }
  expect(printed.length).toBeGreaterThan(20);
  for (const text of printed) expect([text.split('\n')[0], found(text)]).toEqual([text.split('\n')[0], []]);
});

test('none is in the store, but for the URL that is needed to send', () => {
  const rest = Object.keys(secrets).filter((name) => name !== 'password in a URL');
  for (const file of filesBelow(sandbox.dataFolder).filter((name) =>
    /hookctl\.db|bodies|serve\./.test(name),
  )) {
    expect([file, found(readFileSync(file, 'latin1'), rest)]).toEqual([file, []]);
  }
  const db = new DatabaseSync(join(sandbox.dataFolder, 'hookctl.db'), { readOnly: true });
  onTestFinished(() => db.close());
  const told = db.prepare('select reason from outbox union all select details from audit').all();
  expect(told.length).toBeGreaterThan(5);
  expect(found(JSON.stringify(told))).toEqual([]);
});

test('none is in the files for Claude Code', () => {
  const files = filesBelow(sandbox.claudeFolder);
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) expect([file, found(readFileSync(file, 'utf8'))]).toEqual([file, []]);
  expect(files.some((file) => readFileSync(file, 'utf8').includes('[redacted]'))).toBe(true);
});

test.runIf(process.platform === 'linux')('none is in the command line of the server', () => {
  const [own, ...args] = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0');
  expect(own).toBeTruthy();
  // The user typed the password of the URL there; hookctl puts nothing there itself.
  expect(found(args.filter((arg) => !arg.includes('@example.com')).join(' '))).toEqual([]);
});

test('what is asked for is shown all the same', async () => {
  const shown = async (...args: readonly string[]) => (await cli(sandbox, ...args)).stdout.trim();
  expect(await shown('token')).toBe(tokenOf(sandbox));
  expect(await shown('webhook', 'show', 'jira', '--show-secret')).toBe(secrets['generated secret']);
  const given = canary('secret of a built-in webhook, by variable');
  expect(await shown('webhook', 'show', 'github', '--show-secret')).toBe(given);
  expect(await shown('webhook', 'export', 'dyn', '--with-secrets')).toContain(
    canary('secret of a dynamic webhook, given'),
  );
  expect(await shown('webhook', 'export', 'dyn')).not.toContain('canary');
  const made = await cliJson<{ secret: string }>(sandbox, 'webhook', 'add', 'github', '--name', 'made');
  expect(made.secret).toMatch(/^[0-9a-f]{64}$/);
  const rotated = await cliJson<{ secret: string }>(sandbox, 'webhook', 'rotate-secret', 'made');
  expect(rotated.secret).toMatch(/^[0-9a-f]{64}$/);
  writeFileSync(join(sandbox.project, 'one.json'), JSON.stringify({ provider: 'github', name: 'imported' }));
  expect(await shown('webhook', 'import', 'one.json')).toMatch(/secret +[0-9a-f]{64}/);
});
