import type { PipelineContext, Settled } from '../pipeline/context.ts';
import type { Queue } from '../pipeline/queue.ts';
import { type ReplaySource, replay, retry, storedSource } from '../pipeline/replay.ts';
import { type DeliveryView, deliveryView, type TaskView, taskView } from '../views.ts';

/** What became of a delivery, as it looks outside. */
export interface SettledView {
  readonly delivery: DeliveryView;
  readonly tasks: readonly TaskView[];
}

/**
 * What changes deliveries and tasks. Two ways to it, one shape: in the process that holds the data folder
 * (`localOperations`), or through its management socket (`remoteOperations`).
 */
export interface Operations {
  retry(deliveryId: string): Promise<SettledView>;
  replay(deliveryId: string, replies: boolean): Promise<SettledView>;
  replayFile(source: ReplaySource, replies: boolean): Promise<SettledView>;
}

/** The operations of the process that holds the data folder. `where` names the folder in messages. */
export function localOperations(context: PipelineContext, queue: Queue, where: string): Operations {
  return {
    retry: async (id) => settledView(await retry(context, queue, id, where)),
    replay: async (id, replies) =>
      settledView(await replay(context, queue, storedSource(context.store, id, where), replies)),
    replayFile: async (source, replies) => settledView(await replay(context, queue, source, replies)),
  };
}

export function settledView({ delivery, tasks }: Settled): SettledView {
  return { delivery: deliveryView(delivery), tasks: tasks.map(taskView) };
}
