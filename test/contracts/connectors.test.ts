import { describe, expect, test } from 'vitest';
import { CONNECTORS } from '../../src/connect/connectors/index.ts';
import { connect, disconnect } from '../../src/connect/operations.ts';
import { checkAll, repoint, setPaused } from '../../src/connect/upkeep.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import type { Connection } from '../../src/types.ts';
import { connectContext, order, type TestConnect } from '../connect/support.ts';
import { type Fault, type KeptHook, startLoopback } from '../support/hook-apis/loopback.ts';
import { manifestOf, SENDERS, type SenderCase } from '../support/hook-apis/senders.ts';

/** A webhook with a text command and a trigger, for senders without persons one with triggers alone. */
function webhookDb(provider: string): string {
  const trigger =
    {
      ...{ stripe: 'invoice.paid', jira: 'sprint_started', sentry: 'issue.created' },
      shopify: 'orders/create',
    }[provider] ?? null;
  const webhook = {
    ...{ webhook_id: 'wh-1', name: 'mine', provider, endpoint: `/webhooks/${provider}/wh-1`, enabled: true },
    secrets: [{ value: 'a-secret-of-the-webhook-0123456789' }],
    commands: [
      ...(['stripe', 'shopify'].includes(provider) ? [] : [{ id: 'cmd-1', name: 'go', template: 'Go' }]),
      ...(trigger === null ? [] : [{ id: 'cmd-2', trigger, template: 'See' }]),
    ],
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
  };
  return JSON.stringify({ schema_version: 1, webhooks: [webhook] });
}

async function started(name: string, sender: SenderCase) {
  const { spec, target, isOrganisation = false, place, site, token } = sender;
  const [provider = name] = name.split(' ');
  const api = await startLoopback(spec);
  const context = await connectContext(provider, api.url(), {
    ...{ db: webhookDb(provider), patienceMs: 4_000 },
    ...(site !== undefined && { site }),
    ...(token !== undefined && { account: { token: secret(token) } }),
  });
  const foreign = (url: string): KeptHook => {
    const id =
      provider === 'bitbucket'
        ? `{${api.nextId()}}`
        : provider === 'github'
          ? api.nextId()
          : `x${api.nextId()}`;
    const plain = ['gitlab', 'gitea', 'jira', 'shopify'].includes(provider) ? api.nextId() : id;
    const hook = { id: plain, place, url, events: ['push'], secret: 'theirs', isActive: true };
    api.hooks.push(hook);
    return hook;
  };
  const make = async () => {
    const wanted = order(provider, target, { isOrganisation, webhook: 'mine' });
    return { ...(await connect(context, wanted)), record: recordOf(context) };
  };
  return { api, context, foreign, make };
}

/** As a person does on the sender's page. */
function moveElsewhere(hook: KeptHook, url: string): void {
  const text = JSON.stringify(manifestOf(hook)).replaceAll(hook.url, url);
  Object.assign(manifestOf(hook), JSON.parse(text));
  hook.url = url;
}

function recordOf({ store }: TestConnect): Connection {
  const [record] = store.connections();
  if (record === undefined) throw new Error('there is no connection');
  return record;
}

const ONE_HOOK: readonly (readonly [name: string, fault: Fault])[] = [
  ['429', { status: 429, headers: { 'retry-after': '1' } }],
  ['500', { status: 500 }],
  ['500 after it was done', { status: 500, isDone: true }],
  ['a cut before it was done', { cut: 'reset' }],
  ['a cut after it was done', { cut: 'reset', isDone: true }],
  ['a cut in the middle of the answer', { cut: 'half', isDone: true }],
];

test('every connector is in the suite', () => {
  const named = Object.keys(SENDERS).map((name) => name.split(' ')[0]);
  expect([...new Set(named)].toSorted()).toEqual(CONNECTORS.toSorted());
});

describe.each(Object.entries(SENDERS))('%s', (name, sender) => {
  const [provider = name] = name.split(' ');

  test('one hook is made, kept, moved and removed; hooks of others stay as they are', async () => {
    const { api, context, foreign, make } = await started(name, sender);
    const marker = context.store.installationId();
    const path = `/webhooks/${provider}/wh-1`;
    const others = [
      ...['https://ci.example/hook', `https://x.example${path}?hookctl=ffffffffffffffff`].map(foreign),
      foreign(`https://other.example${path}`),
    ];
    const before = structuredClone(others);
    const made = await make();
    expect(made.outcome).toBe('made');
    if (sender.isUnlisted !== true) expect(made.notes.join()).toContain('--adopt');
    const hook = api.hooks.find(({ id }) => made.record.remoteId?.endsWith(id));
    expect(hook).toMatchObject({
      url: `https://first.example${path}?hookctl=${marker}`,
      isActive: true,
    });
    const secret = context.saved.get('mine') ?? 'a-secret-of-the-webhook-0123456789';
    expect(hook?.secret).toBe(secret);
    expect(hook?.events).toEqual(
      expect.arrayContaining([...made.record.events].filter((each) => each !== 'alerts')),
    );

    expect((await make()).outcome).toBe('kept');
    expect(await checkAll(context, { fix: false })).toMatchObject({
      connections: [{ state: 'ok' }],
      orphans: [],
    });

    const { events } = { ...hook };
    context.moveTo('https://second.example');
    await repoint(context, recordOf(context));
    expect(hook).toMatchObject({
      ...{ url: `https://second.example${path}?hookctl=${marker}`, secret, events, isActive: true },
    });

    if (await setPaused(context, recordOf(context), true)) {
      expect(hook?.isActive).toBe(false);
      await setPaused(context, recordOf(context), false);
      expect(hook).toMatchObject({ isActive: true, secret, events });
    }
    if (hook !== undefined) moveElsewhere(hook, `https://gone.example${path}`);
    expect((await checkAll(context, { fix: false })).connections[0]?.state).toBe('differs');
    await checkAll(context, { fix: true });
    expect((await checkAll(context, { fix: false })).connections[0]?.state).toBe('ok');

    await disconnect(context, recordOf(context));
    expect(api.hooks).toEqual(others);
    expect(others).toEqual(before);
  });

  // Where nothing is listed, an answer that was lost is looked for by a person.
  const faults = sender.isUnlisted === true ? ONE_HOOK.filter(([, { status }]) => status === 429) : ONE_HOOK;
  test.each(faults)('%s while the hook is made: there is one, with its secret', async (_, fault) => {
    const { api, context, make } = await started(name, sender);
    api.failNext(
      fault,
      ({ method, path, body }) =>
        method === 'POST' && !/rotate|validate/.test(path) && !/webhooks\(|^query/.test(String(body.query)),
    );
    const { record } = await make();
    expect(api.hooks).toHaveLength(1);
    expect(record.remoteId?.replace(/^\w+=/, '')).toBe(api.hooks[0]?.id);
    expect(api.hooks[0]?.secret).toBe(context.saved.get('mine') ?? 'a-secret-of-the-webhook-0123456789');
  });

  test.each([401, 403, 404])(
    '%s: nothing is made or recorded, and the missing right is named',
    async (status) => {
      const { api, context, make } = await started(name, sender);
      api.failNext({ status, body: '{"message":"no"}' }, ({ path }) => !path.includes('rotate'));
      const refused = await make().catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'api_refused',
        fix: expect.stringMatching(/https:\/\/|127\.0\.0\.1/),
      });
      expect(api.hooks).toEqual([]);
      expect(context.store.connections()).toEqual([]);
    },
  );
});
