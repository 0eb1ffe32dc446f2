import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasMarker } from '../../src/providers/kit/marker.ts';
import { openReader, openStore } from '../../src/store/local/index.ts';
import type { OutgoingView } from '../../src/views.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { apisForFile, comment, record } from './support.ts';

const apis = apisForFile();

test('the outbox can be listed, retried and dropped without a server', async () => {
  const yaml = `credentials: { github: { tokenEnv: TOKEN, baseUrl: "${apis().url}" } }\n`;
  const sandbox = await sandboxForTest({ files: { 'webhooks.yml': yaml }, env: { TOKEN: 't' } });
  mkdirSync(sandbox.dataFolder, { mode: 0o700 });
  const path = join(sandbox.dataFolder, 'hookctl.db');
  const store = await openStore({ path });
  const [failed, waiting] = [comment('github', 'first'), comment('github', 'second')];
  await record(store, 'github', failed, waiting);
  await store.dropOutgoing(failed.id, Date.now());
  await store.dropOutgoing(waiting.id, Date.now());
  await store.close();

  const listed = await tell(sandbox, 'outbox', 'list', '--status', 'dropped');
  expect(listed.stdout).toMatch(new RegExp(`${failed.id}.*comment.*github.*dropped.*first`));
  expect((await tellJson<OutgoingView[]>(sandbox, 'outbox', 'list')).map(({ id }) => id)).toEqual([
    waiting.id,
    failed.id,
  ]);

  expect(await tellJson(sandbox, 'outbox', 'retry', failed.id)).toMatchObject({ status: 'waiting' });
  // The command that holds the folder sends before it ends.
  const reader = openReader({ path });
  expect(reader?.outgoing(failed.id)?.status).toBe('sent');
  reader?.close();
  expect(apis().posts.filter(({ text }) => hasMarker(text, failed.id))).toHaveLength(1);

  expect(await tell(sandbox, 'outbox', 'drop', failed.id)).toMatchObject({ code: 1 });
  expect(await tell(sandbox, 'outbox', 'retry', 'out-nothing')).toMatchObject({ code: 4 });
});
