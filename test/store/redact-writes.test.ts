import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createRedactor } from '../../src/lib/redact/redact.ts';
import { appendAudit } from '../../src/store/local/audit-log.ts';
import { openStore } from '../../src/store/local/index.ts';
import { tokenOf } from '../lib/tokens.ts';
import { NOW, newDelivery, outcome, readable, storePath } from './fixtures.ts';
import { item, PASSWORD, TOKEN, WORDS, WRITES } from './writes.ts';

/** All bytes of a folder. */
function bytesOf(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? bytesOf(path) : readFileSync(path, 'latin1')))
    .join('\n');
}

test('F7: words lose their secrets before they become rows, by every method that writes', async () => {
  const path = storePath();
  const store = readable(await openStore({ path, redact: createRedactor({}).redact }));
  for (const [name, write] of Object.entries(WRITES)) {
    await write(store);
    const bytes = bytesOf(dirname(path));
    expect(bytes.includes(TOKEN) || bytes.includes(PASSWORD), name).toBe(false);
  }
  expect(store.task('task-1')).toMatchObject({
    status: 'completed',
    prompt: expect.stringContaining('[redacted]'),
  });
  expect(store.outgoing('out-9')?.content).toBe('it printed [redacted] and password=[redacted]');
  expect(store.run('run-task-1')).toMatchObject({ commandLine: ['agent', '--token=[redacted]'] });
  await store.close();
});

test('F7: bytes, headers, keys and places of a delivery stay as they came', async () => {
  const path = storePath();
  const store = readable(await openStore({ path, redact: createRedactor({}).redact }));
  const headers = { authorization: `Bearer ${TOKEN}` };
  const body = Buffer.from(JSON.stringify({ text: WORDS }));
  const forward = `https://hooks.slack.com/services/${tokenOf('{A9}/{A11}/{w24}')}`;
  const place = { host: null, responseUrl: forward };
  await store.accept(newDelivery('dlv-1', { headers, body, query: `token=${TOKEN}` }));
  const outgoing = [item('out-1', { kind: 'forward', content: forward }), item('out-2', { place })];
  await store.recordOutcome(outcome('dlv-1', { outgoing }));
  expect(store.delivery('dlv-1')).toMatchObject({ headers, query: `token=${TOKEN}` });
  expect(Buffer.from(store.body('dlv-1') ?? [])).toEqual(body);
  expect(store.outgoing('out-1')?.content).toBe(forward);
  expect(store.outgoing('out-2')?.place).toEqual(place);
  await store.close();
});

test('F7: an edit that is put on record without a server loses its secrets, too', async () => {
  const path = storePath();
  await (await openStore({ path })).close();
  const holder = { pid: process.pid, command: 'webhook', version: '0', startedAt: NOW, server: null };
  const entry = {
    at: NOW,
    actor: { kind: 'cli', name: 'ada' } as const,
    what: 'webhook.edit',
    owner: 'operator',
    revision: null,
  };
  const { redact } = createRedactor({});
  await appendAudit(dirname(path), holder, [{ ...entry, target: WORDS, details: { note: WORDS } }], redact);
  expect(bytesOf(dirname(path))).not.toContain(TOKEN);
});
