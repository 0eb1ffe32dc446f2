import type { Replayed } from '../deliveries/replay.ts';
import type { DeliveryStatus } from '../types.ts';

/** What became of one of many that were replayed, as it looks outside: short, because there may be 100,000. */
export interface ReplayedView {
  readonly replay_of: string;
  /** The new delivery; null where nothing could be made of the old one. */
  readonly delivery_id: string | null;
  readonly status: DeliveryStatus | 'refused';
  readonly reason: string | null;
  readonly task_ids: readonly string[];
}

export function replayedView(replayed: Replayed): ReplayedView {
  const { source } = replayed;
  if ('refused' in replayed) {
    return {
      replay_of: source,
      delivery_id: null,
      status: 'refused',
      reason: replayed.refused,
      task_ids: [],
    };
  }
  const { delivery, tasks } = replayed.settled;
  const { id, status, reason } = delivery;
  return { replay_of: source, delivery_id: id, status, reason, task_ids: tasks.map((task) => task.id) };
}
