import { expect, test } from 'vitest';
import { dbText, record } from '../config/dynamic/support.ts';
import { apisForFile } from '../outbox/support.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const apis = apisForFile();

interface Component {
  readonly custom_id: string;
  readonly label: string;
}

/** The buttons of the last message that went to Discord. */
function lastButtons(): readonly Component[] {
  const { body = '{}', path } = apis().requests.findLast(({ method }) => method === 'PATCH') ?? { path: '' };
  const { components = [] } = JSON.parse(body) as { components?: { components: Component[] }[] };
  expect(path).toMatch(/\/messages\/@original$/);
  return components.flatMap((row) => row.components);
}

/** An engine with a Discord app whose command waits for approval. */
function engine(now: () => number = Date.now) {
  const webhook = record(1, {
    name: 'discord',
    provider: 'discord',
    endpoint: '/webhooks/discord/wh-0000000000000001',
    secrets: [{ value: `whsk_${Buffer.alloc(32, 7).toString('base64')}` }],
    default_command: 'plan',
    allow: { users: ['53908232506183680'] },
    commands: [{ id: 'cmd-plan', name: 'plan', template: 'Plan', requires_approval: true }],
  });
  return startEngine({
    yaml: `credentials: { discord: { baseUrl: ${apis().url} } }\n`,
    db: dbText([webhook]),
    now,
  });
}

/** Presses a button under a message. */
function presser(deliver: TestEngine['deliver'], posted: string, externalId: string | null) {
  return (button: Component | undefined, message = posted) =>
    deliver('discord', 'message_component', (payload) => ({
      ...payload,
      channel_id: String(externalId?.split(':')[1]),
      message: { id: message },
      data: { component_type: 2, custom_id: button?.custom_id ?? '' },
    }));
}

test('Discord: a press of a button under the answer to a command decides once, and its token edits that message', async () => {
  const { deliver, sent, context } = await engine();
  const asked = await deliver('discord', 'application_command', undefined, '@agent plan');
  const [post] = await sent(asked.delivery.id);
  const task = asked.tasks[0]?.id ?? '';
  expect(lastButtons().map(({ label }) => label)).toEqual(['Approve', 'Reject']);

  const press = presser(deliver, post?.remoteId ?? '', asked.delivery.externalId);
  const [approve, reject] = lastButtons();
  expect((await press(approve, '99')).delivery).toMatchObject({
    status: 'ignored',
    reason: expect.stringContaining('was copied'),
  });
  const { delivery } = await press(approve);
  expect(delivery).toMatchObject({ status: 'processed' });
  await sent(delivery.id);
  await eventually('the edit', () =>
    lastButtons()
      .map(({ label }) => label)
      .join() === 'Cancel'
      ? true
      : null,
  );
  expect(apis().requests.at(-1)?.body).toContain('Approved by discord:ada');
  expect((await press(reject)).delivery.reason).toContain('discord:ada came first');
  expect(context.store.task(task)?.status).toBe('queued');
});

test('a button is over after seven days, and says what to type', async () => {
  let now = Date.now();
  const { deliver, sent, context } = await engine(() => now);
  const asked = await deliver('discord', 'application_command', undefined, '@agent plan');
  const [post] = await sent(asked.delivery.id);
  const [approve] = lastButtons();
  const press = presser(deliver, post?.remoteId ?? '', asked.delivery.externalId);
  now += 7 * 24 * 3_600_000 + 1_000;
  const task = asked.tasks[0]?.id ?? '';
  const { delivery } = await press(approve);
  expect(delivery.status).toBe('ignored');
  expect(delivery.reason).toMatch(new RegExp(`was over 20.*hookctl task approve ${task}`));
  expect(context.store.task(task)?.status).toBe('waiting_approval');
});
