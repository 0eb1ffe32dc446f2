import { expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { comment, examples, type Payload, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest } from '../support/server.ts';

const TRIGGERS = `
webhooks:
  github:
    commands:
      - { name: analyze, template: 'Analyze {{@event.title}}' }
      - { trigger: issues.labeled, conditions: { label.name: urgent }, template: Look }
`;

function labeled(): Payload {
  const found = examples().find(({ event, payload }) => event === 'issues' && payload.action === 'labeled');
  if (found === undefined) throw new Error('the published examples have no issues.labeled any more');
  return found.payload;
}

test('queue: a delivery without text or trigger is settled with the answer, and says why', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': TRIGGERS } });
  const server = await serverForTest(sandbox);
  const { status, id } = await signedPost(server.url, labeled(), { event: 'issues' });
  expect(status).toBe(202);
  const atOnce = readStore(sandbox, (reader) => reader.delivery(id));
  expect(atOnce).toMatchObject({ status: 'ignored', settledAt: atOnce?.receivedAt, attempts: 0 });
  expect(atOnce?.decisions.map(({ fired, taskIds }) => ({ fired, taskIds }))).toEqual([
    { fired: false, taskIds: [] },
    { fired: false, taskIds: [] },
  ]);
  expect(atOnce?.reason).toContain('label.name');

  // A retry goes the long way, through the queue: it comes to the same.
  expect((await cli(sandbox, 'delivery', 'retry', id)).stdout).toContain('ignored');
  const retried = readStore(sandbox, (reader) => reader.delivery(id));
  expect(retried).toEqual({ ...atOnce, settledAt: retried?.settledAt });
  expect(retried?.settledAt).toBeGreaterThan(atOnce?.settledAt ?? 0);
  const told = () => server.lines().filter(({ id: of }) => of === id);
  await expect.poll(() => told().map(({ status: of }) => of)).toEqual(['ignored', 'ignored']);
});

test('queue: such a delivery that comes again is no duplicate, since nothing acted on it', async () => {
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': TRIGGERS } });
  const first = await serverForTest(sandbox);
  const options = { event: 'issues', deliveryId: 'a-1' };
  const before = await signedPost(first.url, labeled(), options);
  await first.stop('SIGKILL');
  await sandbox.write('webhooks.yml', TRIGGERS.replace('urgent', String(labelOf(labeled()))));
  const second = await serverForTest(sandbox);
  const again = await signedPost(second.url, labeled(), options);
  expect([before.status, again.status]).toEqual([202, 202]);
  const third = await signedPost(second.url, labeled(), options);
  expect(third.status).toBe(200);
  const statuses = readStore(sandbox, (reader) =>
    [before, again, third].map(({ id }) => reader.delivery(id)?.status),
  );
  expect(statuses).toEqual(['ignored', expect.stringMatching(/pending|processed/), 'duplicate']);
});

test('what brings a text has to be worked off: it may answer, approve or stop', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  const { id } = await signedPost(server.url, comment('thank you'));
  await expect.poll(() => readStore(sandbox, (reader) => reader.delivery(id))?.status).toBe('ignored');
  const told = () => server.lines().filter(({ id: of }) => of === id);
  await expect.poll(() => told().map(({ status }) => status)).toEqual(['pending', 'ignored']);
});

function labelOf(payload: Payload): unknown {
  return (payload.label as { readonly name?: unknown } | undefined)?.name;
}
