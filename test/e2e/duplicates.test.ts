import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { comment, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest, settled } from '../support/server.ts';

test('the same delivery five times at once and again after a restart makes one task', async () => {
  const sandbox = await sandboxForTest();
  const body = comment('@agent analyze');
  const deliveryId = randomUUID();
  const first = await serverForTest(sandbox);
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => signedPost(first.url, body, { deliveryId })),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 202]);
  const original = answers.find(({ status }) => status === 202)?.id ?? '';
  expect((await settled(sandbox, original)).status).toBe('processed');
  await first.stop();

  const second = await serverForTest(sandbox);
  const again = await signedPost(second.url, body, { deliveryId });
  const underNewId = await signedPost(second.url, body);
  expect([again.status, underNewId.status]).toEqual([200, 200]);
  for (const { id } of [again, underNewId]) {
    expect(await settled(sandbox, id)).toMatchObject({ status: 'duplicate', duplicateOf: original });
  }
  expect(readStore(sandbox, (reader) => reader.tasks())).toHaveLength(1);
  expect(readStore(sandbox, (reader) => reader.deliveries())).toHaveLength(7);
});

test('ignored because of a wrong `allow`, configuration fixed, redelivered: one task', async () => {
  const allow = (who: string) => `webhooks: { github: { allow: { associations: [${who}] } } }\n`;
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': allow('MEMBER') } });
  const body = comment('@agent analyze');
  const deliveryId = randomUUID();
  const first = await serverForTest(sandbox);
  const refused = await signedPost(first.url, body, { deliveryId });
  const ignored = await settled(sandbox, refused.id);
  expect(ignored.status).toBe('ignored');
  expect(ignored.reason).toContain('OWNER) may not command; allowed: MEMBER');
  await first.stop();

  await sandbox.write('webhooks.yml', allow('OWNER'));
  const second = await serverForTest(sandbox);
  const redelivered = await signedPost(second.url, body, { deliveryId });
  expect(redelivered.status).toBe(202);
  expect((await settled(sandbox, redelivered.id)).status).toBe('processed');
  const third = await signedPost(second.url, body, { deliveryId });
  expect(third.status).toBe(200);
  expect(readStore(sandbox, (reader) => reader.tasks())).toHaveLength(1);
});

test('a ping may come as often as it likes', async () => {
  const sandbox = await sandboxForTest();
  const { url } = await serverForTest(sandbox);
  const ping = JSON.stringify({ zen: 'Design for failure.', hook_id: 1 });
  const answers = [
    await signedPost(url, ping, { event: 'ping' }),
    await signedPost(url, ping, { event: 'ping' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
});
