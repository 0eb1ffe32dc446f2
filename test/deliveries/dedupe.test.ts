import { createHmac, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Delivery, JsonObject } from '../../src/types.ts';
import { openDoor, workedOff } from '../support/door.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { comment, examples, type Payload } from '../support/github.ts';

/** A dynamic webhook of the db, with commands as they are written there. */
function webhook(name: string, secret: string, commands: readonly object[], more: object = {}) {
  const at = '2026-01-01T00:00:00Z';
  return {
    webhook_id: `wh-${name}`,
    ...{ provider: 'github', name, endpoint: `/webhooks/github/wh-${name}`, secret },
    commands: commands.map((each, index) => ({ id: `cmd-${name}${index}`, ...each })),
    ...{ created_at: at, updated_at: at },
    ...more,
  };
}

const db = (...webhooks: readonly object[]) => JSON.stringify({ schema_version: 1, webhooks });

interface Sending {
  readonly path?: string;
  readonly secret?: string;
  readonly event?: string;
  /** Default: a new one. */
  readonly id?: string;
}

/** Posts a body as GitHub would, and waits until it was worked off. */
async function send(
  engine: TestEngine,
  url: string,
  body: Payload | JsonObject | string,
  { path = '/webhooks/github', secret = 'a', event = 'issue_comment', id = randomUUID() }: Sending = {},
): Promise<Delivery> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`,
    },
    body: text,
  });
  return workedOff(engine, answer.headers.get('x-hookctl-delivery') ?? '');
}

const withInstallation = (payload: Payload): Payload => ({ ...payload, installation: { id: 7 } });
const edited = (payload: Payload, body: string, at: number): Payload => ({
  ...payload,
  action: 'edited',
  comment: { ...(payload.comment as Payload), body, updated_at: new Date(at).toISOString() },
  changes: { body: { from: 'before' } },
});

test('F4: an approval that was ignored approves no later task: sent again, under a new id, or older', async () => {
  const engine = await startEngine();
  const url = await openDoor(engine);
  const old = comment('@agent approve', { issue: 3 });
  const first = await send(engine, url, old, { id: 'first' });
  expect(first).toMatchObject({
    status: 'ignored',
    reason: expect.stringContaining('no task of this thread waits'),
  });
  const [task] = (await send(engine, url, comment('@agent fix it', { issue: 3 }))).decisions.flatMap(
    ({ taskIds }) => taskIds,
  );
  const status = () => engine.context.store.task(task ?? '')?.status;
  expect(status()).toBe('waiting_approval');

  const again = await send(engine, url, old);
  expect(again).toMatchObject({ status: 'duplicate', duplicateOf: first.id });
  // The sender's own redelivery of what was ignored runs again, and is older than the task.
  const redelivered = await send(engine, url, old, { id: 'first' });
  expect(redelivered.status).toBe('ignored');
  expect(redelivered.reason).toContain('written before the task was made');
  expect(redelivered.reason).toContain(`approve ${task}`);
  const other = comment('@agent approve', { issue: 3 });
  const older = { ...other, comment: { ...(other.comment as Payload), created_at: '2026-01-01T00:00:00Z' } };
  expect((await send(engine, url, older)).reason).toContain('written before the task was made');
  expect(status()).toBe('waiting_approval');

  const named = {
    ...older,
    comment: { ...(older.comment as Payload), id: 4711, body: `@agent approve ${task}` },
  };
  expect((await send(engine, url, named)).status).toBe('processed');
  expect(status()).toBe('queued');
});

test.each([
  ['in the middle of a sentence', 'I would not say @agent approve yet'],
  ['behind a greeting', 'Hi, @agent approve'],
  ['on a later line', 'Fine by me.\n\n@agent approve'],
])('F4: an approval %s approves nothing', async (_, text) => {
  const engine = await startEngine();
  const url = await openDoor(engine);
  const asked = await send(engine, url, comment('@agent fix it', { issue: 4 }));
  const [task] = asked.decisions.flatMap(({ taskIds }) => taskIds);
  const said = await send(engine, url, comment(text, { issue: 4 }));
  expect(said.reason).toContain('only at the beginning');
  expect(engine.context.store.task(task ?? '')?.status).toBe('waiting_approval');
  expect((await send(engine, url, comment('> I wait\n\n@agent approve', { issue: 4 }))).status).toBe(
    'processed',
  );
});

test.each([
  ['in bold', (id: string) => `@agent approve **${id}**`],
  ['in a link', (id: string) => `@agent approve [the fix](https://x.example/${id})`],
  ['in capitals', (id: string) => `@agent approve ${id.toUpperCase()}`],
  ['behind other words', (id: string) => `@agent approve the one with ${id}`],
  ['cut off', () => '@agent approve task-'],
])('F4: an approval that names a task of another thread %s approves none', async (_, text) => {
  const engine = await startEngine();
  const url = await openDoor(engine);
  const ids = [];
  for (const issue of [16, 17]) {
    const asked = await send(engine, url, comment('@agent fix it', { issue }));
    ids.push(asked.decisions.flatMap(({ taskIds }) => taskIds)[0] ?? '');
  }
  const said = await send(engine, url, comment(text(ids[1] ?? ''), { issue: 16 }));
  expect(said).toMatchObject({
    status: 'ignored',
    reason: expect.stringContaining('this thread has no task'),
  });
  expect(ids.map((id) => engine.context.store.task(id)?.status)).toEqual(Array(2).fill('waiting_approval'));
});

test('F4: a stop means tasks that are older than itself, or the one that it names', async () => {
  const engine = await startEngine();
  const url = await openDoor(engine);
  const stop = comment('@agent stop', { issue: 5 });
  const made = await send(engine, url, comment('@agent analyze it', { issue: 5 }));
  const [task] = made.decisions.flatMap(({ taskIds }) => taskIds);
  const late = { ...stop, comment: { ...(stop.comment as Payload), created_at: '2026-01-01T00:00:00Z' } };
  expect((await send(engine, url, late)).reason).toContain(`name the task, \`stop ${task}\``);
  expect(engine.context.store.task(task ?? '')?.status).toBe('queued');
  expect((await send(engine, url, comment('@agent stop', { issue: 5 }))).status).toBe('processed');
  expect(engine.context.store.task(task ?? '')?.status).toBe('cancelled');
});

test('F4: a delivery that was ignored at once, and one that failed, keep the key of their bytes', async () => {
  const yaml = `webhooks: { github: { commands: [{ name: analyze }, { trigger: issues.opened, action: run, options: { program: ./not-there } }] } }`;
  const engine = await startEngine({ yaml });
  const url = await openDoor(engine);
  const of = (action: string) =>
    (examples().find(({ event, payload }) => event === 'issues' && payload.action === action)?.payload ??
      {}) as Payload & { readonly issue: Payload };
  for (const [payload, status] of [
    [of('labeled'), 'ignored'],
    [{ ...of('opened'), sender: of('opened').issue.user ?? {} }, 'failed'],
  ] as const) {
    const known =
      status === 'failed'
        ? { ...payload, issue: { ...payload.issue, author_association: 'OWNER' } }
        : payload;
    const first = await send(engine, url, known, { event: 'issues', id: `first-${status}` });
    expect(first.status).toBe(status);
    expect(await send(engine, url, known, { event: 'issues' })).toMatchObject({
      status: 'duplicate',
      duplicateOf: first.id,
    });
    const again = await send(engine, url, known, { event: 'issues', id: `first-${status}` });
    expect(again).toMatchObject({ status, duplicateOf: null });
  }
});

test('F12: a comment over two hooks, of a repository and of an App, runs once', async () => {
  const engine = await startEngine();
  const url = await openDoor(engine);
  const body = comment('@agent analyze it', { issue: 6 });
  const both = await Promise.all([send(engine, url, body), send(engine, url, withInstallation(body))]);
  const [done, same] = both.toSorted((left, right) => right.status.localeCompare(left.status));
  expect(done?.status).toBe('processed');
  expect(same).toMatchObject({ status: 'duplicate', duplicateOf: done?.id });
  expect(engine.context.store.tasks()).toHaveLength(1);
});

test('F12: over two webhooks the comment runs at the one that has a command for it, and once', async () => {
  const engine = await startEngine({
    db: db(
      webhook('app', 'app-secret', [{ name: 'look' }]),
      webhook('other', 'other-secret', [{ name: 'analyze' }]),
    ),
  });
  const url = await openDoor(engine);
  const body = comment('@agent look at it', { issue: 7 });
  const to = (name: string) => ({ path: `/webhooks/github/wh-${name}`, secret: `${name}-secret` });
  // `other` has no such command: what it ignores holds the first one back as little as what is the same to `app`.
  const ignored = await send(engine, url, body, to('other'));
  const ran = await send(engine, url, withInstallation(body), to('app'));
  const twice = await send(engine, url, { ...body, extra: 1 }, to('app'));
  expect([ignored.status, ran.status, twice.status]).toEqual(['ignored', 'processed', 'duplicate']);
  expect(twice.duplicateOf).toBe(ran.id);
  expect(engine.context.store.tasks()).toHaveLength(1);
});

test('F12: a trigger at one webhook holds back no command at another, in either order; each runs once', async () => {
  const engine = await startEngine({
    db: db(
      webhook('app', 'app-secret', [{ name: 'look' }]),
      webhook('other', 'other-secret', [{ trigger: 'issue_comment.created' }]),
    ),
  });
  const url = await openDoor(engine);
  const to = (name: string) => ({ path: `/webhooks/github/wh-${name}`, secret: `${name}-secret` });
  for (const [issue, names] of [
    [14, ['other', 'app']],
    [15, ['app', 'other']],
  ] as const) {
    const body = comment('@agent look at it', { issue });
    for (const name of names) expect((await send(engine, url, body, to(name))).status).toBe('processed');
    const again = { ...body, extra: 1 };
    const both = await Promise.all(names.map((name) => send(engine, url, again, to(name))));
    expect(both.map(({ status }) => status)).toEqual(['duplicate', 'duplicate']);
  }
  expect(engine.context.store.tasks()).toHaveLength(4);
});

test('F12: one signed body is taken by one of the webhooks that share its secret', async () => {
  const engine = await startEngine({
    db: db(
      webhook('one', 'shared', [{ trigger: 'push' }]),
      webhook('two', 'shared', [{ trigger: 'push' }]),
      webhook('three', 'its own', [{ trigger: 'push' }]),
    ),
  });
  const url = await openDoor(engine);
  const push = { ref: 'refs/heads/main', before: '0'.repeat(40), after: '1'.repeat(40), commits: [] };
  const to = (name: string, secret = 'shared') => ({
    path: `/webhooks/github/wh-${name}`,
    secret,
    event: 'push',
  });
  const first = await send(engine, url, push, to('one'));
  expect(first.status).toBe('processed');
  expect(await send(engine, url, push, to('two'))).toMatchObject({
    status: 'duplicate',
    duplicateOf: first.id,
  });
  expect((await send(engine, url, push, to('three', 'its own'))).status).toBe('processed');
});

test('F12: the same dispatch within seconds is one, a minute later another', async () => {
  let now = Date.parse('2026-11-01T12:00:00Z');
  const yaml =
    'webhooks: { github: { commands: [{ name: analyze }, { trigger: repository_dispatch.deploy }] } }';
  const engine = await startEngine({ yaml, now: () => now });
  const url = await openDoor(engine);
  const body = {
    ...{ action: 'deploy', branch: 'main', client_payload: {} },
    repository: { full_name: 'o/r', html_url: 'https://github.com/o/r' },
    sender: { id: 1, login: 'ada', type: 'User' },
  };
  const dispatch = () => send(engine, url, body, { event: 'repository_dispatch' });
  const first = await dispatch();
  expect(first.status).toBe('processed');
  now += 5_000;
  expect(await dispatch()).toMatchObject({ status: 'duplicate', duplicateOf: first.id });
  now += 65_000;
  expect((await dispatch()).status).toBe('processed');
  const other = { ...body, client_payload: { at: now } };
  expect((await send(engine, url, other, { event: 'repository_dispatch' })).status).toBe('processed');
});

test('B12: a mention makes one task, whatever is edited later; an edit that adds one runs once', async () => {
  const yaml = 'webhooks: { github: { events: [issue_comment.edited] } }';
  const engine = await startEngine({ yaml });
  const url = await openDoor(engine);
  const typo = comment('@agent analyze teh pump', { issue: 8 });
  expect((await send(engine, url, typo)).status).toBe('processed');
  const mended = await send(engine, url, edited(typo, '@agent analyze the pump', 1_000));
  expect(mended).toMatchObject({ status: 'ignored', reason: expect.stringContaining('has run before') });
  const again = await send(engine, url, edited(typo, '@agent plan the pump, too', 2_000));
  expect(again.status).toBe('ignored');

  const plain = comment('The pump stops', { issue: 9 });
  expect((await send(engine, url, plain)).status).toBe('ignored');
  const added = edited(plain, 'The pump stops. @agent analyze it', 3_000);
  const both = await Promise.all([send(engine, url, added), send(engine, url, withInstallation(added))]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(['duplicate', 'processed']);
  expect((await send(engine, url, edited(plain, 'The pumps stop. @agent analyze it', 4_000))).status).toBe(
    'ignored',
  );
  expect(engine.context.store.tasks()).toHaveLength(2);
});

test('B12: an edit that comes before its comment runs, and the comment no more', async () => {
  const yaml = 'webhooks: { github: { events: [issue_comment.edited] } }';
  const engine = await startEngine({ yaml });
  const url = await openDoor(engine);
  const typo = comment('@agent analyze teh pump', { issue: 11 });
  const mended = await send(engine, url, edited(typo, '@agent analyze the pump', Date.now()));
  expect(mended.status).toBe('processed');
  const late = await send(engine, url, typo);
  expect(late).toMatchObject({ status: 'ignored', reason: expect.stringContaining('has run before') });
  expect(engine.context.store.tasks()).toHaveLength(1);
});

test('B12: a trigger on the edit itself fires for each edit', async () => {
  const yaml = 'webhooks: { github: { commands: [{ name: analyze }, { trigger: issue_comment.edited }] } }';
  const engine = await startEngine({ yaml });
  const url = await openDoor(engine);
  const said = comment('@agent analyze it', { issue: 10 });
  await send(engine, url, said);
  for (const at of [1_000, 2_000]) {
    expect((await send(engine, url, edited(said, `Edited at ${at}`, at))).status).toBe('processed');
  }
  expect(engine.context.store.tasks()).toHaveLength(3);
});
