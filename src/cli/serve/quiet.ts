import type { ServeOutput } from './output.ts';

const nothing = () => undefined;

/**
 * The same, without what goes as it should: deliveries, tasks, runs and posts are told only where somebody has to look.
 * Problems, changes of webhooks and the tunnel's state stay. For those who read `hookctl delivery list`, not the lines.
 */
export function quiet(output: ServeOutput): ServeOutput {
  return {
    ...output,
    received(receipt) {
      if (receipt.status === 'rejected' || receipt.status === 'unparsed') output.received(receipt);
    },
    settled(settled) {
      const waits = settled.tasks.some(({ status }) => status.startsWith('waiting_'));
      if (settled.delivery.status === 'failed' || waits) output.settled(settled);
    },
    task(task) {
      if (task.status === 'failed' || task.status.startsWith('waiting_')) output.task(task);
    },
    run(run) {
      if (run.state === 'failed' || run.state === 'interrupted') output.run(run);
    },
    progress: nothing,
    sent(item) {
      if (item.status !== 'sent') output.sent(item);
    },
  };
}
