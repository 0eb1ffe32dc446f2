import { describe, expect, test } from 'vitest';
import type { DeliveryView, TaskView } from '../../src/views.ts';
import { cli, cliJson } from '../support/cli.ts';
import { comment, signedPost } from '../support/github.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { serverForTest, settled, startServe } from '../support/server.ts';

interface Settled {
  readonly delivery: DeliveryView;
  readonly tasks: readonly TaskView[];
}

describe('delivery retry', () => {
  test('processes an ignored delivery again with the present configuration, without a server too', async () => {
    const own = await sandboxForTest({
      files: { 'webhooks.yml': 'webhooks: { github: { allow: { associations: [] } } }\n' },
    });
    const first = await startServe(own);
    const { id } = await signedPost(first.url, comment('@agent analyze'));
    expect((await settled(own, id)).status).toBe('ignored');
    await first.stop();
    await own.write('webhooks.yml', '');

    const again = await cliJson<Settled>(own, 'delivery', 'retry', id);
    expect(again.delivery).toMatchObject({ id, status: 'processed' });
    expect(again.tasks).toHaveLength(1);
    const more = await cli(own, 'delivery', 'retry', id);
    expect(more.code).toBe(1);
    expect(more.stderr).toContain(`hookctl replay ${id}`);
    expect((await cli(own, 'delivery', 'retry', 'dlv-nothere')).code).toBe(4);
  });

  test('goes through the running server', async () => {
    const own = await sandboxForTest();
    const { url } = await serverForTest(own);
    const { id } = await signedPost(url, comment('@agent fix', { association: 'NONE' }));
    await settled(own, id);
    const again = await cliJson<Settled>(own, 'delivery', 'retry', id);
    expect(again.delivery).toMatchObject({ id, status: 'ignored' });
  });
});

test('explain: a disabled webhook is the reason', async () => {
  const own = await sandboxForTest();
  const first = await startServe(own);
  const { id } = await signedPost(first.url, comment('@agent analyze'));
  await settled(own, id);
  await first.stop();
  await own.write('webhooks.yml', 'webhooks: { github: { enabled: false } }\n');
  expect((await cli(own, 'explain', id)).stdout).toContain('the webhook github is disabled');
});
