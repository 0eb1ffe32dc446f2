import { createHmac, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Obtained, receive } from '../../src/deliveries/receive.ts';
import type { Delivery } from '../../src/types.ts';
import { openDoor, workedOff } from '../support/door.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { comment, type Payload } from '../support/github.ts';

/** Takes in what hookctl got itself, and waits until it was worked off. */
async function takeIn(
  engine: TestEngine,
  payload: Payload,
  id: string,
  { event = 'issue_comment', how = 'fetched' }: { event?: string; how?: Obtained } = {},
): Promise<Delivery> {
  const { context, queue } = engine;
  const webhook = context.snapshot().byName.get('github');
  if (webhook === undefined) throw new Error('no webhook');
  const headers = {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': id,
  };
  const request = { headers, query: '', body: Buffer.from(JSON.stringify(payload)) };
  const receipt = await receive(context, webhook, request, how);
  const { deliveryId, externalId, status, parsedDelivery } = receipt;
  if (status === 'pending')
    void queue.push({ id: deliveryId, externalId, attempts: 0, nextAttemptAt: null }, parsedDelivery);
  return workedOff(engine, deliveryId);
}

/** Posts what GitHub signed, with other bytes than those that were fetched. */
async function post(engine: TestEngine, url: string, payload: Payload, id: string): Promise<Delivery> {
  const text = JSON.stringify(payload, null, 1);
  const answer = await fetch(`${url}/webhooks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'issue_comment',
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', 'a').update(text).digest('hex')}`,
    },
    body: text,
  });
  return workedOff(engine, answer.headers.get('x-hookctl-delivery') ?? '');
}

test('what was fetched makes a task that waits; the same id is a duplicate after it, whatever its bytes and outcome', async () => {
  const yaml = `webhooks: { github: { commands: [{ name: analyze }, { name: broken, action: comment, template: 'x' }] } }`;
  const engine = await startEngine({ yaml });
  const url = await openDoor(engine);
  for (const [text, status] of [
    ['@agent analyze it', 'processed'],
    ['thank you', 'ignored'],
    ['@agent broken', 'ignored'],
  ] as const) {
    const id = randomUUID();
    const payload = comment(text);
    const first = await takeIn(engine, payload, id);
    expect(first, text).toMatchObject({ status, trust: 'fetched', senderDeliveryId: id });
    const tasks = engine.context.store.tasks({ deliveryId: first.id });
    expect(tasks.map((task) => task.status)).toEqual(status === 'processed' ? ['waiting_approval'] : []);
    const duplicate = { status: 'duplicate', duplicateOf: first.id };
    expect(await post(engine, url, payload, id), text).toMatchObject(duplicate);
    expect(await takeIn(engine, payload, id), text).toMatchObject(duplicate);
  }
});

test('the same id that came before is not fetched again; another one with the same bytes is another delivery', async () => {
  const yaml = 'webhooks: { github: { commands: [{ name: analyze }, { trigger: issues.* }] } }';
  const engine = await startEngine({ yaml });
  const id = randomUUID();
  const payload = comment('@agent analyze it');
  const first = await post(engine, await openDoor(engine), payload, id);
  expect(first.status).toBe('processed');
  const again = await takeIn(engine, payload, id);
  expect(again).toMatchObject({ status: 'duplicate', duplicateOf: first.id });

  const { issue, sender } = payload;
  const labeled = { action: 'labeled', issue, sender, repository: payload.repository } as Payload;
  const options = { event: 'issues' };
  expect((await takeIn(engine, labeled, randomUUID(), options)).status).toBe('processed');
  expect((await takeIn(engine, labeled, randomUUID(), options)).status).toBe('processed');
});

test('a person lets what was fetched run: `replay` for an action, approval for a task; nothing is posted before', async () => {
  const yaml = `
credentials: { github: { tokenEnv: TOKEN, baseUrl: 'http://127.0.0.1:9', privateNetwork: true } }
webhooks: { github: { commands: [{ name: analyze }, { name: say, action: comment, template: Hello }] } }`;
  const engine = await startEngine({ yaml, env: { TOKEN: 't' } });
  const { store } = engine.context;
  const said = await takeIn(engine, comment('@agent say'), randomUUID());
  expect(said.status).toBe('ignored');
  expect(said.reason).toContain("`comment` does not run by itself: it was fetched from the sender's log");
  const replayed = await engine.replay(said.id, true);
  expect(replayed.delivery).toMatchObject({ status: 'processed', trust: 'operator' });
  expect(store.outbox({ deliveryId: replayed.delivery.id })).toMatchObject([{ kind: 'comment' }]);

  const asked = await takeIn(engine, comment('@agent analyze it'), randomUUID());
  expect(store.outbox({ deliveryId: asked.id })).toEqual([]);
  const [task] = store.tasks({ deliveryId: asked.id });
  expect(task?.sourceMetadata.reply).toMatchObject({ edits: true });
});
