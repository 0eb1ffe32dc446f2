import { openSync } from 'node:fs';
import { deliveryView } from '../views.ts';
import type { ServeOutput } from './serve-output.ts';

/**
 * Everything that `output` is told, in a log file, too (pino's JSON lines, mode 0600): for reading what happened
 * days later, and the only place where stack traces go.
 */
export async function logged(output: ServeOutput, file: string): Promise<ServeOutput> {
  const { default: pino } = await import('pino');
  const log = pino(pino.destination({ fd: openSync(file, 'a', 0o600), sync: true }));
  return {
    ready(serving) {
      const { tunnel, ...facts } = serving.facts();
      log.info({ ...facts, tunnel: tunnel?.reason, problems: serving.problems }, 'ready');
      output.ready(serving);
    },
    received(receipt) {
      const { deliveryId, webhook, status, reason, eventType, size } = receipt;
      const level = status === 'rejected' || status === 'unparsed' ? 'warn' : 'info';
      log[level]({ id: deliveryId, webhook: webhook.name, status, reason, eventType, size }, 'received');
      output.received(receipt);
    },
    settled(settled) {
      const { delivery, tasks } = settled;
      const level = delivery.status === 'failed' ? 'error' : 'info';
      log[level]({ delivery: deliveryView(delivery), tasks: tasks.map(({ id }) => id) }, 'settled');
      output.settled(settled);
    },
    task(task) {
      log.info({ id: task.id, status: task.status }, 'task');
      output.task(task);
    },
    sent(item) {
      const { id, kind, provider, status, reason, attempts } = item;
      log[status === 'sent' ? 'info' : 'error']({ id, kind, provider, status, reason, attempts }, 'outgoing');
      output.sent(item);
    },
    tunnel(status) {
      log[status.phase === 'up' ? 'info' : 'warn'](status, 'tunnel');
      output.tunnel(status);
    },
    reloaded(change) {
      log[change.kind === 'applied' ? 'info' : 'warn'](change, 'webhooks');
      output.reloaded(change);
    },
    broken(error) {
      log.error(error, 'broken');
      output.broken(error);
    },
    state(state, reason) {
      log.info({ reason }, state);
      output.state(state, reason);
    },
  };
}
