import { expect, test } from 'vitest';
import { connect } from '../../src/connect/operations.ts';
import { checkAll } from '../../src/connect/upkeep.ts';
import { startLoopback } from '../support/hook-apis/loopback.ts';
import { SENDERS } from '../support/hook-apis/senders.ts';
import { connectContext, order } from './support.ts';

test('connect check --fix: a hook that another one replaces is no orphan afterwards', async () => {
  const { spec } = { ...SENDERS.gitea };
  if (spec === undefined) throw new Error('there is no Gitea');
  const api = await startLoopback(spec);
  const context = await connectContext('gitea', api.url(), {
    db: JSON.stringify({
      schema_version: 1,
      webhooks: [
        {
          ...{ webhook_id: 'wh-1', name: 'mine', provider: 'gitea', endpoint: '/webhooks/gitea/wh-1' },
          ...{ secrets: [{ value: 'a-secret' }], commands: [{ id: 'cmd-1', name: 'go', template: 'Go' }] },
          ...{ created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' },
        },
      ],
    }),
    patienceMs: 2_000,
  });
  await connect(context, order('gitea', 'acme/api', { webhook: 'mine' }));
  const [first] = context.store.connections();
  if (first === undefined) throw new Error('nothing was connected');
  // As when the webhook has another secret since: Gitea can't change it, so that another hook is made.
  await context.store.changeConnection(first.id, { fingerprint: 'of-the-former' });
  expect(await checkAll(context, { fix: true })).toMatchObject({
    connections: [{ state: 'mended' }],
    orphans: [],
  });
  expect(api.hooks.map(({ id }) => id)).toEqual([context.store.connections()[0]?.remoteId]);
  expect(context.store.connections()[0]?.remoteId).not.toBe(first.remoteId);
});
