import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commands, type Group, type Verb } from '../../src/cli/index.ts';
import { isolationScene, MARK, type Scene, type Things } from '../server/isolation-scene.ts';
import { type Told, tellWith } from '../support/in-process.ts';

type Line = (things: Things) => readonly string[];

/** Commands that ask a server, with what they name of an owner. */
const ASKS: Readonly<Record<string, Line>> = {
  status: () => [],
  dashboard: () => ['--no-open'],
  'tunnel status': () => [],
  'webhook add': () => ['github', '--name', 'from afar'],
  'webhook list': () => [],
  'webhook show': ({ webhookName }) => [webhookName],
  'webhook edit': ({ webhook }) => [webhook, '--agent', 'other'],
  'webhook disable': ({ webhook }) => [webhook],
  'webhook enable': ({ webhook }) => [webhook],
  'webhook rotate-secret': ({ webhook }) => [webhook],
  'webhook remove': ({ webhook }) => [webhook],
  'webhook await': ({ webhook }) => [webhook, '--for', '1s'],
  'webhook command list': ({ webhook }) => [webhook],
  'webhook command add': ({ webhook }) => [webhook, '--text-name', 'extra'],
  'webhook command edit': ({ webhook, command }) => [webhook, command, '--template', 'look'],
  'webhook command remove': ({ webhook }) => [webhook, 'extra'],
  'connect list': () => [],
  'delivery list': () => [],
  'delivery show': ({ delivery }) => [delivery],
  'delivery retry': ({ delivery }) => [delivery],
  replay: ({ delivery }) => [delivery],
  'outbox list': () => [],
  'outbox retry': ({ item }) => [item],
  'outbox drop': ({ item }) => [item],
  'task list': () => [],
  'task show': ({ task }) => [task],
  'task logs': ({ task }) => [task],
  'task create': ({ task }) => ['more', '--parent', task],
  'task start': ({ task }) => [task],
  'task complete': ({ task }) => [task, '--result', 'done'],
  'task fail': ({ task }) => [task, '--reason', 'why'],
  'task cancel': ({ task }) => [task],
  'task approve': ({ waiting }) => [waiting],
  'task answer': ({ task }) => [task, '--text', 'yes'],
  'task retry': ({ task }) => [task],
  'task link': ({ task }) => [task, 'github:acme/shop#1'],
  'task attach': ({ task }) => [task],
  'task detach': ({ task }) => [task],
  'flow list': () => [],
  'flow show': ({ flow }) => [flow],
  'flow unlink': ({ flow }) => [flow],
  'conversation list': () => [],
  'conversation show': ({ conversation }) => [conversation],
  spend: () => [],
  stats: () => [],
  'token create': () => [],
  'token list': () => [],
  'token revoke': ({ token }) => [token],
  api: ({ task }) => ['GET', `/api/tasks/${task}`],
};

/** Commands that ask a server for what is the operator's alone. */
const OPERATOR: Readonly<Record<string, readonly string[]>> = {
  recover: [],
  'webhook restore': [],
  'delivery prune': ['--before', '1d'],
  'task release': ['quick'],
  'task prune': ['--before', '1d', '--yes'],
  'schedule pause': ['nightly'],
  'schedule resume': ['nightly'],
  'schedule run': ['nightly'],
  'connect check': [],
  'connect remove': ['CONNECTION'],
  connect: ['github', 'acme/shop'],
  sync: [],
  'audit list': [],
  'webhook import': ['hooks.json'],
};

/** Commands that look into the data folder, and say so. */
const FOLDER: Readonly<Record<string, readonly string[]>> = {
  check: [],
  doctor: [],
  serve: [],
  trigger: ['github'],
  'tunnel open': ['cloudflared'],
  'webhook compare': ['github'],
  'webhook try': ['github'],
  'webhook guess': ['dlv-1'],
  'webhook export': [],
  explain: ['dlv-1'],
  'workspace list': [],
  'workspace open': ['ws-1'],
  'workspace remove': ['ws-1'],
  'workspace prune': ['--yes'],
  'schedule list': [],
  'claude status': [],
  'claude install': [],
  'claude uninstall': [],
  'claude watch': [],
  mcp: [],
  backup: ['to'],
  restore: ['from', '--yes'],
  'machine list': [],
  'store status': [],
  'store copy': ['--from', 'from', '--to', 'to'],
  'store import': ['from'],
  'service install': [],
  'service status': [],
  'service logs': [],
  'service restart': [],
  'service uninstall': [],
  'bug-report': [],
  token: [],
};

/** Commands that neither ask a server nor look into a data folder. */
const ALONE = [
  'tunnel list',
  'tunnel new',
  'init',
  'trust',
  'webhook convert',
  'git-credential',
  'schema',
  'completion',
];

function leaves(entry: Verb | Group, before: readonly string[] = []): readonly string[] {
  const path = [...before, entry.name];
  if ('load' in entry) return [path.join(' ')];
  const own = entry.own === undefined ? [] : [path.join(' ')];
  return [...own, ...entry.subcommands.flatMap((each) => leaves(each, path))];
}

let scene: Scene;
let run: (...args: readonly string[]) => Promise<Told>;
let empty: string;
beforeAll(async () => {
  scene = await isolationScene();
  const { sandbox, server, ada } = scene;
  empty = join(sandbox.root, 'another-account');
  mkdirSync(empty);
  const env = {
    PATH: sandbox.env.PATH ?? '',
    HOME: empty,
    HOOKCTL_TOKEN: ada.token,
    HOOKCTL_URL: server.managementUrl,
  };
  const account = { ...sandbox, project: empty, home: empty, env };
  run = (...args) => tellWith(account, { stdin: '' }, ...args);
}, 90_000);

function requireNoLeak({ stdout, stderr }: Told, asked: readonly string[]): void {
  const seen = asked.reduce((text, each) => text.replaceAll(each, 'ASKED'), stdout + stderr);
  const leaked = scene.secrets().filter((secret) => seen.includes(secret));
  expect([leaked, leaked.length === 0 ? '' : seen]).toEqual([[], '']);
}

test('each command is in one table', () => {
  const named = [...Object.keys(ASKS), ...Object.keys(OPERATOR), ...Object.keys(FOLDER), ...ALONE];
  expect(named.sort()).toEqual([...commands.flatMap((each) => leaves(each))].sort());
});

describe('with a token of an owner from another account', () => {
  test.each(Object.entries(ASKS))('`%s` finds nothing of another owner', async (command, line) => {
    const args = line(scene.eve.things);
    if (args.every((arg) => !Object.values(scene.eve.things).includes(arg)) && command !== 'api') return;
    const before = scene.rowsOfEve();
    const told = await run(...command.split(' '), ...args);
    expect(told).toMatchObject({ code: 4 });
    requireNoLeak(told, [...args, ...Object.values(scene.eve.things)]);
    expect(scene.rowsOfEve()).toBe(before);
  });

  test.each(Object.entries(OPERATOR))('`%s` is the operator’s', async (command, args) => {
    writeFileSync(join(empty, 'hooks.json'), '{"webhooks":[]}');
    const named = args.map((arg) => (arg === 'CONNECTION' ? scene.ada.things.connection : arg));
    const told = await run(...command.split(' '), ...named);
    expect([command, told.code, told.stderr]).toEqual([
      command,
      1,
      expect.stringMatching(/operator|needs the data folder/),
    ]);
    requireNoLeak(told, args);
  });

  /** What the present state of the own thing does not let. */
  const REFUSED = [
    'webhook await',
    'tunnel status',
    'task start',
    'task fail',
    'task cancel',
    'task retry',
    'task detach',
    'task answer',
    'task attach',
    'flow unlink',
    'delivery retry',
    'outbox retry',
    'outbox drop',
  ];
  const last = ['token revoke', 'webhook command remove', 'webhook remove'];

  test.each(Object.entries(ASKS).toSorted(([a], [b]) => last.indexOf(a) - last.indexOf(b)))(
    '`%s` works on what is its own',
    async (command, line) => {
      const args = command === 'token revoke' ? [(await scene.tokenFor('tasks')).id] : line(scene.ada.things);
      const told = await run(...command.split(' '), ...args);
      if (REFUSED.includes(command)) expect([0, 1]).toContain(told.code);
      else expect([command, told.code, told.stderr]).toEqual([command, 0, told.stderr]);
      expect(told.stderr).not.toContain('data folder');
      requireNoLeak(told, []);
    },
  );

  test.each(Object.entries(FOLDER))('`%s` says that it needs the data folder', async (command, args) => {
    const before = readdirSync(empty);
    const told = await run(...command.split(' '), ...args);
    expect([command, told.code, told.stdout, told.stderr]).toEqual([
      command,
      1,
      '',
      expect.stringContaining('needs the data folder itself'),
    ]);
    expect(readdirSync(empty)).toEqual(before);
  });

  test('a list has pages and JSON; what it shows is what the server answers', async () => {
    const first = await run('delivery', 'list', '--limit', '1', '--json');
    const [{ id }] = JSON.parse(first.stdout) as [{ id: string }];
    expect(first.stderr).toContain(`--before ${id}`);
    const next = await run('delivery', 'list', '--limit', '300', '--before', id);
    expect(next.stdout).toContain(scene.ada.things.delivery);
    expect(next.stdout).not.toContain(id);
    expect((await run('delivery', 'list', '--owner', MARK)).code).toBe(4);
    const shown = JSON.parse((await run('task', 'show', scene.ada.things.task, '--json')).stdout);
    expect(shown).toMatchObject({ id: scene.ada.things.task, owner: 'ada', status: 'completed' });
    expect((await run('task', 'logs', scene.ada.things.task)).stdout).toContain('ada title');
  });

  test('a token that has ended, a server that is not there and an address that is none are told apart', async () => {
    const { sandbox, server } = scene;
    const { id, token } = await scene.tokenFor('webhooks');
    const by = (env: Record<string, string>) =>
      tellWith(
        { ...sandbox, project: empty, home: empty, env: { PATH: '', HOME: empty, ...env } },
        {},
        'task',
        'list',
      );
    const address = { HOOKCTL_TOKEN: token, HOOKCTL_URL: server.managementUrl };
    expect((await by(address)).code).toBe(0);
    await run('token', 'revoke', id);
    expect(await by(address)).toMatchObject({ code: 1, stderr: expect.stringContaining('token') });
    expect(await by({ ...address, HOOKCTL_URL: 'http://127.0.0.1:1' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not answer'),
    });
    expect(await by({ ...address, HOOKCTL_URL: 'https://example.com' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('HOOKCTL_URL'),
    });
    expect(await by({ ...address, HOOKCTL_URL: 'unix:no-socket' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no-socket'),
    });
  });
});
