import { randomInt, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { explain } from '../../src/deliveries/explain.ts';
import { receive } from '../../src/deliveries/receive.ts';
import { choose, liveVariant } from '../../src/deliveries/variants/choose.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import type { Delivery, Webhook } from '../../src/types.ts';
import { onIssue, startEngine, type TestEngine } from '../support/engine.ts';
import { providers } from '../support/providers.ts';
import { receiverForTest } from '../support/receiver.ts';
import { eventWith, webhookWith } from './support.ts';

const SPLIT = `
webhooks:
  github:
    commands:
      - { name: analyze, template: 'Look at {{@argument}}' }
      - { name: fix, template: 'Fix {{@argument}}' }
    variants:
      - { name: a, weight: 90 }
      - { name: b, weight: 10, template: 'Look closely at {{@argument}}', targetAgent: planning }
`;

const ids = Array.from({ length: 100_000 }, (_, at) => `github:octo/repo-${at % 97}#${at}`);

/** Which variant of a webhook has each external id. */
const chosen = (webhook: Webhook, of = ids) =>
  of.map((externalId) => choose(webhook, eventWith({ externalId }))?.names[0]);

const shareOf = (name: string, names: readonly (string | undefined)[]) =>
  names.filter((each) => each === name).length / names.length;

test('variants: 100,000 external ids are split within 1 % of the weights', async () => {
  const weights = { a: 60, b: 30, c: 9, d: 1 };
  const variants = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
  const names = chosen(await webhookWith({ variants }));
  for (const [name, weight] of Object.entries(weights))
    expect(Math.abs(shareOf(name, names) - weight / 100)).toBeLessThan(0.01);
});

test('variants: an external id stays with its variant, and moves only to one that gains', async () => {
  const variants = (b: number) => [
    { name: 'a', weight: 90 },
    { name: 'b', weight: b },
  ];
  const some = ids.slice(0, 10_000);
  const before = chosen(await webhookWith({ variants: variants(10) }), some);
  expect(chosen(await webhookWith({ variants: variants(10) }), some)).toEqual(before);
  expect(before.slice(0, 40).join('')).toBe('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaabaaaaabaaa');
  const after = chosen(await webhookWith({ variants: variants(30) }), some);
  expect(some.filter((_, at) => before[at] === 'b' && after[at] === 'a')).toEqual([]);
  expect(shareOf('b', after)).toBeCloseTo(0.25, 1);
});

test('variants: the chosen one makes the task, and is recorded with the delivery and shown by explain', async () => {
  const engine = await startEngine({ yaml: SPLIT });
  const seen = new Set<string>();
  for (let issue = 1; seen.size < 2 && issue < 200; issue += 1) {
    const about = `github:octo-org/octo-repo#${issue}`;
    const webhook = engine.context.snapshot().byName.get('github');
    if (webhook === undefined) throw new Error('no webhook');
    const name = choose(webhook, eventWith({ externalId: about }))?.names[0] ?? '';
    if (seen.has(name)) continue;
    seen.add(name);
    const { delivery, tasks } = await engine.deliver('github', 'issue_comment.created', onIssue(issue));
    expect(tasks.map(({ agent }) => agent)).toEqual([name === 'b' ? 'planning' : 'brain']);
    expect(tasks[0]?.title).toMatch(name === 'b' ? /^Look closely at/ : /^Look at/);
    const stored = engine.context.store.delivery(delivery.id);
    expect([stored?.variant, stored?.decisions.map(({ variant }) => variant)]).toEqual([name, [name, name]]);
    const body = engine.context.store.body(delivery.id) ?? new Uint8Array();
    const { events } = await explain(webhook, { headers: delivery.headers, query: '', body });
    expect(events.map(({ variant }) => variant)).toEqual([name]);
    const again = await engine.deliver('github', 'issue_comment.created', onIssue(issue));
    expect(again.delivery.variant).toBe(name);
  }
  expect([...seen].toSorted()).toEqual(['a', 'b']);
});

test('variants: of a command, only that command differs', async () => {
  const yaml = `
webhooks:
  github:
    commands:
      - name: analyze
        template: Look
        variants: [{ name: x, targetAgent: planning }, { name: y, targetAgent: executor }]
      - { name: fix, template: Fix }
`;
  const engine = await startEngine({ yaml });
  const { delivery, tasks } = await engine.deliver('github', 'issue_comment.created');
  expect(delivery.variant).toMatch(/^analyze\/[xy]$/);
  expect(tasks[0]?.agent).toBe(delivery.variant === 'analyze/x' ? 'planning' : 'executor');
  expect(delivery.decisions.map(({ command, variant }) => [command, variant])).toEqual([
    ['analyze', delivery.variant],
    ['fix', undefined],
  ]);
  const fixed = await engine.deliver('github', 'issue_comment.created', undefined, '@agent fix');
  expect(fixed.tasks.map(({ agent }) => agent)).toEqual(['brain']);
});

test('variants: the form of a command keeps its id, and one in shadow is never chosen', async () => {
  const variants = [{ name: 'x' }, { name: 'y', target_agent: 'planning' }, { name: 'z', mode: 'shadow' }];
  const at = '2026-01-01T00:00:00Z';
  const dynamic = {
    ...{ webhook_id: 'wh-own', provider: 'github', name: 'own', endpoint: '/webhooks/github/wh-own' },
    ...{ secret: 'a', created_at: at, updated_at: at },
    commands: [{ id: 'cmd-own', name: 'analyze', variants }],
  };
  const engine = await startEngine({ db: JSON.stringify({ schema_version: 1, webhooks: [dynamic] }) });
  const webhook = engine.context.snapshot().byName.get('own');
  if (webhook === undefined) throw new Error('no webhook');
  const choices = ids.slice(0, 300).map((externalId) => choose(webhook, eventWith({ externalId })));
  // Ids of tasks are made of it, so that a delivery that is worked off again makes the same tasks.
  expect(new Set(choices.map((each) => each?.webhook.commands[0]?.id))).toEqual(new Set(['cmd-own']));
  expect([...new Set(choices.flatMap((each) => each?.names ?? []))].toSorted()).toEqual([
    'analyze/x',
    'analyze/y',
  ]);
});

test('variants: one in shadow decides beside the live one, and makes nothing', async () => {
  const yaml = `${SPLIT}      - { name: next, mode: shadow, template: 'Another {{@argument}}', targetAgent: executor }\n`;
  const engine = await startEngine({ yaml });
  const { delivery, tasks } = await engine.deliver('github', 'issue_comment.created');
  expect(tasks).toHaveLength(1);
  const shadows = delivery.decisions.filter(({ would }) => would !== undefined);
  expect(shadows).toMatchObject([
    {
      command: 'analyze',
      variant: 'next',
      fired: false,
      taskIds: [],
      would: {
        action: 'create_task',
        agent: 'executor',
        waits: false,
        text: expect.stringMatching(/^Another/),
      },
    },
    { command: 'fix', variant: 'next', fired: false, would: null },
  ]);
});

/** A webhook of each provider, in shadow, with every kind of action on every event. */
function everywhere(url: string): string {
  const commands = [
    { id: 'cmd-1', name: 'analyze', template: '{{@event.title}} {{@argument}}' },
    { id: 'cmd-2', trigger: '*', template: '{{@event.type}}' },
    { id: 'cmd-3', trigger: '*', action: 'comment', template: 'Seen' },
    { id: 'cmd-4', trigger: '*', action: 'run', options: { program: 'touch', args: ['ran'] } },
    { id: 'cmd-5', trigger: '*', action: 'forward', options: { urls: [url], privateNetwork: true } },
    { id: 'cmd-6', trigger: '*', coalesce: { window: '1h' } },
  ];
  const webhooks = providers.map(({ name, newSecret }) => ({
    ...{
      webhook_id: `wh-${name}`,
      provider: name,
      name: `own ${name}`,
      endpoint: `/webhooks/${name}/wh-${name}`,
    },
    ...{ mode: 'shadow', default_command: 'analyze', commands },
    secrets: [{ value: newSecret?.() ?? 'a-secret-of-the-tests' }],
    ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
  }));
  return JSON.stringify({ schema_version: 1, webhooks });
}

async function sampled(engine: TestEngine, webhook: Webhook): Promise<readonly Delivery[]> {
  const rows: Delivery[] = [];
  for (const sample of webhook.provider.samples) {
    const now = new Date();
    const payload = sample.build({ text: '@agent analyze', now, nextNumber: () => randomInt(1, 2 ** 47) });
    const value = webhook.secrets[0]?.value ?? secret('x');
    const body = Buffer.from(JSON.stringify(payload));
    const order = { type: sample.type, secret: value, deliveryId: randomUUID(), now };
    const request = webhook.provider.sign(body, order);
    // As from a connection of hookctl's own: some providers sign with keys that they alone have.
    const receipt = await receive(engine.context, webhook, { query: '', ...request }, 'socket');
    expect([webhook.name, sample.type, receipt.status]).toEqual([webhook.name, sample.type, 'pending']);
    const { deliveryId: id, externalId } = receipt;
    const result = await engine.queue.push({ id, externalId, attempts: 0, nextAttemptAt: null });
    if (result !== null && 'delivery' in result) rows.push(result.delivery);
  }
  return rows;
}

test('shadow: no sample of any provider makes a task, posts or runs something', async () => {
  const outside = await receiverForTest();
  const engine = await startEngine({ db: everywhere(outside.url) });
  const { store, snapshot } = engine.context;
  const webhooks = snapshot().webhooks.filter(({ mode }) => mode === 'shadow');
  expect(webhooks).toHaveLength(providers.length);
  const rows: Delivery[] = [];
  for (const webhook of webhooks) rows.push(...(await sampled(engine, webhook)));
  expect(rows).toHaveLength(webhooks.reduce((sum, { provider }) => sum + provider.samples.length, 0));
  expect(rows.filter(({ status }) => status !== 'ignored')).toEqual([]);
  expect(rows.filter(({ decisions }) => decisions.every(({ would }) => would == null))).toEqual([]);
  expect([store.tasks(), store.outbox(), store.flows(), outside.received]).toEqual([[], [], [], []]);
  expect(existsSync(`${engine.folder}/ran`)).toBe(false);
});

test('shadow: what it takes, another webhook acts on', async () => {
  const engine = await startEngine({
    yaml: 'webhooks: { github: { commands: [{ name: analyze }] } }',
    db: everywhere('http://127.0.0.1:9/'),
  });
  const [live, shadow] = ['github', 'own github'].map((name) => engine.context.snapshot().byName.get(name));
  if (live === undefined || shadow === undefined) throw new Error('no webhook');
  const twin = { ...shadow, secrets: live.secrets };
  const sample = live.provider.samples.find(({ type }) => type === 'issue_comment.created');
  const now = new Date();
  const payload = sample?.build({ text: '@agent analyze', now, nextNumber: () => 7 });
  const order = { type: 'issue_comment.created', deliveryId: randomUUID(), now };
  const request = live.provider.sign(Buffer.from(JSON.stringify(payload)), {
    ...order,
    secret: live.secrets[0]?.value ?? secret('x'),
  });
  const first = await receive(engine.context, twin, { query: '', ...request });
  const second = await receive(engine.context, live, { query: '', ...request });
  expect([first.status, second.status]).toEqual(['pending', 'pending']);
});

test('variants: names that come twice, no live one, a weight in shadow and two comparisons at once are refused', async () => {
  const issuesOf = (definition: object) =>
    webhookWith(definition).then(
      () => '',
      (error: Error) => error.message,
    );
  expect(await issuesOf({ variants: [{ name: 'a' }, { name: 'a' }] })).toContain('a is used twice');
  expect(await issuesOf({ variants: [{ name: 'a', mode: 'shadow' }] })).toContain('none of them is live');
  const weighed = { variants: [{ name: 'a' }, { name: 'b', mode: 'shadow', weight: 3 }] };
  expect(await issuesOf(weighed)).toContain('has no effect on a shadow variant');
  const both = { variants: [{ name: 'a' }], commands: [{ name: 'analyze', variants: [{ name: 'x' }] }] };
  expect(await issuesOf(both)).toContain('two comparisons at once');
  const broken = { variants: [{ name: 'a', template: '{{#if' }] };
  expect(await issuesOf(broken)).toContain('["variants",0,"template"]');
});

test('variants: the best draw by weight decides, whatever the order', () => {
  const variant = (name: string, weight: number) =>
    ({ name, weight, mode: 'live', commands: [], defaultCommand: null, source: {} }) as const;
  const [a, b] = [variant('a', 1), variant('b', 3)];
  for (const thread of ids.slice(0, 100))
    expect(liveVariant([a, b], 's', thread).name).toBe(liveVariant([b, a], 's', thread).name);
});
