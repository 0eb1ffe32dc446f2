import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DeliveryView, TaskView } from '../../src/views.ts';
import { cli, cliJson, spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForFile, sandboxForTest } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, settled } from '../support/server.ts';

interface Settled {
  readonly delivery: DeliveryView;
  readonly tasks: readonly TaskView[];
}

let sandbox: Sandbox;
let server: Server;
/** One of each kind. */
let processed: string;
let ignored: string;
let duplicate: string;
let unparsed: string;
let rejected: string;

beforeAll(async () => {
  sandbox = await sandboxForFile();
  server = await serverForFile(sandbox);
  const ask = comment('@agent analyze \u001b]0;evil\u0007 this');
  processed = (await signedPost(server.url, ask)).id;
  await settled(sandbox, processed);
  ignored = (await signedPost(server.url, comment('@agent fix', { association: 'NONE' }))).id;
  duplicate = (await signedPost(server.url, ask)).id;
  unparsed = (await signedPost(server.url, '{')).id;
  await signedPost(server.url, ask, { secret: 'wrong' });
  rejected = readStore(sandbox, (reader) => reader.deliveries({ status: 'rejected' })[0]?.id ?? '');
  await settled(sandbox, ignored);
});

describe('delivery list', () => {
  test('newest first, as a table and as an array', async () => {
    const rows = await cliJson<DeliveryView[]>(sandbox, 'delivery', 'list');
    expect(rows.map(({ id, status }) => [id, status])).toEqual([
      [rejected, 'rejected'],
      [unparsed, 'unparsed'],
      [duplicate, 'duplicate'],
      [ignored, 'ignored'],
      [processed, 'processed'],
    ]);
    const { stdout } = await cli(sandbox, 'delivery', 'list');
    expect(stdout.split('\n')[0]).toMatch(/^ID +RECEIVED +WEBHOOK +EVENT +SENDER +STATUS +REASON$/);
    expect(stdout.trim().split('\n')).toHaveLength(6);
  });

  test('filters and pages', async () => {
    const ids = async (...flags: string[]) =>
      (await cliJson<DeliveryView[]>(sandbox, 'delivery', 'list', ...flags)).map(({ id }) => id);
    expect(await ids('--status', 'rejected')).toEqual([rejected]);
    expect(await ids('--limit', '2')).toEqual([rejected, unparsed]);
    expect(await ids('--limit', '2', '--before', unparsed)).toEqual([duplicate, ignored]);
    expect(await ids('--webhook', 'jira')).toEqual([]);
  });

  test.each(['delivery', 'task', 'flow', 'conversation', 'outbox'])(
    'the page of a %s list before what is not there is an error, not an empty page',
    async (noun) => {
      const { code, stderr } = await cli(sandbox, noun, 'list', '--before', 'nothere');
      expect([code, stderr]).toEqual([
        4,
        expect.stringContaining(`there is no nothere in ${sandbox.dataFolder}`),
      ]);
    },
  );

  test('an unknown status is a usage error that lists the known ones', async () => {
    const { code, stderr } = await cli(sandbox, 'delivery', 'list', '--status', 'done');
    expect(code).toBe(2);
    expect(stderr).toContain('pending, processed, ignored');
  });

  test('--follow prints new deliveries until a signal', async () => {
    const running = spawnCli(sandbox, ['delivery', 'list', '--follow', '--limit', '1', '--json']);
    onTestFinished(async () => {
      running.child.kill('SIGKILL');
      await running.ended;
    });
    const ids = () =>
      running
        .stdout()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id);
    await eventually('the first', () => ids().length === 1);
    const { id } = await signedPost(server.url, comment('one more'));
    await eventually('the new one', () => ids().includes(id));
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(0);
    expect(new Set(ids()).size).toBe(ids().length);
  });

  test('an empty store: prints an empty array and names the folder', async () => {
    const empty = await sandboxForTest();
    expect(await cliJson(empty, 'delivery', 'list')).toEqual([]);
    const { stdout, stderr, code } = await cli(empty, 'delivery', 'list');
    expect([stdout, code]).toEqual(['', 0]);
    expect(stderr).toContain(empty.dataFolder);
  });
});

describe('delivery show', () => {
  test('shows what was received, and what each command did', async () => {
    const { stdout } = await cli(sandbox, 'delivery', 'show', processed);
    expect(stdout).toMatch(new RegExp(`^delivery +${processed}$`, 'm'));
    for (const command of ['analyze', 'plan', 'fix', 'review']) expect(stdout).toContain(command);
    expect(stdout).toContain('the text asks for `analyze`');
    expect(stdout).toMatch(/task-[a-z0-9]+/);
  });

  test('a duplicate names the first delivery, a rejected one the cause', async () => {
    expect((await cli(sandbox, 'delivery', 'show', duplicate)).stdout).toContain(processed);
    expect((await cli(sandbox, 'delivery', 'show', rejected)).stdout).toMatch(/^reason +\S/m);
  });

  test('--body prints the body with invisible characters escaped', async () => {
    const { stdout } = await cli(sandbox, 'delivery', 'show', processed, '--body');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(stdout).not.toMatch(/[\u0007\u001b]/);
    expect(JSON.parse(stdout).comment.body).toContain('@agent analyze');
  });

  test('an unknown delivery: exits with 4 and names the folder', async () => {
    const { code, stderr } = await cli(sandbox, 'delivery', 'show', 'dlv-nothere');
    expect(code).toBe(4);
    expect(stderr).toContain(sandbox.dataFolder);
    expect(stderr).toContain('hookctl delivery list');
  });
});

describe('task list and show', () => {
  test('the task with its delivery, flow and conversation', async () => {
    const [task] = await cliJson<TaskView[]>(sandbox, 'task', 'list');
    expect(task).toMatchObject({
      delivery_id: processed,
      command: 'analyze',
      agent: 'planning',
      status: 'queued',
    });
    expect(await cliJson<TaskView>(sandbox, 'task', 'show', task?.id ?? '')).toMatchObject({ id: task?.id });
    const { stdout } = await cli(sandbox, 'task', 'show', task?.id ?? '');
    expect(stdout).toContain(task?.flow_id);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(stdout).not.toMatch(/[\u0007\u001b]/);
  });

  test('filters, and unknown tasks', async () => {
    expect(await cliJson(sandbox, 'task', 'list', '--status', 'completed')).toEqual([]);
    const { code, stderr } = await cli(sandbox, 'task', 'show', 'task-nothere');
    expect(code).toBe(4);
    expect(stderr).toContain(sandbox.dataFolder);
  });
});

describe('replay', () => {
  test('a delivery becomes a new delivery with its own task', async () => {
    const [again] = await cliJson<Settled[]>(sandbox, 'replay', processed);
    expect(again?.delivery).toMatchObject({ replay_of: processed, status: 'processed' });
    expect(again?.tasks).toHaveLength(1);
    const first = readStore(sandbox, (reader) => reader.tasks({ deliveryId: processed })[0]);
    expect(again?.tasks[0]?.id).not.toBe(first?.id);
    expect(again?.tasks[0]).toMatchObject({ flow_id: first?.flowId, conversation_id: first?.conversationId });
  });

  test('a duplicate replays the first delivery', async () => {
    const [again] = await cliJson<Settled[]>(sandbox, 'replay', duplicate);
    expect(again?.delivery.replay_of).toBe(processed);
  });

  test('takes several deliveries', async () => {
    const all = await cliJson<Settled[]>(sandbox, 'replay', processed, ignored);
    expect(all.map(({ delivery }) => delivery.status)).toEqual(['processed', 'ignored']);
  });

  test('takes an exported delivery', async () => {
    const { stdout } = await cli(sandbox, 'delivery', 'show', processed, '--json');
    await sandbox.write('exported.json', stdout);
    const [again] = await cliJson<Settled[]>(sandbox, 'replay', 'exported.json');
    expect(again?.delivery).toMatchObject({ status: 'processed', event_type: 'issue_comment.created' });
  });

  test('takes a body with its provider and event', async () => {
    await sandbox.write('body.json', JSON.stringify(comment('@agent plan it', { issue: 9 })));
    const named = ['--provider', 'github', '--event', 'issue_comment.created'];
    const [again] = await cliJson<Settled[]>(sandbox, 'replay', 'body.json', ...named);
    expect(again?.tasks[0]).toMatchObject({
      command: 'plan',
      external_id: 'github:codertocat/hello-world#9',
    });

    const untold = await cli(sandbox, 'replay', 'body.json');
    expect(untold.code).toBe(2);
    expect(untold.stderr).toContain('--provider github --event');
    expect((await cli(sandbox, 'replay', 'body.json', '--provider', 'nobody', '--event', 'x')).code).toBe(2);
  });

  test('--dry-run only prints', async () => {
    const before = readStore(sandbox, (reader) => reader.deliveries({ limit: 1 })[0]?.id);
    const { stdout, code } = await cli(sandbox, 'replay', processed, '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^analyze +fires /m);
    expect(readStore(sandbox, (reader) => reader.deliveries({ limit: 1 })[0]?.id)).toBe(before);
  });

  test('an unknown id or file: exits with 4; a rejected delivery, without a body: exits with 1', async () => {
    const gone = await cli(sandbox, 'replay', 'dlv-nothere');
    expect(gone.code).toBe(4);
    expect(gone.stderr).toContain(sandbox.dataFolder);
    expect((await cli(sandbox, 'replay', 'nothere.json')).code).toBe(4);
    const none = await cli(sandbox, 'replay', rejected);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('no bytes are kept');
  });

  test('an invalid file stops before anything runs', async () => {
    const before = readStore(sandbox, (reader) => reader.deliveries({ limit: 1 })[0]?.id);
    expect((await cli(sandbox, 'replay', processed, 'nothere.json')).code).toBe(4);
    expect(readStore(sandbox, (reader) => reader.deliveries({ limit: 1 })[0]?.id)).toBe(before);
  });
});

describe('explain', () => {
  const explained = async (...args: string[]) => (await cli(sandbox, 'explain', ...args)).stdout;

  test('lists each command and why it fires or not', async () => {
    const stdout = await explained(processed);
    expect(stdout).toMatch(/^analyze +fires +the text says `analyze`; Codertocat is OWNER$/m);
    expect(stdout).toMatch(/^plan +no +the text asks for `analyze`$/m);
  });

  test('a duplicate, a refused request, a stranger', async () => {
    expect(await explained(duplicate)).toContain(`the same as ${processed}`);
    const refused = await explained(rejected);
    expect(refused).toMatch(/became +rejected/);
    expect(refused).toContain('its bytes were not kept');
    expect(await explained(ignored)).toContain('NONE) may not command; allowed: OWNER, MEMBER, COLLABORATOR');
    expect(await explained(unparsed)).toContain('not valid JSON');
  });

  test('a file, as a table and as one object', async () => {
    const path = join(sandbox.project, 'stranger.json');
    await writeFile(path, JSON.stringify(comment('@agent fix', { association: 'NONE' })));
    const named = [path, '--provider', 'github', '--event', 'issue_comment.created'];
    expect(await explained(...named)).toContain('may not command');
    const view = await cliJson<{ events: { commands: { command: string; fires: boolean }[] }[] }>(
      sandbox,
      'explain',
      ...named,
    );
    expect(view.events[0]?.commands.map(({ fires }) => fires)).toEqual([false, false, false, false]);
  });

  test('an unknown id: exits with 4', async () => {
    expect((await cli(sandbox, 'explain', 'dlv-nothere')).code).toBe(4);
    expect((await cli(sandbox, 'explain', 'nothere.json')).code).toBe(4);
  });
});
