import { expect, onTestFinished, test } from 'vitest';
import { spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest, settled, startHumanServe } from '../support/server.ts';
import { tunnelLines } from '../support/tunnel.ts';
import { type RelayServer, startRelay } from '../tunnels/fixtures/relay-server.ts';

const UNVERIFIABLE = 'unverifiable (the relay changed the bytes)';
const MARK = 'x-hookctl-relay';

/** What GitHub may send and smee.io does not keep: JSON that is not as JSON.stringify writes it. */
const SPACED = JSON.stringify(comment('@agent analyze'), null, 2);

async function relayForTest(dialect: 'smee' | 'gosmee'): Promise<RelayServer> {
  const relay = await startRelay(dialect);
  onTestFinished(relay.stop);
  return relay;
}

async function serveBehind(relay: RelayServer, sandbox: Sandbox) {
  const server = await serverForTest(sandbox, '--tunnel', `smee=${relay.url}`);
  await eventually('the tunnel', () => tunnelLines(server).some(({ phase }) => phase === 'up'));
  return server;
}

/** The only delivery there, once it is worked off. */
async function onlyDelivery(sandbox: Sandbox) {
  const [only] = await eventually('a delivery', () => {
    const rows = readStore(sandbox, (reader) => reader.deliveries({ limit: 10 }));
    return rows.length > 0 && rows;
  });
  return settled(sandbox, only?.id ?? '');
}

const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  signedPost(url, body, { path: '', headers });

test('changed bytes are rejected as unverifiable, with what to do, and never as a wrong signature', async () => {
  const relay = await relayForTest('smee');
  const sandbox = await sandboxForTest();
  const running = await startHumanServe(sandbox, '--tunnel', `smee=${relay.url}`);
  const urlOf = (webhook: string) => new RegExp(`^ *${webhook}\\b.*(?:\\n {2}.*)*${relay.url}`, 'm');
  await eventually('the endpoint', () => urlOf('github').test(running.stderr()));
  expect(running.stderr(), 'a channel leads to one endpoint').not.toMatch(urlOf('jira'));
  await post(relay.url, SPACED);
  expect(await onlyDelivery(sandbox)).toMatchObject({
    status: 'rejected',
    reason: UNVERIFIABLE,
    trust: null,
  });
  await eventually('the line', () => running.stderr().includes(`rejected: ${UNVERIFIABLE}`));
  expect(running.stderr()).toContain('Use a tunnel that keeps bytes (cloudflared, ssh, gosmee)');
  expect(running.stderr()).not.toMatch(/wrong signature|Compare the secrets/i);
});

test('bytes that a relay happened to keep are verified, whatever it says of itself', async () => {
  const relay = await relayForTest('smee');
  const sandbox = await sandboxForTest();
  const server = await serveBehind(relay, sandbox);
  expect(tunnelLines(server).at(-1)).toMatchObject({ byte_exact: false, can_respond: false, stable: true });
  await post(relay.url, JSON.stringify(comment('@agent analyze')));
  expect(await onlyDelivery(sandbox)).toMatchObject({ status: 'processed', trust: 'verified' });
});

test('gosmee keeps the bytes', async () => {
  const relay = await relayForTest('gosmee');
  const sandbox = await sandboxForTest();
  const server = await serveBehind(relay, sandbox);
  expect(tunnelLines(server).at(-1)).toMatchObject({ byte_exact: true, leads_to: '/webhooks/github' });
  await post(relay.url, SPACED);
  expect(await onlyDelivery(sandbox)).toMatchObject({ status: 'processed', trust: 'verified' });
});

const ALLOWING = {
  'webhooks.yml':
    'webhooks: { github: { allowUnverifiable: true, commands: [{ name: analyze }, { trigger: issue_comment.created }] } }\n',
  'webhooks/github.ts': `import { defineWebhook } from 'hookctl';
export default defineWebhook({
  name: 'loose', provider: 'github', secretEnv: 'GITHUB_WEBHOOK_SECRET', allowUnverifiable: true,
  commands: [{ trigger: 'issue_comment.created' }, { trigger: 'issue_comment.created', action: 'comment', template: 'hi' }],
});`,
} as const;

test('`allowUnverifiable: true` in webhooks.yml lets them make a task, as unverified', async () => {
  const relay = await relayForTest('smee');
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': ALLOWING['webhooks.yml'] } });
  await serveBehind(relay, sandbox);
  await post(relay.url, SPACED);
  const delivery = await onlyDelivery(sandbox);
  expect(delivery).toMatchObject({ status: 'processed', trust: 'unverified' });
  expect(readStore(sandbox, (reader) => reader.tasks({ deliveryId: delivery.id }))).toHaveLength(1);
  expect(delivery.headers).not.toHaveProperty(MARK);
});

test('`allowUnverifiable: true` of a static webhook does, too; what is unverified never posts', async () => {
  const relay = await relayForTest('smee');
  const files = {
    'webhooks.yml': `tunnel: { use: smee, url: ${relay.url}, path: /webhooks/loose }\n`,
    'webhooks/github.ts': ALLOWING['webhooks/github.ts'],
  };
  const sandbox = await sandboxForTest({ files });
  const server = await serverForTest(sandbox);
  await eventually('the tunnel', () => tunnelLines(server).some(({ phase }) => phase === 'up'));
  await post(relay.url, SPACED);
  expect(await onlyDelivery(sandbox)).toMatchObject({
    webhook: 'loose',
    trust: 'unverified',
    status: 'processed',
  });
  const { decisions } = await onlyDelivery(sandbox);
  expect(decisions.map(({ fired, error }) => [fired, error])).toEqual([
    [true, null],
    [true, 'the delivery was not verified'],
  ]);
  const direct = await signedPost(server.url, SPACED, { path: '/webhooks/loose', secret: 'wrong' });
  expect(direct.status, 'without the relay a wrong signature is a wrong signature').toBe(401);
});

test.each(['a guess', '', 'f'.repeat(64)])(
  'the mark %j of a stranger changes nothing and is not stored',
  async (mark) => {
    const sandbox = await sandboxForTest({ files: { 'webhooks.yml': ALLOWING['webhooks.yml'] } });
    const server = await serverForTest(sandbox);
    const forged = await signedPost(server.url, SPACED, { secret: 'wrong', headers: { [MARK]: mark } });
    expect(forged.status).toBe(401);
    const right = await signedPost(server.url, SPACED, { headers: { [MARK]: mark } });
    expect(await settled(sandbox, right.id)).toMatchObject({ status: 'processed', trust: 'verified' });
    const rows = readStore(sandbox, (reader) => reader.deliveries({ limit: 10 }));
    expect(rows.map(({ headers }) => MARK in headers)).toEqual([false, false]);
    expect(rows.find(({ status }) => status === 'rejected')?.reason).not.toBe(UNVERIFIABLE);
  },
);

test('a relay opened beside the server by `tunnel open` is known to it', async () => {
  const relay = await relayForTest('smee');
  const sandbox = await sandboxForTest();
  await serverForTest(sandbox);
  const opened = spawnCli(sandbox, ['tunnel', 'open', `smee=${relay.url}`, '--print-url']);
  onTestFinished(async () => {
    opened.child.kill('SIGKILL');
    await opened.ended;
  });
  await eventually('the URL', () => opened.stdout() === `${relay.url}\n`);
  await post(relay.url, SPACED, { [MARK]: 'a stranger' });
  expect(await onlyDelivery(sandbox)).toMatchObject({ status: 'rejected', reason: UNVERIFIABLE });
  opened.child.kill('SIGTERM');
  expect(await opened.ended).toMatchObject({ code: 0, stdout: `${relay.url}\n` });
  expect(opened.stderr()).toContain('tunnel smee up: open at');
});
