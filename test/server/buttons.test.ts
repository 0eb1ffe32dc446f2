import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Delivery, Task } from '../../src/types.ts';
import { eventually } from '../support/eventually.ts';
import { tell } from '../support/in-process.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type ServeHere, serveHere } from '../support/serve-here.ts';
import { readStore } from '../support/server.ts';
import {
  buttonsOf,
  postInteraction,
  pressOf,
  type SlackMessage,
  type SlackWeb,
  startSlackWeb,
  TEAM,
} from '../support/slack-web.ts';

const SECRET = 'slack-signing-secret';

let slack: SlackWeb;
let sandbox: Sandbox;
let served: ServeHere;

beforeEach(async () => {
  slack = await startSlackWeb();
  sandbox = await createSandbox({
    files: {
      'webhooks.yml': `credentials: { slack: { baseUrl: '${slack.apiUrl}' } }
notify: { use: slack, channel: U0BOSS, on: [approval, failed] }
webhooks: { slack: { defaultCommand: plan, allow: { users: [U0BOB] }, commands: [{ name: plan, requiresApproval: true }] } }
`,
    },
    env: { SLACK_SIGNING_SECRET: SECRET, SLACK_BOT_TOKEN: 'xoxb-0' },
  });
  served = await serveHere(sandbox);
});
afterEach(async () => {
  await served.stop();
  await slack.close();
  await sandbox.remove();
});

let messages = 0;

/** Somebody asks for a plan in a thread of the channel. */
async function ask(text = 'the plan'): Promise<Task> {
  messages += 1;
  const ts = `1700000500.${String(messages).padStart(6, '0')}`;
  const body = JSON.stringify({
    type: 'event_callback',
    team_id: TEAM,
    event_id: `Ev${messages}`,
    is_ext_shared_channel: false,
    authorizations: [{ team_id: TEAM, user_id: 'U0HOOKBOT', is_bot: true }],
    event: {
      type: 'app_mention',
      user: 'U0ADA',
      team: TEAM,
      channel: 'C0GENERAL',
      ts,
      text: `<@U0HOOKBOT> plan ${text}`,
    },
  });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', SECRET).update(`v0:${timestamp}:${body}`).digest('hex');
  await fetch(`${served.url}/webhooks/slack`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${signature}`,
    },
    body,
  });
  return eventually('a task', () =>
    readStore(
      sandbox,
      (store) => store.tasks({ limit: 50 }).find(({ title }) => title.includes(text)) ?? null,
    ),
  );
}

/** The posts about a task, in its thread and at the approver, once both show these buttons. */
async function postsOf({ id }: Task, ...labels: readonly string[]) {
  const about = (channel: string) =>
    slack.messages.find((each) => each.channel === channel && JSON.stringify(each).includes(id));
  return eventually(`posts of ${id} with ${labels.join()}`, () => {
    const [thread, boss] = [about('C0GENERAL'), about('D0BOSS')];
    const all = [thread, boss];
    return thread !== undefined &&
      boss !== undefined &&
      all.every((each) => each !== undefined && Object.keys(buttonsOf(each)).join() === labels.join())
      ? { thread, boss }
      : null;
  });
}

/** Presses a button; the delivery that tells it, once it is settled. */
async function press(
  message: SlackMessage,
  label: string,
  changes: Parameters<typeof pressOf>[2] = {},
): Promise<Delivery> {
  const payload = pressOf(message, label, changes);
  const { status, text } = await postInteraction(served.url, payload, { secret: SECRET });
  expect({ status, text }).toEqual({ status: 200, text: '' });
  const { trigger_id: trigger } = payload as { trigger_id: string };
  return deliveryOf(trigger);
}

function deliveryOf(trigger: string): Promise<Delivery> {
  return eventually(`the press ${trigger}`, () =>
    readStore(sandbox, (store) => {
      const found = store.deliveries({ limit: 500 }).find(({ id, status }) => {
        const body = status === 'rejected' || status === 'duplicate' ? null : store.body(id);
        return body !== null && decodeURIComponent(Buffer.from(body).toString()).includes(`"${trigger}"`);
      });
      return found === undefined || found.status === 'pending' ? null : found;
    }),
  );
}

const taskNow = ({ id }: Task) => readStore(sandbox, (store) => store.task(id));
const decisionsOf = ({ id }: Task) =>
  readStore(sandbox, (store) => store.transitions(id)).filter(({ event }) => event !== 'create');

test('a task that waits: its buttons are in the thread and at the approver; one press decides, both show who', async () => {
  const task = await ask();
  const { thread, boss } = await postsOf(task, 'Approve', 'Reject');
  expect(thread.text).toContain('waits for approval');
  expect(boss.text).toContain('Approval needed');
  expect(slack.ephemeral).toEqual([]);
  expect(await press(boss, 'Approve', { user: 'U0BOB' })).toMatchObject({ status: 'processed' });
  const after = await postsOf(task, 'Cancel');
  expect([after.thread.text, after.boss.text].every((text) => text.includes('Approved by slack:bob'))).toBe(
    true,
  );
  expect(after.boss.text).toContain('Approval needed');
  expect(taskNow(task)?.status).toBe('queued');

  await press(after.thread, 'Cancel', { user: 'U0BOB' });
  await postsOf(task, 'Run again');
  expect(taskNow(task)?.status).toBe('cancelled');
  const again = await postsOf(task, 'Run again');
  const old = buttonsOf(again.thread)['Run again']?.value ?? '';
  await press(again.thread, 'Run again', { user: 'U0BOB' });
  await postsOf(task, 'Cancel');
  expect(decisionsOf(task).map(({ event, actor }) => `${event} ${actor}`)).toEqual([
    'approve slack:bob',
    'cancel slack:bob',
    'retry slack:bob',
  ]);

  // A button of before another end decides about that end alone.
  await tell(sandbox, 'task', 'cancel', task.id);
  const once = await postsOf(task, 'Run again');
  const stale = await press(once.thread, 'Run again', { user: 'U0BOB', value: old });
  expect(stale.reason).toContain('no longer what the button was shown for');
  expect(taskNow(task)?.status).toBe('cancelled');
});

test('a rejected task ends; a decision by the command line is shown in the posts, too', async () => {
  const first = await ask('number one');
  const { thread } = await postsOf(first, 'Approve', 'Reject');
  await press(thread, 'Reject', { user: 'U0BOB' });
  await postsOf(first, 'Run again');
  expect(taskNow(first)).toMatchObject({ status: 'cancelled', error: 'It was rejected.' });
  expect(thread.text).toContain('slack:bob');
  const second = await ask('number two');
  await postsOf(second, 'Approve', 'Reject');
  expect((await tell(sandbox, 'task', 'approve', second.id)).code).toBe(0);
  const shown = await postsOf(second, 'Cancel');
  expect(shown.thread.text).toContain('Approved by cli');
});

test('buttons: of replayed, forged, copied, foreign and late presses none decides, and only the record says why', async () => {
  const task = await ask('mine');
  const other = await ask('other');
  const { thread, boss } = await postsOf(task, 'Approve', 'Reject');
  const others = await postsOf(other, 'Approve', 'Reject');
  const said = slack.messages.length;
  const value = buttonsOf(thread).Approve?.value ?? '';
  const [post = '', digest = '', end = ''] = value.split('.');
  const bob = { user: 'U0BOB' };
  const refused: readonly (readonly [string, Parameters<typeof pressOf>[2], string])[] = [
    [
      'a forged digest',
      { ...bob, value: `${post}.AAAAAAAAAAAA.${end}` },
      'no longer what the button was shown for',
    ],
    ['a later end', { ...bob, value: `${post}.${digest}.${Number(end) + 1000}` }, 'another end'],
    ['no post of ours', { ...bob, value: `out-0000000000000000.${digest}.${end}` }, 'belongs to no task'],
    [
      'the button of another post',
      { ...bob, value: buttonsOf(others.thread).Approve?.value ?? '' },
      'was copied',
    ],
    ['a copy in another channel', { ...bob, channel: 'C0OTHER' }, 'was copied'],
    ['a copy in another message', { ...bob, ts: '1.000001' }, 'was copied'],
    ['another workspace', { user: 'U0BOB', team: 'T0OTHER' }, 'was copied'],
    ['another user', { user: 'U0EVE', team: 'T0EVE' }, 'was copied'],
    ['an action that was not shown', { ...bob, action: 'hookctl:again' }, 'waiting for approval'],
  ];
  for (const [name, changes, reason] of refused) {
    const delivery = await press(thread, 'Approve', changes);
    expect([name, delivery.status, delivery.reason]).toEqual([
      name,
      'ignored',
      expect.stringContaining(reason),
    ]);
  }
  const stranger = { ...pressOf(thread, 'Approve', { user: 'U0EVE' }) } as {
    user: object;
    trigger_id: string;
  };
  Object.assign(stranger.user, { team_id: 'T0EVE' });
  await postInteraction(served.url, stranger, { secret: SECRET });
  expect((await deliveryOf(stranger.trigger_id)).reason).toContain('may not command');
  expect(
    (await postInteraction(served.url, pressOf(thread, 'Approve', bob), { secret: 'other' })).status,
  ).toBe(401);
  const old = { secret: SECRET, now: Date.now() - 600_000 };
  expect((await postInteraction(served.url, pressOf(thread, 'Approve', bob), old)).status).toBe(401);
  expect(taskNow(task)?.status).toBe('waiting_approval');
  expect(slack.messages).toHaveLength(said);

  const trigger = 'same.1.press';
  expect(await press(boss, 'Approve', { ...bob, trigger })).toMatchObject({ status: 'processed' });
  await postInteraction(served.url, pressOf(boss, 'Reject', { ...bob, trigger }), { secret: SECRET });
  const late = await press(thread, 'Reject', { ...bob, value: `${value}`, action: 'hookctl:reject' });
  expect(late.reason).toMatch(/is queued: slack:bob came first \(approve\)/);
  const { id } = await deliveryOf(trigger);
  expect((await tell(sandbox, 'replay', id)).code).toBe(0);
  expect(decisionsOf(task).map(({ event }) => event)).toEqual(['approve']);
  expect(taskNow(other)?.status).toBe('waiting_approval');
});

test('buttons: 50 presses at once in two posts are one decision', async () => {
  const task = await ask();
  const { thread, boss } = await postsOf(task, 'Approve', 'Reject');
  const presses = Array.from({ length: 50 }, (_, index) =>
    pressOf(index % 2 === 0 ? thread : boss, index % 3 === 0 ? 'Reject' : 'Approve', { user: 'U0BOB' }),
  );
  await Promise.all(presses.map((press) => postInteraction(served.url, press, { secret: SECRET })));
  const deliveries = await eventually('all presses', () =>
    readStore(sandbox, (store) => {
      const found = store
        .deliveries({ limit: 100 })
        .filter(({ eventType, status }) => eventType === 'block_actions' && status !== 'pending');
      return found.length === 50 ? found : null;
    }),
  );
  expect(deliveries.filter(({ status }) => status === 'processed')).toHaveLength(1);
  expect(deliveries.filter(({ reason }) => reason?.includes('came first'))).toHaveLength(49);
  expect(decisionsOf(task)).toHaveLength(1);
});

test('buttons: a press before the post is recorded, and one after a restart, count', async () => {
  const waits = Promise.withResolvers<void>();
  const task = await ask('early');
  const { thread } = await postsOf(task, 'Approve', 'Reject');
  await served.stop();
  served = await serveHere(sandbox);
  expect(await press(thread, 'Approve', { user: 'U0BOB' })).toMatchObject({ status: 'processed' });
  await postsOf(task, 'Cancel');

  slack.beforeAnswer = () => waits.promise;
  const next = await ask('unanswered');
  const posted = await eventually(
    'its post',
    () => slack.messages.find((each) => each.channel === 'C0GENERAL' && each.text.includes(next.id)) ?? null,
  );
  const pressed = press(posted, 'Approve', { user: 'U0BOB' });
  onTestFinished(() => waits.resolve());
  await eventually('a first try', () =>
    readStore(
      sandbox,
      (store) => store.deliveries({ status: 'pending' }).find(({ attempts }) => attempts > 0) ?? null,
    ),
  );
  waits.resolve();
  slack.beforeAnswer = async () => undefined;
  expect(await pressed).toMatchObject({ status: 'processed' });
  await postsOf(next, 'Cancel');
});
