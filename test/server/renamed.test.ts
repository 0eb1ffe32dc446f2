import { expect, test } from 'vitest';
import { createIds } from '../../src/lib/ids.ts';
import { openStore } from '../../src/store/local/index.ts';
import { databasePath } from '../../src/store/local/sqlite.ts';
import { newDelivery } from '../store/records.ts';
import { comment, signedPost } from '../support/github.ts';
import { tellJson } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { SECRET } from '../support/secret.ts';
import { readStore, serverForTest, settled } from '../support/server.ts';

interface Made {
  readonly webhook_id: string;
  readonly endpoint: string;
}

test('after a dynamic webhook is renamed, its old delivery is replayed and its pending one is worked off', async () => {
  const sandbox = await sandboxForTest();
  const first = await serverForTest(sandbox);
  const made = await tellJson<Made>(sandbox, 'webhook', 'add', 'github', '--name', 'old', '--secret', SECRET);
  await tellJson(sandbox, 'webhook', 'command', 'add', 'old', '--text-name', 'look');
  const { id, status } = await signedPost(first.url, comment('@agent look'), { path: made.endpoint });
  expect(status).toBe(202);
  expect(await settled(sandbox, id)).toMatchObject({ webhook: 'old', status: 'processed' });
  await first.stop();

  const pending = createIds(Date.now).next('dlv');
  const store = await openStore({ path: databasePath(sandbox.dataFolder) });
  const sent = store.delivery(id);
  // Another comment: the one that was sent is claimed.
  const body = Buffer.from(JSON.stringify(comment('@agent look')));
  const { headers = {}, eventType = null } = sent ?? {};
  const named = { webhook: 'old', webhookId: made.webhook_id };
  await store.accept(newDelivery(pending, { ...named, headers, eventType, body }));
  await store.close();
  await tellJson(sandbox, 'webhook', 'edit', 'old', '--name', 'new');

  await serverForTest(sandbox);
  expect(await settled(sandbox, pending)).toMatchObject({ status: 'processed' });
  const [replayed] = await tellJson<{ delivery: { id: string } }[]>(sandbox, 'replay', id);
  const again = replayed?.delivery.id ?? '';
  const found = readStore(sandbox, (reader) => ({
    replay: reader.delivery(again),
    tasks: [pending, again].map((of) => reader.tasks({ deliveryId: of }).length),
  }));
  expect(found).toMatchObject({
    replay: { webhook: 'new', replayOf: id, status: 'processed' },
    tasks: [1, 1],
  });
});
