import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createQueue } from '../../src/deliveries/queue.ts';
import { createIngress, receiver } from '../../src/server/ingress/ingress.ts';
import { openAppendLog } from '../../src/store/local/log/append-log.ts';
import { startEngine } from '../support/engine.ts';
import { comment, signedPost } from '../support/github.ts';
import { SECRET } from '../support/secret.ts';

const SERVED = { GITHUB_WEBHOOK_SECRET: SECRET };
const postponed = (id: string) => ({ id, externalId: null, attempts: 1, nextAttemptAt: Date.now() + 60_000 });

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('while the queue is full a sender is told 503 and when to come again, and nothing is stored', async () => {
  const { context, close } = await startEngine({ env: SERVED });
  const queue = createQueue(context, { onResult: () => undefined, random: () => 0.5, longest: 2 });
  onTestFinished(queue.close);
  const errors: unknown[] = [];
  const url = await listening(
    createIngress({
      snapshot: context.snapshot,
      receive: receiver({ context, queue, received: () => undefined }),
      acceptProbe: () => false,
      onError: (error) => errors.push(error),
    }),
  );
  expect((await signedPost(url, comment('hello'))).status).toBe(202);
  void queue.push(postponed('dlv-1'));
  void queue.push(postponed('dlv-2'));
  await context.store.indexed();
  const stored = context.store.deliveries().length;
  const refused = await fetch(`${url}/webhooks/github`, { method: 'POST', body: '{}' });
  expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual([
    503,
    '5',
    'close',
  ]);
  expect((await signedPost(url, comment('hello'))).status).toBe(503);
  expect(context.store.deliveries()).toHaveLength(stored);
  expect(errors).toMatchObject([{ code: 'queue_full' }, { code: 'queue_full' }]);
  await queue.close();
  await close();
});

test('a disk without room is found out before a byte is written, and there is no gap once it has room', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-room-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'hookctl.db');
  const after = { segment: 0, offset: 0 };
  const full = await openAppendLog(path, { after, reserveBytes: 2 ** 60 });
  await expect(full.append([Buffer.from('x')])).rejects.toThrow(
    /the disk of .*bodies is full \(\d+ bytes left\)/,
  );
  await full.close();
  expect(await readdir(join(folder, 'bodies'))).toEqual([]);
  const log = await openAppendLog(path, { after, reserveBytes: 0 });
  expect(await log.append([Buffer.from('x')])).toEqual({ segment: 1, offset: 0 });
  await log.close();
  expect((await stat(join(folder, 'bodies', '00000001.log'))).size).toBe(1);
});
