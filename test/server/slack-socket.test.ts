import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { secret } from '../../src/lib/redact/redact.ts';
import { buttonsOf } from '../../src/outbox/buttons.ts';
import { createTransport } from '../../src/outbox/transport.ts';
import { receiver } from '../../src/server/ingress/ingress.ts';
import { openSlackSocket, type SlackSocketStatus } from '../../src/server/ingress/slack-socket.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { eventFrame, HELLO, type SlackSide, startSlack } from '../support/slack-socket.ts';

let slack: SlackSide;
beforeEach(async () => {
  slack = await startSlack();
});
afterEach(() => slack.close());

const TIMING = { helloMs: 2_000, pingMs: 50, silenceMs: 300, overlapMs: 500, baseMs: 20, capMs: 100 };

interface Opened {
  readonly engine: TestEngine;
  readonly statuses: SlackSocketStatus[];
  readonly errors: unknown[];
  /** Deliveries in order of arrival. */
  deliveries(): ReturnType<TestEngine['context']['store']['deliveries']>;
  close(): Promise<void>;
}

async function openSocket(): Promise<Opened> {
  const engine = await startEngine();
  const { context } = engine;
  const statuses: SlackSocketStatus[] = [];
  const errors: unknown[] = [];
  const receive = receiver({ ...engine, received: () => undefined });
  const socket = openSlackSocket({
    settings: {
      webhook: 'slack',
      token: secret('xapp-1-A1-1-abcdef'),
      tokenSource: 'SLACK_APP_TOKEN',
      baseUrl: `${slack.url}/api`,
      privateNetwork: false,
    },
    async take(request) {
      const webhook = context.snapshot().byName.get('slack');
      if (webhook === undefined) throw new Error('no webhook');
      const { status } = await receive(webhook, request, 'socket');
      return status !== 'rejected' && status !== 'limited';
    },
    report: (status) => void statuses.push(status),
    broken: (error) => void errors.push(error),
    transport: createTransport(),
    now: Date.now,
    timing: TIMING,
  });
  let closed: Promise<void> | null = null;
  const close = () => {
    closed ??= socket.close();
    return closed;
  };
  onTestFinished(close);
  return {
    engine,
    statuses,
    errors,
    deliveries: () => context.store.deliveries({ limit: 5_000 }),
    close,
  };
}

const hello = (count = 1) =>
  eventually('a connection', () => (slack.open().length >= count ? slack.open() : null));
const acksOf = () =>
  slack.sockets.flatMap(({ received }) => received.map((text) => JSON.parse(text) as object));

test('Socket Mode: an event is stored with trust `socket`, commands, and is acknowledged when it is stored', async () => {
  const { engine, deliveries } = await openSocket();
  const [side] = await hello();
  const frame = eventFrame();
  let storedAtAck: number | null = null;
  slack.onFrame = () => {
    storedAtAck = deliveries().length;
  };
  side?.send(frame);
  await eventually('an acknowledgement', () => (acksOf().length > 0 ? true : null));
  expect(acksOf()).toEqual([{ envelope_id: frame.envelope_id, payload: {} }]);
  await engine.context.store.indexed();
  expect(storedAtAck).not.toBeNull();
  const [delivery] = deliveries();
  expect(delivery).toMatchObject({ trust: 'socket', provider: 'slack', eventType: 'app_mention' });
  await eventually('a task', () => engine.context.store.tasks({ limit: 5 })[0] ?? null);
  expect(engine.context.store.tasks({ limit: 5 })).toMatchObject([{ status: 'queued', trust: 'socket' }]);
});

test('Socket Mode: a pressed button decides once, however often it is sent', async () => {
  const { engine, deliveries } = await openSocket();
  const { store } = engine.context;
  const [side] = await hello();
  side?.send({
    envelope_id: 'e-0',
    type: 'slash_commands',
    payload: {
      team_id: 'T1',
      channel_id: 'C1',
      user_id: 'U1',
      command: '/agent',
      text: 'execute it',
      trigger_id: 't0',
    },
  });
  const task = await eventually('a task', () => store.tasks({ status: 'waiting_approval' })[0] ?? null);
  const place = { host: null, channel: 'C1' };
  const post = { kind: 'comment', place, content: 'May it?', edits: null, privateNetwork: false } as const;
  await store.addPost(
    { id: 'out-0000000000000001', ...post, buttonsOf: task.id, buttonsAt: 'waiting_approval' },
    { provider: 'slack', owner: 'operator' },
    Date.now(),
  );
  await store.noteOutgoing('out-0000000000000001', {
    ...{ status: 'sent', reason: null, uncertain: false, nextAttemptAt: 0, settledAt: Date.now() },
    remoteId: 'C1:1.1:T1',
  });
  const item = store.outgoing('out-0000000000000001');
  const approve =
    item === null ? undefined : buttonsOf(store, item).find(({ action }) => action === 'approve');
  for (const envelope of ['e-1', 'e-2', 'e-3'])
    side?.send({
      envelope_id: envelope,
      type: 'interactive',
      payload: {
        type: 'block_actions',
        team: { id: 'T1' },
        user: { id: 'U1', username: 'ada', team_id: 'T1' },
        channel: { id: 'C1' },
        container: { message_ts: '1.1', channel_id: 'C1' },
        trigger_id: envelope,
        actions: [{ type: 'button', action_id: 'hookctl:approve', value: approve?.value }],
      },
    });
  const presses = await eventually('three presses', () => {
    const found = deliveries().filter(
      ({ eventType, status }) => eventType === 'block_actions' && status !== 'pending',
    );
    return found.length === 3 ? found : null;
  });
  expect(presses.map(({ status }) => status).toSorted()).toEqual(['ignored', 'ignored', 'processed']);
  expect(store.transitions(task.id).map(({ event }) => event)).toEqual(['create', 'approve']);
});

test('Socket Mode: clicks and slash commands are read as those that Slack posts', async () => {
  const { engine, deliveries } = await openSocket();
  const [side] = await hello();
  side?.send({
    envelope_id: 'e-1',
    type: 'slash_commands',
    accepts_response_payload: true,
    payload: {
      team_id: 'T1',
      channel_id: 'C1',
      user_id: 'U1',
      command: '/agent',
      text: 'analyze a & b = c',
      trigger_id: 't1',
    },
  });
  side?.send({
    envelope_id: 'e-2',
    type: 'interactive',
    accepts_response_payload: true,
    payload: {
      type: 'block_actions',
      team: { id: 'T1' },
      user: { id: 'U1', team_id: 'T1' },
      trigger_id: 't2',
    },
  });
  await eventually('both', () => (acksOf().length === 2 ? true : null));
  await engine.context.store.indexed();
  expect(
    deliveries()
      .map(({ eventType }) => eventType)
      .toSorted(),
  ).toEqual(['block_actions', 'slash_command']);
});

test('Socket Mode: before a warned end the next connection is open, and both are read', async () => {
  const { deliveries, engine } = await openSocket();
  const [first] = await hello();
  first?.send({ type: 'disconnect', reason: 'warning', debug_info: { host: 'applink-1' } });
  const [, second] = await hello(2);
  const onOld = eventFrame();
  const onNew = eventFrame();
  first?.send(onOld);
  second?.send(onNew);
  await eventually('both acknowledgements', () => (acksOf().length === 2 ? true : null));
  expect(first?.received.map((text) => JSON.parse(text))).toEqual([
    { envelope_id: onOld.envelope_id, payload: {} },
  ]);
  first?.close();
  await eventually('the end of the old one', () => (slack.open().length === 1 ? true : null));
  await engine.context.store.indexed();
  expect(deliveries()).toHaveLength(2);
});

test('Socket Mode: an event before `hello` counts; the same envelope, or the same event in another one, is a duplicate', async () => {
  const early = eventFrame();
  slack.greet = (side) => {
    side.send(early);
    side.send(HELLO);
  };
  const { deliveries, engine } = await openSocket();
  const [side] = await hello();
  side?.send(early);
  side?.send({ ...early, envelope_id: 'another', retry_attempt: 1, retry_reason: 'timeout' });
  await eventually('three acknowledgements', () => (acksOf().length === 3 ? true : null));
  await engine.context.store.indexed();
  expect(deliveries().filter(({ status }) => status === 'duplicate')).toHaveLength(2);
  expect(deliveries()).toHaveLength(3);
});

test('Socket Mode: a connection that is cut, or silent, is replaced', async () => {
  const { statuses } = await openSocket();
  const [first] = await hello();
  first?.cut();
  await eventually('a second one', () =>
    slack.sockets.length === 2 && slack.open().length === 1 ? true : null,
  );
  slack.sockets[1]?.freeze();
  await eventually('a third one', () => (slack.sockets.length === 3 ? true : null));
  expect(statuses.map(({ phase }) => phase)).toContain('open');
  expect(statuses.map(({ reason }) => reason).join()).toContain('nothing came for');
});

test('Socket Mode: what can’t be stored is not acknowledged', async () => {
  const { errors, engine } = await openSocket();
  const [side] = await hello();
  await engine.close();
  side?.send(eventFrame());
  await eventually('an error', () => errors[0] ?? null);
  expect(acksOf()).toEqual([]);
});

test.each([
  ['invalid_auth', 'the token is wrong or was revoked'],
  ['link_disabled', 'Socket Mode is switched off'],
])('Socket Mode: %s ends it with one line that says what to do', async (error, words) => {
  slack.answers.push({ body: { ok: false, error } });
  const { statuses } = await openSocket();
  await eventually('the end', () => (statuses.at(-1)?.phase === 'stopped' ? true : null));
  expect(statuses.at(-1)?.reason).toContain(words);
  expect(slack.opened).toHaveLength(1);
});

test('Socket Mode: a rate limit, a failure of Slack and a `disconnect` of a disabled link are told apart', async () => {
  slack.answers.push(
    { status: 429, headers: { 'retry-after': '1' }, body: { ok: false, error: 'ratelimited' } },
    { body: { ok: false, error: 'internal_error' } },
  );
  const { statuses } = await openSocket();
  const [side] = await hello();
  expect(statuses.filter(({ phase }) => phase === 'waiting')).toHaveLength(2);
  side?.send({ type: 'disconnect', reason: 'link_disabled' });
  await eventually('the end', () => (statuses.at(-1)?.phase === 'stopped' ? true : null));
  await eventually('no connection', () => (slack.open().length === 0 ? true : null));
});

/** The official client on the same server: what it calls, sends and acknowledges. */
test('Socket Mode: the requests and frames are those of Slack’s own client', async () => {
  const frames = [eventFrame(), eventFrame()];
  const official = new SocketModeClient({
    appToken: 'xapp-1-A1-1-abcdef',
    logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: `${slack.url}/api/` },
  });
  official.on('slack_event', async ({ ack }: { ack: () => Promise<void> }) => ack());
  await official.start();
  const [theirs] = slack.sockets;
  for (const frame of frames) theirs?.send(frame);
  await eventually('their acknowledgements', () => (theirs?.received.length === 2 ? true : null));
  await official.disconnect();
  const { close } = await openSocket();
  const ours = await eventually('our connection', () => slack.sockets[1] ?? null);
  for (const frame of frames) ours.send({ ...frame });
  await eventually('our acknowledgements', () => (ours.received.length === 2 ? true : null));
  await close();
  const parsed = (list: readonly string[] = []) => list.map((text) => JSON.parse(text) as object);
  expect(parsed(ours.received).toSorted(byId)).toEqual(parsed(theirs?.received).toSorted(byId));
  const [call, own] = slack.opened;
  expect([own?.method, own?.url, own?.headers.authorization, own?.headers['content-type']]).toEqual([
    ...[call?.method, call?.url, call?.headers.authorization, call?.headers['content-type']],
  ]);
});

function byId(left: object, right: object): number {
  return JSON.stringify(left).localeCompare(JSON.stringify(right));
}

test('Socket Mode: 1,000 events over connections that are warned, refreshed and lost: each once', async () => {
  const { deliveries, engine } = await openSocket();
  const frames = Array.from({ length: 1_000 }, () => eventFrame({}, 'just talk'));
  const acknowledged = new Set<string>();
  slack.onFrame = (text) => void acknowledged.add((JSON.parse(text) as { envelope_id: string }).envelope_id);
  // Slack sends what is not acknowledged again, on any open connection.
  for (let round = 0; acknowledged.size < frames.length; round += 1) {
    expect(round).toBeLessThan(60);
    const side = await eventually('an open connection', () => slack.open().at(-1) ?? null);
    const missing = frames.filter(({ envelope_id: id }) => !acknowledged.has(id)).slice(0, 100);
    for (const [at, frame] of missing.entries()) {
      if (at === 50 && round % 4 === 0) side.send({ type: 'disconnect', reason: 'warning' });
      if (at === 50 && round % 4 === 1) side.send({ type: 'disconnect', reason: 'refresh_requested' });
      if (at === 50 && round % 4 === 2) side.cut();
      side.send({ ...frame, retry_attempt: round });
    }
    const before = slack.sockets.length;
    if (round % 4 < 3)
      await eventually('a new connection', () => (slack.sockets.length >= before ? true : null));
    await eventually('acknowledgements, or the end of the connection', () =>
      side.closed || missing.every(({ envelope_id: id }) => acknowledged.has(id)) ? true : null,
    );
  }
  await engine.context.store.indexed();
  const fresh = deliveries().filter(({ status }) => status !== 'duplicate');
  expect(fresh).toHaveLength(1_000);
}, 60_000);
