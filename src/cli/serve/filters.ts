import { messageOf } from '../../errors.ts';
import type { ServeReporter } from '../../server/events.ts';
import type { Serving } from '../../server/serve.ts';

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

/** How long the same failure is only counted, in milliseconds. */
const WINDOW_MS = 10_000;
/** Different failures that are told apart at a time; beyond them all are one. */
const MOST_KINDS = 100;

interface Folded {
  times: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Tells a failure once and then, ten seconds later, how often it came again: a full disk under load would otherwise
 * write a line for each request that it refuses.
 */
export function folded(output: ServeOutput): ServeOutput {
  const running = new Map<string, Folded>();

  function end(message: string): void {
    const times = running.get(message)?.times ?? 0;
    running.delete(message);
    if (times > 0) output.broken(new Error(`${message} (${times} more times in ${WINDOW_MS / 1000} s)`));
  }

  return {
    ...output,
    broken(error) {
      const message = messageOf(error);
      const key = running.size < MOST_KINDS || running.has(message) ? message : 'further failures';
      const known = running.get(key);
      if (known !== undefined) {
        known.times += 1;
        return;
      }
      running.set(key, { times: 0, timer: setTimeout(() => end(key), WINDOW_MS).unref() });
      output.broken(error);
    },
    state(state, reason) {
      for (const [message, { timer }] of [...running]) {
        clearTimeout(timer);
        end(message);
      }
      output.state(state, reason);
    },
  };
}

/** What `serve` tells while it runs, for people or for programs. */
export interface ServeOutput extends ServeReporter {
  ready(serving: Serving): void;
}
