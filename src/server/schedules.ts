import { pause } from '../lib/time.ts';
import { coalesce } from '../lib/time-slicer.ts';
import type { Schedule } from '../tasks/schedules.ts';
import type { TaskContext } from '../tasks/sync.ts';
import type { ServeListener } from './events.ts';

export interface Scheduled {
  /** Looks again: a schedule was paused or resumed. */
  wake(): void;
  close(): Promise<void>;
}

/** Makes the tasks of schedules as they come due, for as long as the server runs. */
export function serveSchedules(
  context: TaskContext,
  schedules: readonly Schedule[],
  emit: ServeListener,
): Scheduled {
  const stop = new AbortController();
  let wakened = Promise.withResolvers<void>();
  const looks = async () => {
    if (schedules.length === 0) return;
    const { runDue } = await import('../tasks/schedules.ts');
    while (!stop.signal.aborted) {
      wakened = Promise.withResolvers();
      const rest = await runDue(context, schedules, {
        task: (task) => emit({ type: 'task', task }),
        skipped: (text) => emit({ type: 'schedule', text }),
      }).catch((error: unknown) => {
        emit({ type: 'broken', error });
        return RETRY_MS;
      });
      await Promise.race([wakened.promise, pause(rest, stop.signal)]);
    }
  };
  const running = looks();
  return {
    wake: coalesce(() => wakened.resolve()),
    async close() {
      stop.abort();
      await running;
    },
  };
}

/** After a look that failed, in milliseconds. */
const RETRY_MS = 5_000;
