import { expect, onTestFinished, test } from 'vitest';
import type { Receipt } from '../../src/deliveries/receive.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import type { Webhook } from '../../src/types.ts';

test('E26: /metrics shows the webhooks in force, and counts no waiting delivery as an outcome', async () => {
  const metrics = createMetrics();
  onTestFinished(metrics.close);
  const received = (name: string, status: 'pending' | 'duplicate') =>
    metrics.listen({
      type: 'received',
      receipt: { webhook: { name, providerName: 'github', owner: 'ada' } as Webhook, status } as Receipt,
    });
  const linesOf = (...names: readonly string[]) => linesWith(names.map((name) => [name, 'github']));
  const linesWith = async (
    webhooks: readonly (readonly [name: string, provider: string, owner?: string])[],
  ) => {
    const text = await metrics.text({
      queueDepth: () => 0,
      oldestPendingSeconds: () => 0,
      machines: () => 0,
      outbox: () => ({}),
      tunnel: () => null,
      webhooks: () =>
        new Map(webhooks.map(([name, providerName, owner = 'ada']) => [name, { providerName, owner }])),
    });
    return text.split('\n').filter((line) => /^hookctl_(?:deliveries_total|webhooks)/.test(line));
  };
  for (const name of ['kept', 'removed']) {
    received(name, 'pending');
    received(name, 'duplicate');
  }
  const kept = ['accepted', 'duplicate'].map(
    (outcome) =>
      `hookctl_deliveries_total{webhook="kept",provider="github",owner="ada",outcome="${outcome}"} 1`,
  );
  expect(await linesOf('kept', 'removed')).toHaveLength(5);
  expect(await linesOf('kept')).toEqual([...kept, 'hookctl_webhooks 1']);
  // One of the same name that is made later begins anew.
  expect(await linesOf('kept', 'removed')).toEqual([...kept, 'hookctl_webhooks 2']);
  // So does one of the same name for another provider, or of another owner.
  expect(await linesWith([['kept', 'gitlab']])).toEqual(['hookctl_webhooks 1']);
  received('kept', 'pending');
  expect(await linesWith([['kept', 'github', 'bob']])).toEqual(['hookctl_webhooks 1']);
  expect(await linesOf('kept')).toEqual(['hookctl_webhooks 1']);
});
