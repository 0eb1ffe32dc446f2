import type { DispatchResult, PipelineContext } from '../deliveries/context.ts';
import type { Queue } from '../deliveries/queue.ts';
import { type ReplaySource, replay, replayMany, retry, storedSource } from '../deliveries/replay.ts';
import { type PruneOptions, prune } from '../deliveries/retention.ts';
import { failure, notFound } from '../errors.ts';
import type { Outbox } from '../outbox/worker.ts';
import type { Task } from '../types.ts';
import {
  type DeliveryView,
  deliveryView,
  type OutgoingView,
  outgoingView,
  type TaskView,
  taskView,
} from '../views.ts';
import type { Asking } from './credentials.ts';
import { type ReplayedView, replayedView } from './replayed-view.ts';
import { localTaskOperations, type TaskOperations } from './task-operations.ts';

/** What `delivery prune` keeps. */
export type PruneLimits = Pick<PruneOptions, 'before' | 'samples' | 'size'>;

/** What `delivery prune` removed, or would remove. */
export interface PrunedView {
  readonly deliveries: number;
  /** As received. */
  readonly bytes: number;
  /** That the disk got back. */
  readonly freed_bytes: number;
}

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
  /** Replays a batch of stored deliveries; what can't be replayed is told among the results, in their order. */
  replayMany(deliveryIds: readonly string[], replies: boolean): Promise<readonly ReplayedView[]>;
  /** Sends a failed or dropped one again. Throws `not_found` or `not_retryable`. */
  retryOutgoing(id: string): Promise<OutgoingView>;
  /** Gives up what waits or failed. Throws `not_found` or `not_droppable`. */
  dropOutgoing(id: string): Promise<OutgoingView>;
  /** Removes the bytes of deliveries that were worked off and are beyond these limits. */
  prune(limits: PruneLimits): Promise<PrunedView>;
  readonly tasks: TaskOperations;
}

/** The operations as the sender of a request does them: whoever that is stands in the audit. */
export type OperationsFor = (asking: Asking) => Operations;

/** The operations of the process that holds the data folder. `where` names the folder in messages. */
export function localOperations(
  context: PipelineContext,
  queue: Queue,
  where: string,
  outbox: Pick<Outbox, 'wake'>,
  taskChanged: (task: Task) => void = () => undefined,
): Operations {
  const { store, clock } = context;
  const changed = (task: Task) => {
    outbox.wake();
    taskChanged(task);
  };
  return {
    tasks: localTaskOperations(context, where, { changed, said: outbox.wake }),
    retry: async (id) => settledView(await retry(context, queue, id, where)),
    replay: async (id, replies) =>
      settledView(await replay(context, queue, storedSource(context.store, id, where), replies)),
    replayFile: async (source, replies) => settledView(await replay(context, queue, source, replies)),
    replayMany: async (ids, replies) =>
      (await replayMany(context, queue, ids, { replies, where })).map(replayedView),
    async prune(limits) {
      const { deliveries, bytes, freedBytes } = await prune(context, limits);
      return { deliveries, bytes, freed_bytes: freedBytes };
    },
    async retryOutgoing(id) {
      const item = outgoing(store, id);
      if (!(await store.retryOutgoing(id, clock.now()))) {
        throw failure(
          'not_retryable',
          `${id} is ${item.status}; only what failed or was dropped can be sent again`,
        );
      }
      outbox.wake();
      return outgoing(store, id);
    },
    async dropOutgoing(id) {
      const item = outgoing(store, id);
      if (!(await store.dropOutgoing(id, clock.now()))) {
        throw failure('not_droppable', `${id} is ${item.status} already`);
      }
      return outgoing(store, id);
    },
  };
}

function outgoing(store: PipelineContext['store'], id: string): OutgoingView {
  const item = store.outgoing(id);
  if (item !== null) return outgoingView(item);
  throw notFound(`there is no ${id} in the outbox`, 'List it with `hookctl outbox list`.');
}

function settledView({ delivery, tasks }: DispatchResult): SettledView {
  return { delivery: deliveryView(delivery), tasks: tasks.map(taskView) };
}
