import type { JsonObject } from '../types.ts';
import { isoOrNull } from '../views.ts';
import type { Operations } from './operations.ts';

/** Puts one thing that was done on record; resolves when it is on disk. */
type RecordDone = (what: string, target: string | null, details: JsonObject) => Promise<void>;

/** The same operations; what each did is on record before it is answered. What failed changed nothing. */
export function auditedOperations(operations: Operations, record: RecordDone): Operations {
  const { tasks } = operations;
  const after = async <T>(
    done: Promise<T>,
    what: string,
    about: (result: T) => [string | null, JsonObject],
  ): Promise<T> => {
    const result = await done;
    await record(what, ...about(result));
    return result;
  };
  return {
    retry: (id) =>
      after(operations.retry(id), 'delivery.retry', ({ delivery }) => [id, { status: delivery.status }]),
    replay: (id, replies) =>
      after(operations.replay(id, replies), 'delivery.replay', ({ delivery }) => [
        id,
        { delivery: delivery.id, replies },
      ]),
    replayMany: async (ids, replies) => {
      const replayed = await operations.replayMany(ids, replies);
      await record('delivery.replay_many', null, {
        deliveries: ids.length,
        first: ids[0] ?? null,
        last: ids.at(-1) ?? null,
        replies,
      });
      return replayed;
    },
    replayFile: (source, replies) =>
      after(operations.replayFile(source, replies), 'delivery.replay_file', ({ delivery }) => [
        delivery.id,
        { webhook: source.webhookName, replies },
      ]),
    prune: (limits) =>
      after(operations.prune(limits), 'delivery.prune', ({ deliveries, bytes }) => [
        null,
        {
          before: isoOrNull(limits.before),
          samples: limits.samples ?? false,
          size: limits.size,
          deliveries,
          bytes,
        },
      ]),
    retryOutgoing: (id) => after(operations.retryOutgoing(id), 'outbox.retry', ({ kind }) => [id, { kind }]),
    dropOutgoing: (id) => after(operations.dropOutgoing(id), 'outbox.drop', ({ kind }) => [id, { kind }]),
    tasks: {
      create: (request, source) =>
        after(tasks.create(request, source), 'task.create', ({ id, agent, status }) => [
          id,
          { agent, status },
        ]),
      change: (id, verb, report) =>
        after(tasks.change(id, verb, report), `task.${verb}`, ({ status }) => [id, { status }]),
      comment: (id, text) =>
        after(tasks.comment(id, text), 'task.comment', ({ id: outgoing }) => [id, { outgoing }]),
      listen: tasks.listen,
      ackEvent: tasks.ackEvent,
      release: (agent) =>
        after(tasks.release(agent), 'task.release', ({ tasks: count }) => [agent, { tasks: count }]),
      sync: tasks.sync,
      prune: (limits) =>
        after(tasks.prune(limits), 'task.prune', ({ tasks: count, cancelled }) => [
          null,
          { before: isoOrNull(limits.before), samples: limits.samples, tasks: count, cancelled },
        ]),
    },
  };
}
