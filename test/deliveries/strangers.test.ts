import { expect, test } from 'vitest';
import { receive } from '../../src/deliveries/receive.ts';
import { onIssue, startEngine } from '../support/engine.ts';
import type { Payload } from '../support/github.ts';

const sentry = (more: string) =>
  `webhooks: { sentry: { commands: [{ name: analyze-error }, { trigger: '*', template: Look${more} }] } }`;

test.each([
  ['error.created', '', 'waiting_approval'],
  ['event_alert.triggered', '', 'waiting_approval'],
  ['issue.created', '', 'waiting_approval'],
  ['metric_alert.critical', '', 'queued'],
  ['error.created', ', approval: never', 'queued'],
])('F8: an automatic task of Sentry %s%s is %s', async (type, more, status) => {
  const engine = await startEngine({ yaml: sentry(more) });
  const { tasks, delivery } = await engine.deliver('sentry', type);
  expect(tasks.map((task) => task.status)).toContain(status);
  if (status === 'waiting_approval') expect(delivery.reason).toContain('a stranger can have written');
});

/** A webhook of the data file, and how its sender signs one payload. */
async function dynamic(provider: string, options: object, command: object) {
  const at = '2026-01-01T00:00:00Z';
  const webhook = {
    ...{
      webhook_id: 'wh-words',
      provider,
      name: 'words',
      endpoint: `/webhooks/${provider}/wh-words`,
      secret: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
    },
    ...{ options, commands: [{ id: 'cmd-words', ...command }], created_at: at, updated_at: at },
  };
  const engine = await startEngine({ db: JSON.stringify({ schema_version: 1, webhooks: [webhook] }) });
  return async (payload: object) => {
    const found = engine.context.snapshot().byName.get('words');
    const secret = found?.secrets[0]?.value;
    if (found === undefined || secret === undefined) throw new Error('no webhook');
    const body = Buffer.from(JSON.stringify(payload));
    const signed = found.provider.sign(body, { type: 'x', secret, deliveryId: 'd-1', now: new Date() });
    const { deliveryId: id, externalId } = await receive(engine.context, found, { ...signed, query: '' });
    await engine.queue.push({ id, externalId, attempts: 0, nextAttemptAt: null });
    return engine.context.store.tasks({ deliveryId: id })[0]?.status ?? 'no task';
  };
}

test.each([
  ['generic', {}, { trigger: '*' }, 'waiting_approval'],
  ['generic', { strangersWords: true }, { trigger: '*' }, 'waiting_approval'],
  ['generic', { strangersWords: false }, { trigger: '*' }, 'queued'],
  ['generic', {}, { trigger: '*', approval: 'never' }, 'queued'],
  ['generic', {}, { trigger: '*', approval: 'never', requires_approval: true }, 'waiting_approval'],
  // Where the sender is a setting, and the payload names none.
  ['generic', { sender: 'user.id' }, { trigger: '*' }, 'waiting_approval'],
  ['generic', { sender: 'user.id', strangersWords: false }, { trigger: '*' }, 'waiting_approval'],
  ['generic', { sender: 'user.id' }, { trigger: '*', approval: 'never' }, 'queued'],
  // A person whom the payload names is judged by `allow`, whatever the command says.
  ['generic', { sender: 'who' }, { trigger: '*', approval: 'never' }, 'waiting_approval'],
  ['standard', {}, { trigger: '*' }, 'waiting_approval'],
  ['standard', { strangersWords: false }, { trigger: '*' }, 'queued'],
  ['standard', {}, { trigger: '*', approval: 'never' }, 'queued'],
  ['stripe', { strangersWords: false }, { trigger: '*' }, 'queued'],
  ['grafana', { strangersWords: true }, { trigger: '*' }, 'waiting_approval'],
])('F8: %s with %j and the command %j: a task is %s', async (provider, options, command, status) => {
  const deliver = await dynamic(provider, options, { template: 'Look', ...command });
  const alerts = {
    status: 'firing',
    alerts: [{ status: 'firing', labels: { alertname: 'x' }, fingerprint: 'f' }],
  };
  const payload = {
    id: 'evt_1',
    type: 'customer.updated',
    kind: 'form',
    note: '@agent go',
    who: '7',
    ...alerts,
  };
  expect(await deliver(payload)).toBe(status);
});

test('G10: a question is answered by a reply that another webhook of the thread brings', async () => {
  const at = '2026-01-01T00:00:00Z';
  const db = JSON.stringify({
    schema_version: 1,
    webhooks: [
      {
        webhook_id: 'wh-app',
        ...{ provider: 'github', name: 'app', endpoint: '/webhooks/github/wh-app', secret: 'app' },
        commands: [{ id: 'cmd-other', name: 'other' }],
        ...{ created_at: at, updated_at: at },
      },
    ],
  });
  const yaml = `credentials: { github: { tokenEnv: TOKEN, baseUrl: 'http://127.0.0.1:9' } }
webhooks: { github: { defaultCommand: go, commands: [{ name: go, action: ask, template: 'Which branch?' }] } }`;
  const engine = await startEngine({ yaml, db, env: { TOKEN: 'a-token' } });
  const asked = await engine.deliver('github', 'issue_comment.created', onIssue(12), '@agent go');
  const app = engine.context.snapshot().byName.get('app');
  const sample = app?.provider.samples.find(({ type }) => type === 'issue_comment.created');
  if (app === undefined || sample === undefined) throw new Error('no webhook');
  const say = async (text: string, change: (payload: Payload) => Payload = (payload) => payload) => {
    const built = sample.build({ text, now: new Date(), nextNumber: () => Math.floor(Math.random() * 1e9) });
    const payload = change(onIssue(12)(built) as Payload);
    const body = Buffer.from(JSON.stringify(payload));
    const secret = app.secrets[0]?.value;
    if (secret === undefined) throw new Error('no secret');
    const signed = app.provider.sign(body, { type: sample.type, secret, deliveryId: text, now: new Date() });
    const { deliveryId: id, externalId } = await receive(engine.context, app, { ...signed, query: '' });
    return engine.queue.push({ id, externalId, attempts: 0, nextAttemptAt: null });
  };
  const status = () => engine.context.store.task(asked.tasks[0]?.id ?? '')?.status;
  expect(status()).toBe('waiting_answer');
  await say('@agent go on'); // A command of the webhook that asked.
  expect(status()).toBe('waiting_answer');
  await say('main, please');
  expect(status()).toBe('queued');
});

test('G14: a command written before the newest restore is refused with the reason; a replay runs it', async () => {
  const restoredAt = Date.now() - 60_000;
  const engine = await startEngine();
  await engine.context.store.recordAudit([
    {
      ...{ at: restoredAt, actor: { kind: 'cli', name: 'test' }, what: 'backup.restore' },
      ...{ owner: 'operator', target: '/backup', details: {}, revision: null },
    },
  ]);
  const written = (at: number) => (payload: Payload) => {
    const built = onIssue(31)(payload) as { comment: Payload };
    return { ...built, comment: { ...built.comment, created_at: new Date(at).toISOString() } } as Payload;
  };
  const say = (at: number) =>
    engine.deliver('github', 'issue_comment.created', written(at) as never, '@agent analyze');
  const old = await say(restoredAt - 5000);
  expect(old.delivery).toMatchObject({ status: 'ignored' });
  expect(old.delivery.reason).toMatch(/written before the restore of .*hookctl replay dlv-/);
  expect((await say(restoredAt + 5000)).tasks).toHaveLength(1);
  expect((await engine.replay(old.delivery.id, false)).tasks).toHaveLength(1);
});
