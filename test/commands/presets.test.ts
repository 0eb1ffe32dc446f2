import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { PROVIDERS } from '../../src/providers/facts.ts';
import type { DispatchView } from '../../src/server/api/deliveries.ts';
import { tell, tellJson, tellWith } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { serverForFile } from '../support/server.ts';

/** One for each place of a proof; the contract suite runs over all presets. */
const NAMES = ['jenkins', 'mailgun', 'twilio', 'paypal', 'cloudevents', 'zendesk'] as const;
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await sandboxForFile({ files: { 'webhooks.yml': '' } });
  for (const name of NAMES) {
    await tellJson(sandbox, 'webhook', 'add', name, '--name', name);
    const command = ['webhook', 'command', 'add', name, '--template', 'Look at {{@event.title}}'];
    await tellJson(sandbox, ...command, '--trigger', '*');
  }
  await serverForFile(sandbox);
});

test.each(NAMES)(
  'preset %s: a sample that is sent to the server verifies, is named, and makes a task',
  async (name) => {
    const [type = ''] = PROVIDERS[name].samples;
    const { delivery, tasks } = await tellJson<DispatchView>(sandbox, 'trigger', name, type);
    expect(delivery).toMatchObject({
      trust: 'verified',
      status: 'processed',
      event_type: type,
      provider: name,
    });
    expect(tasks).toHaveLength(1);
  },
);

test('guess: a kept request is named, with the settings of generic; another secret is a failure', async () => {
  const body = '{"type":"order.paid"}';
  const digits = createHmac('sha256', 'open-sesame').update(`1700000000.${body}`).digest('base64url');
  const file = join(sandbox.project, 'request.txt');
  const head = `POST /x?a=1 HTTP/1.1\r\nHost: x\r\nX-Acme-Time: 1700000000\r\nX-Acme-Signature: v1=${digits}`;
  writeFileSync(file, `${head}\r\n\r\n${body}`);
  const guess = (stdin: string) => tellWith(sandbox, { stdin }, 'webhook', 'guess', file, '--secret-stdin');
  const { code, stdout } = await guess('open-sesame');
  expect(code).toBe(0);
  expect(stdout).toContain(
    "hookctl webhook add generic --name inbox --option header=x-acme-signature --option prefix=v1= --option encoding=base64url --option timestamp=header:x-acme-time --option 'signedContent={timestamp}.{body}' --secret-stdin",
  );
  const wrong = await guess('close-sesame');
  expect([wrong.code, wrong.stderr]).toEqual([
    1,
    expect.stringContaining('nothing that hookctl knows signs'),
  ]);
  const nothing = await tell(sandbox, 'webhook', 'guess', join(sandbox.project, 'none.txt'), '--secret', 'x');
  expect(nothing.code).toBe(4);
});

test('guess: a delivery is judged by the secrets of its webhook', async () => {
  const { delivery } = await tellJson<DispatchView>(sandbox, 'trigger', 'zendesk', 'ticket.created');
  const { stdout } = await tell(sandbox, 'webhook', 'guess', delivery.id);
  expect(stdout).toContain('as zendesk:');
  expect(stdout).toContain('header: "x-zendesk-webhook-signature"');
});
