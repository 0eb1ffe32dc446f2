import { messageOf } from '../../errors.ts';
import { openRotatingFile } from '../../lib/files/rotating-file.ts';
import { runView } from '../../task-views.ts';
import { deliveryView } from '../../views.ts';
import type { ServeOutput } from './filters.ts';

/**
 * Everything that `output` is told, in a log file, too (pino's JSON lines, mode 0600, four parts of 10 MB at most): for
 * reading what happened days later, and the only place where stack traces go. `redact` sees each line.
 */
export async function logged(
  output: ServeOutput,
  file: string,
  redact: (line: string) => string,
): Promise<ServeOutput> {
  const { default: pino } = await import('pino');
  const leftOut = (lines: number) =>
    `${JSON.stringify({ level: 40, time: Date.now(), lines, msg: 'left out' })}\n`;
  const failed = (error: unknown) =>
    output.problem(`The log file can't be written (${messageOf(error)}); up to 1 MB of its lines waits`);
  const target = openRotatingFile(file, { leftOut, failed });
  const log = pino({}, { write: (line: string) => target.write(redact(line)) });
  return {
    ready(serving) {
      const { tunnel, ...facts } = serving.facts();
      const { problems, granted } = serving;
      log.info({ ...facts, tunnel: tunnel?.reason, problems, granted }, 'ready');
      output.ready(serving);
    },
    received(receipt) {
      const { deliveryId, webhook, status, reason, eventType, size, result: settled } = receipt;
      const level = status === 'rejected' || status === 'unparsed' ? 'warn' : 'info';
      // What is at its end has one line, of `settled`.
      if (settled === null)
        log[level]({ id: deliveryId, webhook: webhook.name, status, reason, eventType, size }, 'received');
      output.received(receipt);
    },
    refused(count) {
      log.warn({ count }, 'refused');
      output.refused(count);
    },
    unrouted(row) {
      log.warn({ ...row }, 'unrouted');
      output.unrouted(row);
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
    run(run) {
      log[run.state === 'failed' ? 'error' : 'info'](runView(run), 'run');
      output.run(run);
    },
    progress(run, text) {
      log.info({ id: run.id, task: run.taskId, text }, 'progress');
      output.progress(run, text);
    },
    held(reason) {
      log.warn({ reason }, 'held');
      output.held(reason);
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
    granted(grants) {
      log.warn({ grants }, 'granted');
      output.granted(grants);
    },
    broken(error) {
      log.error(error, 'broken');
      output.broken(error);
    },
    problem(text) {
      log.warn({ reason: text }, 'problem');
      output.problem(text);
    },
    state(state, reason) {
      log.info({ reason }, state);
      output.state(state, reason);
    },
  };
}
