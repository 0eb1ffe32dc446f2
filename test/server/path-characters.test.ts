import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { comment, type Payload, signedPost } from '../support/github.ts';
import { tell } from '../support/in-process.ts';
import { ask } from '../support/management.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { type Server, serverForFile, settled } from '../support/server.ts';

/** What means another place, another file or another thing to some file system, shell or option parser. */
const NAMES = [
  '../../canary/victim',
  '../../../../../../etc/passwd',
  '/etc/passwd',
  '..',
  '.',
  './token',
  'token',
  '..\\..\\canary\\victim',
  'C:\\Windows\\win.ini',
  'CON',
  'nul.txt',
  'a/b',
  'a%2fb',
  '%2e%2e%2fcanary',
  '%00',
  'a\0b',
  'dlv-\u202e1',
  '~/canary',
  '$HOME',
  '$(touch canary-touched)',
  '`touch canary-touched`',
  '; touch canary-touched',
  '| cat',
  '-rf',
  '--help-me',
  '@file',
  'file:///etc/passwd',
  '*',
  'a'.repeat(5_000),
  ' ',
  'a\nb',
  "'; drop table tasks; --",
  '__proto__',
  'constructor',
];

/** What hookctl calls its files for Claude Code, whatever a sender wrote. */
const OWN =
  /^claude\/tasks(?:\/(?:claude-task-task-[a-z0-9]+\.json|hookctl(?:\/(?:\d+\.json|\.[\w.-]+))?))?$/;

/** Long enough for a slow disk; a file that stays fails the test all the same. */
const WRITTEN = { timeout: 10_000 };

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  mkdirSync(join(sandbox.root, 'canary'));
  writeFileSync(join(sandbox.root, 'canary/victim'), 'untouched');
  server = await serverForFile(sandbox);
});

// Before its sandbox is removed: it may still write the files of the last tasks.
afterAll(async () => void (await server.stop('SIGKILL')));

/**
 * Every file below the sandbox, by name, without the store's own and without locks, which come and go with the writing
 * of the tasks before; the canary with its content.
 */
function files(): readonly string[] {
  const all = readdirSync(sandbox.root, { recursive: true, encoding: 'utf8' });
  const own = /^data\/(?:hookctl\.db|bodies|serve\.|webhooks\.json\.lock)|\.lock\.lock$/;
  const kept = all.filter((name) => !own.test(name));
  expect(readFileSync(join(sandbox.root, 'canary/victim'), 'utf8')).toBe('untouched');
  expect(statSync(join(sandbox.root, 'canary')).isDirectory()).toBe(true);
  return kept.toSorted();
}

test('as an id or name in the API they lead nowhere: 4xx, never 500, no file', async () => {
  const before = files();
  const routes = (name: string) =>
    [
      ['GET', `/api/deliveries/${name}`],
      ['POST', `/api/deliveries/${name}/retry`],
      ['POST', `/api/deliveries/${name}/replay`],
      ['GET', `/api/tasks/${name}`],
      ['POST', `/api/tasks/${name}/complete`],
      ['GET', `/api/flows/${name}`],
      ['GET', `/api/conversations/${name}`],
      ['GET', `/api/conversations/${name}/messages`],
      ['POST', `/api/outbox/${name}/retry`],
      ['POST', `/api/outbox/${name}/drop`],
      ['GET', `/api/webhooks/${name}`],
      ['PUT', `/api/webhooks/${name}`],
      ['DELETE', `/api/webhooks/${name}`],
      ['POST', `/api/webhooks/${name}/disable`],
      ['DELETE', `/api/webhooks/github/commands/${name}`],
    ] as const;
  for (const name of NAMES) {
    for (const [method, path] of routes(encodeURIComponent(name))) {
      const { status } = await ask(server, method, path, { body: method === 'GET' ? undefined : {} });
      expect([name.slice(0, 30), method, path.slice(0, 40), status >= 400 && status < 500]).toEqual([
        name.slice(0, 30),
        method,
        path.slice(0, 40),
        true,
      ]);
    }
  }
  for (const name of NAMES) {
    const body = { prompt: 'x', parent_task_id: name };
    expect((await ask(server, 'POST', '/api/tasks', { body })).status).toBe(404);
    const file = { webhook: name, headers: {}, body_base64: '' };
    expect((await ask(server, 'POST', '/api/replays', { body: file })).status).toBe(404);
    const lists = `/api/deliveries?webhook=${encodeURIComponent(name)}`;
    expect((await ask(server, 'GET', lists)).text).toContain('"items":[]');
    const cursor = await ask(server, 'GET', `/api/tasks?cursor=${encodeURIComponent(name)}`);
    expect(cursor.status).toBe(200);
  }
  expect(files()).toEqual(before);
});

test('as an argument of the CLI they lead nowhere either', async () => {
  const before = files();
  const commands = (name: string): readonly (readonly string[])[] => [
    ['delivery', 'show', name],
    ['delivery', 'retry', name],
    ['task', 'show', name],
    ['task', 'approve', name],
    ['flow', 'show', name],
    ['conversation', 'show', name],
    ['outbox', 'drop', name],
    ['webhook', 'show', name],
    ['webhook', 'show', name, '--show-secret'],
    ['webhook', 'disable', name],
    ['explain', name],
  ];
  for (const name of NAMES) {
    for (const args of commands(name)) {
      const { code, stdout } = await tell(sandbox, ...args);
      expect([args.map((it) => it.slice(0, 30)), code === 4 || code === 2 || code === 1, stdout]).toEqual([
        args.map((it) => it.slice(0, 30)),
        true,
        '',
      ]);
    }
  }
  expect(files()).toEqual(before);
});

test('as names and ids that a sender gives they name no file and start nothing', async () => {
  const before = files();
  for (const name of NAMES.filter((it) => it !== 'a\0b' && it.length < 500)) {
    const payload = comment(`@agent analyze ${name}`, { title: name }) as Payload & { repository: Payload };
    Object.assign(payload.repository, { full_name: `../${name}`, name });
    const headers = /^[\x20-\x7e]+$/.test(name) ? { 'x-github-delivery': `${name}-${Math.random()}` } : {};
    const { status, id } = await signedPost(server.url, payload, { headers });
    expect([name, status]).toEqual([name, 202]);
    await settled(sandbox, id);
  }
  const made = () => files().filter((name) => !before.includes(name));
  // A settled delivery's last files may still be under their temporary names, until they are renamed.
  await vi.waitFor(() => expect(made().filter((name) => !OWN.test(name))).toEqual([]), WRITTEN);
  expect(made().length).toBeGreaterThan(NAMES.length);
});

test('as the name of a new webhook they name a webhook, and no file', async () => {
  const before = files();
  for (const name of NAMES) {
    const answer = await ask(server, 'POST', '/api/webhooks', { body: { provider: 'github', name } });
    expect([name.slice(0, 30), [201, 409, 422].includes(answer.status)]).toEqual([name.slice(0, 30), true]);
    if (answer.status !== 201) continue;
    const { endpoint, webhook_id } = JSON.parse(answer.text);
    expect(endpoint).toMatch(/^\/webhooks\/github\/wh-[a-z0-9]+$/);
    expect((await ask(server, 'DELETE', `/api/webhooks/${webhook_id}`)).status).toBe(204);
  }
  const made = () => files().filter((name) => !before.includes(name));
  const left = () => made().filter((name) => !/^data\/webhooks\.[a-z-]*\.?json$/.test(name));
  // Files of the tasks of before may come late.
  await vi.waitFor(() => expect(left().filter((name) => !OWN.test(name))).toEqual([]), WRITTEN);
});
