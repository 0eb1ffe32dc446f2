import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { secret } from '../../src/lib/redact/redact.ts';
import { spawnIn } from '../support/cli.ts';
import { examples, type Payload, signedPost } from '../support/github.ts';
import { expectJson } from '../support/management.ts';
import { providers } from '../support/providers.ts';
import { readStore, type Server, settled, tokenOf } from '../support/server.ts';
import { serverOfSuite } from '../support/suite.ts';

const suite = serverOfSuite();
let server: Server;

beforeAll(async () => {
  server = suite().server;
});

/** The examples of the description, as they are typed, with the token and the port of management. */
async function curl(path: string, data: string): Promise<Record<string, string>> {
  const args = ['-sS', '-X', 'POST', `http://localhost:${server.managementPort}${path}`];
  const headers = [
    '-H',
    'Content-Type: application/json',
    '-H',
    `Authorization: Bearer ${tokenOf(server.sandbox)}`,
  ];
  const { stdout, stderr } = await spawnIn(server.sandbox, 'curl', [...args, ...headers, '-d', data]).ended;
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

function issueOpened(association: string, user: { id: number; login: string }): Payload {
  const found = examples().find(({ event, payload }) => event === 'issues' && payload.action === 'opened');
  const payload = found?.payload as Payload & { issue: Payload };
  Object.assign(payload.issue, {
    id: randomInt(2 ** 47),
    author_association: association,
    title: 'It crashes',
    user: { ...user, type: 'User' },
  });
  return { ...payload, sender: { ...user, type: 'User' } };
}

describe('the curl examples of the description', () => {
  let endpoint: string;

  beforeAll(async () => {
    const webhook = await curl(
      '/api/webhooks',
      '{"provider": "github", "name": "My Custom Webhook", "secret": "my-secret"}',
    );
    endpoint = String(webhook.endpoint);
    const template = '"template": "New issue: {{issue.title}}"';
    const command = `{"trigger": "issues.opened", "action": "create_task", "target_agent": "planning", ${template}}`;
    await curl(`/api/webhooks/${webhook.webhook_id}/commands`, command);
  });

  const post = (payload: Payload) =>
    signedPost(server.url, payload, { event: 'issues', secret: 'my-secret', path: endpoint });

  test('make a task with the rendered template of an issue that an OWNER opens', async () => {
    const { status, id } = await post(issueOpened('OWNER', { id: 1, login: 'owner' }));
    expect(status).toBe(202);
    expect((await settled(server.sandbox, id)).status).toBe('processed');
    const tasks = readStore(server.sandbox, (reader) => reader.tasks({ deliveryId: id }));
    expect(tasks).toMatchObject([{ title: 'New issue: It crashes', agent: 'planning', status: 'queued' }]);
  });

  test('make a task that waits for approval of an issue that a stranger opens', async () => {
    const { id } = await post(issueOpened('NONE', { id: 2, login: 'stranger' }));
    await settled(server.sandbox, id);
    const tasks = readStore(server.sandbox, (reader) => reader.tasks({ deliveryId: id }));
    expect(tasks).toMatchObject([{ title: 'New issue: It crashes', status: 'waiting_approval' }]);
  });
});

/** The others, whose secrets have forms of their own: test/e2e/presets.test.ts. */
const builtIn = providers.filter(({ webhook }) => webhook !== null);

describe.each(builtIn.map((provider) => [provider.name, provider] as const))(
  'a webhook of %s',
  (name, provider) => {
    const [sample] = provider.samples;
    const context = { text: 'hello', now: new Date(), nextNumber: () => randomInt(1e6) };
    const body = Buffer.from(JSON.stringify(sample?.build(context) ?? {}));
    const signedBy = (key: string) =>
      provider.sign(body, {
        type: sample?.type ?? '',
        secret: secret(key),
        deliveryId: 'd-1',
        now: new Date(),
      });
    const send = async (path: string, { headers, body: bytes }: ReturnType<typeof signedBy>) =>
      (await fetch(server.url + path, { method: 'POST', headers, body: Uint8Array.from(bytes) })).status;

    test('accepts what is signed by its secret alone, 403 when disabled, 404 when there is none', async () => {
      const given = { provider: name, name: `a ${name}`, secret: 'right-secret' };
      const { webhook_id, endpoint } = await expectJson(201, server, 'POST', '/api/webhooks', {
        body: given,
      });
      const path = String(endpoint);
      const bare = { headers: { 'content-type': 'application/json' }, body };
      expect(await send(path, signedBy('right-secret'))).toBeLessThan(300);
      expect(await send(path, signedBy('wrong-secret'))).toBe(401);
      expect(await send(path, bare)).toBe(401);
      expect(await send(`/webhooks/${name}/wh-unknown`, signedBy('right-secret'))).toBe(404);
      await expectJson(200, server, 'POST', `/api/webhooks/${webhook_id}/disable`);
      expect(await send(path, signedBy('right-secret'))).toBe(403);
    });
  },
);
