import { createHmac } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { closeServer, listen } from '../../src/lib/http/listen.ts';
import type { DeliveryView } from '../../src/views.ts';
import { cli, cliJson, spawnIn } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { serverForTest } from '../support/server.ts';

/** A sender that hookctl has never heard of, in one file: how it signs, what it says, how it is answered. */
const TICKETS = `import { defineProvider, defineWebhook } from 'hookctl';

export const tickets = defineProvider({
  name: 'tickets',
  label: 'Tickets',
  signature: {
    header: 'x-tickets-signature',
    prefix: 'v1=',
    signedContent: '{timestamp}.{body}',
    timestamp: 'header:x-tickets-time',
    deliveryId: 'header:x-tickets-delivery',
  },
  defaultAssociations: ['staff'],
  parse(payload) {
    if (typeof payload.event !== 'string') return { unparsed: 'the payload names no event' };
    const text = payload.event === 'ticket.commented' && typeof payload.text === 'string' ? payload.text : null;
    return {
      type: payload.event,
      externalId: typeof payload.ticket === 'number' ? String(payload.ticket) : null,
      sender: { id: '7', name: 'ada', kind: 'person', association: 'staff', appId: null },
      title: typeof payload.subject === 'string' ? payload.subject : null,
      text,
    };
  },
  acknowledge: () => ({ status: 200, headers: {}, body: 'thanks' }),
  samples: [
    {
      type: 'ticket.commented',
      build: ({ text, nextNumber }) => ({ event: 'ticket.commented', ticket: nextNumber(), subject: 'Broken', text }),
    },
  ],
  reply: {
    account: { tokenEnv: 'TICKETS_TOKEN', userEnv: null, baseUrlEnv: null, baseUrl: 'https://tickets.example' },
    textLimit: 10_000,
    place: ({ payload }) => (typeof payload.ticket === 'number' ? { host: null, ticket: String(payload.ticket) } : null),
    immediate: () => null,
    authorize: ({ token }) => ({ authorization: \`Bearer \${token.reveal()}\` }),
    comment: ({ baseUrl }, { ticket }, { text }) => ({
      method: 'POST',
      url: \`\${baseUrl}/tickets/\${ticket}/comments\`,
      body: { text },
    }),
    postedId: ({ text }) => String(JSON.parse(text).id),
  },
});

export default defineWebhook({
  name: 'tickets',
  provider: tickets,
  defaultCommand: 'analyze',
  commands: [
    { name: 'analyze', template: 'Analyze {{@event.title}}: {{@argument}}' },
    { name: 'hello', action: 'comment', template: 'Hello, about {{@event.title}}' },
  ],
});
`;

const CONTRACT = `import { test } from 'node:test';
import { providerContract } from 'hookctl/contract';
import { tickets } from './webhooks/tickets.ts';

for (const { name, run } of providerContract(tickets)) test(name, run);
`;

interface Shown {
  readonly delivery: DeliveryView;
  readonly tasks: readonly { readonly title: string }[];
}

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await sandboxForFile({
    files: {
      'webhooks.yml': 'credentials: { tickets: { baseUrl: "http://127.0.0.1:9" } }\n',
      'webhooks/tickets.ts': TICKETS,
      'contract.ts': CONTRACT,
      'package.json': '{ "type": "module" }',
    },
    env: { TICKETS_TOKEN: 'a-token' },
  });
});

test('passes the exported contract suite, run by Node’s own test runner in the project', async () => {
  // As `npm install --save-dev hookctl` would have it.
  await mkdir(join(sandbox.project, 'node_modules'));
  const installed = join(inject('packed'), 'lib/node_modules/hookctl');
  await symlink(installed, join(sandbox.project, 'node_modules/hookctl'), 'dir');
  const args = ['--test', '--test-reporter=tap', 'contract.ts'];
  const { stdout, stderr, code } = await spawnIn(sandbox, process.execPath, args).ended;
  expect([code, stderr]).toEqual([0, '']);
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(25);
  expect(stdout).toMatch(/^# fail 0$/m);
});

test('is checked, listed and shown like any other', async () => {
  expect(await cli(sandbox, 'check')).toMatchObject({ code: 0 });
  // Its module is run by check, and kept by a start.
  expect((await cli(sandbox, 'webhook', 'list')).stdout).toMatch(/webhooks\/tickets\.ts .*not loaded/);
  await (await serverForTest(sandbox)).stop();
  const { stdout: list } = await cli(sandbox, 'webhook', 'list');
  expect(list).toMatch(/tickets\s+tickets\s+static/);
  const { stdout: shown } = await cli(sandbox, 'webhook', 'show', 'tickets');
  expect(shown).toMatch(/^provider\s+tickets$/m);
  expect(shown).toContain('webhooks/tickets.ts:');
  const { stdout: samples } = await cli(sandbox, 'trigger', '--list', 'tickets');
  expect(samples.trim()).toBe('tickets ticket.commented');
});

test('receives what its sender signs, refuses everything else, and answers in its own way', async () => {
  const api = await ticketsApi();
  await sandbox.write('webhooks.yml', `credentials: { tickets: { baseUrl: "${api.url}" } }\n`);
  const server = await serverForTest(sandbox);
  const { secret } = await cliJson<{ secret: string }>(
    sandbox,
    'webhook',
    'show',
    'tickets',
    '--show-secret',
  );

  const post = async (payload: object, key = secret) => {
    const body = JSON.stringify(payload);
    const time = String(Math.floor(Date.now() / 1000));
    const response = await fetch(`${server.url}/webhooks/tickets`, {
      method: 'POST',
      body,
      headers: {
        'x-tickets-time': time,
        'x-tickets-delivery': crypto.randomUUID(),
        'x-tickets-signature': `v1=${createHmac('sha256', key).update(`${time}.${body}`).digest('hex')}`,
      },
    });
    return {
      status: response.status,
      text: await response.text(),
      id: response.headers.get('x-hookctl-delivery') ?? '',
    };
  };
  const comment = { event: 'ticket.commented', ticket: 42, subject: 'Broken', text: '@agent hello' };

  expect(await post(comment, 'another key')).toMatchObject({ status: 401, text: '{}' });
  expect(await post({ what: 1 })).toMatchObject({ status: 200, text: 'thanks' });
  const accepted = await post(comment);
  expect(accepted).toMatchObject({ status: 200, text: 'thanks' });
  const settled = await eventually('the delivery to be worked off', async () => {
    const delivery = await cliJson<DeliveryView>(sandbox, 'delivery', 'show', accepted.id);
    return delivery.status === 'pending' ? undefined : delivery;
  });
  expect(settled).toMatchObject({ status: 'processed', external_id: 'tickets:42', sender: 'ada' });
  const call = await eventually('the reply', () => api.calls[0]);
  expect(call).toMatchObject({ path: '/tickets/42/comments', authorization: 'Bearer a-token' });
  expect(call.body).toContain('Hello, about Broken');
});

test('is triggered and replayed like any other', async () => {
  await serverForTest(sandbox);
  const { delivery, tasks } = await cliJson<Shown>(
    sandbox,
    'trigger',
    'tickets',
    '--text',
    '@agent analyze the crash',
  );
  expect(delivery).toMatchObject({ status: 'processed', provider: 'tickets', trust: 'verified' });
  expect(tasks.map(({ title }) => title)).toEqual(['Analyze Broken: the crash']);
  const [replayed] = await cliJson<Shown[]>(sandbox, 'replay', delivery.id);
  expect(replayed?.delivery).toMatchObject({ status: 'processed', replay_of: delivery.id });
});

test('may be the provider of dynamic webhooks, too', async () => {
  const added = await cliJson<{ webhook_id: string }>(
    sandbox,
    'webhook',
    'add',
    'tickets',
    '--name',
    'second desk',
  );
  const { stdout } = await cli(sandbox, 'webhook', 'show', added.webhook_id);
  expect(stdout).toMatch(/provider\s+tickets/);
  expect(await cli(sandbox, 'check')).toMatchObject({ code: 0 });
});

interface Call {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** The sender's own API, as far as comments go. */
async function ticketsApi() {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    calls.push({ path: request.url ?? '', authorization: request.headers.authorization, body });
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":1}');
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => closeServer(server));
  return { url: `http://127.0.0.1:${port}`, calls };
}
