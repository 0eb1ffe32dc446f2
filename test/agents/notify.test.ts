import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { closeServer, listen } from '../../src/lib/http/listen.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import { createNotifications, type Notifications } from '../../src/notifications/index.ts';
import { notifySchema } from '../../src/notifications/settings.ts';
import { createTransport } from '../../src/outbox/transport.ts';
import { shownText } from '../../src/types/text.ts';
import type { NewOutgoing, Task } from '../../src/types.ts';
import { folderForTest, TASK } from './support.ts';

interface Received {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A server of Slack and of ntfy; `refuse`: how often it says 500 first. */
async function startReceiver(refuse = 0) {
  const received: Received[] = [];
  let left = refuse;
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await readText(request)) as Received['body'];
    left -= 1;
    if (left >= 0) return void response.writeHead(500).end('{}');
    received.push({ url: request.url ?? '', authorization: request.headers.authorization, body });
    response.end('{"ok":true}');
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => closeServer(server));
  return { url: `http://127.0.0.1:${port}`, received };
}

function notifications(
  written: unknown,
  url = '',
): {
  readonly told: Notifications;
  readonly failures: string[];
  readonly folder: string;
  readonly posted: Omit<NewOutgoing, 'id'>[];
} {
  const folder = folderForTest();
  const transport = createTransport();
  onTestFinished(transport.close);
  const failures: string[] = [];
  const posted: Omit<NewOutgoing, 'id'>[] = [];
  const told = createNotifications({
    ways: notifySchema.parse(written),
    transport,
    projectFolder: folder,
    env: { PATH: `${folder}:${process.env.PATH}`, NTFY_TOKEN: 'tk_0123456789' },
    slack: {
      provider: 'slack',
      baseUrl: `${url}/api`,
      token: secret('xoxb-0'),
      user: null,
      privateNetwork: true,
    },
    redact: (text) => text.replaceAll('hunter2', '***'),
    failed: (text) => failures.push(text),
    post: async (item) => void posted.push(item),
  });
  return { told, failures, folder, posted };
}

const task = (more: Partial<Task>): Task => ({ ...TASK, ...more });

test('notify: a program gets the notification as JSON on stdin, and nothing of it as an argument', async () => {
  const { told, folder, failures } = notifications({ use: 'command', program: './tell', args: ['fixed'] });
  writeFileSync(
    join(folder, 'tell'),
    '#!/bin/sh\necho "$@" > arguments\ncat > seen.part && mv seen.part seen\n',
  );
  chmodSync(join(folder, 'tell'), 0o755);
  told.task(task({ status: 'waiting_approval', title: '--help $(touch x)\u202e' }));
  await expect.poll(() => existsSync(join(folder, 'seen'))).toBe(true);
  expect(JSON.parse(readFileSync(join(folder, 'seen'), 'utf8'))).toEqual({
    event: 'approval',
    title: expect.stringMatching(/^Approval needed: --help \$\(touch x\)[^\u202e]*$/),
    text: `hookctl task approve ${TASK.id}`,
    url: TASK.url,
    task_id: TASK.id,
  });
  expect(readFileSync(join(folder, 'arguments'), 'utf8')).toBe('fixed\n');
  await told.close();
  expect(failures).toEqual([]);
});

test('notify: Slack gets words as text, with no mention and no secret in them', async () => {
  const { url, received } = await startReceiver();
  const { told, posted } = notifications([{ use: 'slack', channel: 'C1', on: ['failed', 'budget'] }], url);
  told.task(task({ status: 'completed', result: 'Done.' }));
  told.task(
    task({
      id: 'task-2',
      status: 'failed',
      title: '<!channel> & [more](https://evil.example)',
      error: 'hunter2 was wrong',
    }),
  );
  await expect.poll(() => posted.length).toBe(1);
  expect(posted).toMatchObject([
    { kind: 'comment', place: { channel: 'C1' }, buttonsOf: 'task-2', buttonsAt: 'failed' },
  ]);
  expect(shownText(posted[0]?.content ?? '')).toBe(
    `**Failed: <!channel> & [more]\u200B(https://evil.example)**\n*** was wrong\n${TASK.url}`,
  );
  told.budget('<!here> 80 % spent');
  await expect.poll(() => received.length).toBe(1);
  expect(received).toEqual([
    {
      url: '/api/chat.postMessage',
      authorization: 'Bearer xoxb-0',
      body: { channel: 'C1', text: '*Budget*\n&lt;!here&gt; 80 % spent', unfurl_links: false },
    },
  ]);
  await told.close();
});

test('notify: ntfy gets each status of a task once, after a server that failed at first', async () => {
  const { url, received } = await startReceiver(1);
  const { told, failures } = notifications({ use: 'ntfy', topic: 'mine', url, tokenEnv: 'NTFY_TOKEN' });
  told.task(task({ status: 'running' }));
  told.task(task({ status: 'completed', result: 'All is well.' }));
  told.task(task({ status: 'completed', result: 'All is well.' }));
  await expect.poll(() => received.length, { timeout: 5_000 }).toBe(1);
  expect(received[0]).toMatchObject({
    authorization: 'Bearer tk_0123456789',
    body: {
      topic: 'mine',
      title: 'Done: Fix the login',
      message: 'All is well.',
      priority: 3,
      click: TASK.url,
    },
  });
  told.budget('the budget of the day is 80 % spent');
  await expect.poll(() => received.length).toBe(2);
  await told.close();
  expect(failures).toEqual([]);
});

test('notify: what does not arrive is a problem that names the way', async () => {
  const { told, failures } = notifications({ use: 'command', program: './nowhere' });
  told.task(task({ status: 'failed', error: 'x' }));
  await told.close();
  expect(failures).toEqual([expect.stringMatching(/^notify command: Failed: Fix the login: .*nowhere/)]);
});

test('notify: a sample tells no one', async () => {
  const { url, received } = await startReceiver();
  const { told } = notifications({ use: 'ntfy', topic: 'mine', url });
  told.task(task({ status: 'failed', error: 'x', isSample: true }));
  await told.close();
  expect(received).toEqual([]);
});

test('a task that waits at a start is posted where it has no post, and is told once', async () => {
  const { told, posted } = notifications([
    { use: 'slack', channel: 'C1', on: ['approval'] },
    { use: 'slack', channel: 'C2', on: ['approval'] },
    { use: 'slack', channel: 'C3', on: ['failed'] },
  ]);
  const waiting = task({ id: 'task-1', status: 'waiting_approval' });
  told.missed(waiting, new Set(['C1']));
  told.task(waiting);
  told.missed(task({ id: 'task-2', status: 'waiting_approval' }), new Set(['C1', 'C2', 'C3']));
  await told.close();
  expect(posted.map(({ place, buttonsOf }) => [place.channel, buttonsOf])).toEqual([['C2', 'task-1']]);
});

test.skipIf(process.platform === 'darwin')(
  'notify: a desktop shows the title as it is and the text escaped; without one it is said what to do',
  async () => {
    const { told, folder, failures } = notifications({ use: 'desktop', on: ['failed'] });
    const show = (text: string) => {
      writeFileSync(join(folder, 'notify-send'), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, 'notify-send'), 0o755);
    };
    show(`printf '%s\\n' "$@" > "${folder}/shown.part" && mv "${folder}/shown.part" "${folder}/shown"`);
    told.task(task({ status: 'failed', title: '--help $(id)', error: '<b>A & B</b>' }));
    await told.close();
    expect(readFileSync(join(folder, 'shown'), 'utf8').split('\n')).toEqual([
      ...['--app-name=hookctl', '--', 'Failed: --help $(id)', '&lt;b&gt;A &amp; B&lt;/b&gt;', ''],
    ]);
    show('echo "Cannot autolaunch D-Bus without X11" >&2; exit 1');
    const absent = notifications({ use: 'desktop', on: ['failed'] });
    writeFileSync(join(absent.folder, 'notify-send'), readFileSync(join(folder, 'notify-send')), {
      mode: 0o755,
    });
    absent.told.task(task({ id: 'task-2', status: 'failed' }));
    await absent.told.close();
    expect(absent.failures).toEqual([expect.stringContaining('DBUS_SESSION_BUS_ADDRESS')]);
    expect(failures).toEqual([]);
  },
);
