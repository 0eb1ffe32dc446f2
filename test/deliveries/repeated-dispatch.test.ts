import { expect, test } from 'vitest';
import { dispatch } from '../../src/deliveries/dispatch.ts';
import { type DeliveryOutcome, effectsOf } from '../../src/store/store.ts';
import { startEngine } from '../support/engine.ts';

/** Two commands of one event, the second with two posts. */
const YAML = `
webhooks:
  github:
    commands:
      - { name: analyze, template: 'Analyze {{@event.title}}' }
      - { trigger: issue_comment.created, template: 'Note {{@event.title}}' }
      - { trigger: issue_comment.created, action: forward, options: { urls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] } }
`;

function madeBy({ effects }: DeliveryOutcome) {
  const tasks = effectsOf(effects, 'task');
  return {
    tasks: tasks.map(({ task }) => task.id),
    conversations: tasks.map(({ newConversationId }) => newConversationId),
    posts: effectsOf(effects, 'post').map(({ item }) => item.id),
  };
}

test('dispatch: repeated, it makes the same tasks, conversations and posts', async () => {
  const { context, deliver, configuration } = await startEngine({ yaml: YAML });
  const outcomes: DeliveryOutcome[] = [];
  const noting = {
    ...context,
    store: {
      ...context.store,
      recordOutcome: async (outcome: DeliveryOutcome) => {
        outcomes.push(outcome);
        return [];
      },
    },
  };
  const { delivery, tasks } = await deliver('github', 'issue_comment.created');
  const webhook = configuration.snapshot.webhooks.find(({ name }) => name === 'github');
  const body = context.store.body(delivery.id);
  if (webhook === undefined || body === null) throw new Error('the delivery was not stored');
  const parsed = webhook.provider.parse({ headers: delivery.headers, query: '', body }, webhook);
  const parsedDelivery = { delivery: { ...delivery, status: 'pending' as const }, webhook, parsed };
  await dispatch(noting, delivery.id, { parsedDelivery });
  await dispatch(noting, delivery.id, { parsedDelivery });

  const [first, second] = outcomes.map(madeBy);
  expect(second).toEqual(first);
  expect(first?.tasks).toEqual(tasks.map(({ id }) => id));
  expect(first?.posts).toHaveLength(2);
  for (const made of Object.values(first ?? {})) {
    expect(made).toHaveLength(2);
    expect(made.toSorted()).toEqual(made);
    for (const id of made) expect(id.split('-')[1]?.slice(0, 10)).toBe(delivery.id.slice(4, 14));
  }
});
