import { messageOf } from '../../errors.ts';
import { type OutputStream, say } from '../../lib/io.ts';
import { escapeInvisibleJson } from '../../lib/text/escape-invisible.ts';
import type { Grant } from '../../server/permissions.ts';
import { publicBase, tunnelView } from '../../server/status.ts';
import { runView } from '../../task-views.ts';
import { deliveryView, iso, outgoingView, taskView } from '../../views.ts';
import type { ServeOutput } from './filters.ts';
import { liveChangeView } from './live-change.ts';

function grantView({ target, says }: Grant) {
  return { target, says };
}

/** The line of those that a reader did not take in time. */
export function leftOutAsJson(lines: number): string {
  const event = { type: 'state', at: iso(Date.now()), of: 'output', state: 'left_out', count: lines };
  return `${JSON.stringify(event)}\n`;
}

/** One JSON object for each line of stdout; `type` is `ready`, `delivery`, `task`, `run`, `outgoing` or `state`. */
export function jsonOutput(out: OutputStream): ServeOutput {
  const print = (type: string, fields: object) =>
    say(out, escapeInvisibleJson({ type, at: iso(Date.now()), ...fields }));
  return {
    ready({ facts, webhooks, problems, recovered, granted }) {
      const { pid, ingressUrl, managementUrl } = facts();
      print('ready', {
        pid,
        ingress_url: ingressUrl,
        public_url: publicBase(facts()),
        management_url: managementUrl,
        webhooks: webhooks.map(({ name, endpoint, enabled }) => ({ name, endpoint, enabled })),
        problems,
        recovered,
        granted: granted.map(grantView),
      });
    },
    received({
      result: settled,
      deliveryId,
      webhook,
      status,
      reason,
      eventType,
      externalId,
      senderName,
      size,
    }) {
      // What `settled` prints of it in the same moment says all of this.
      if (settled !== null) return;
      print('delivery', {
        id: deliveryId,
        webhook: webhook.name,
        status,
        reason,
        event_type: eventType,
        external_id: externalId,
        sender: senderName,
        size,
      });
    },
    refused: (count) => print('state', { of: 'ingress', state: 'refusing', count }),
    unrouted: ({ id, webhook, status, reason }) =>
      print('delivery', { id, webhook, status: 'rejected', answered: status, reason }),
    settled({ delivery, tasks }) {
      print('delivery', deliveryView(delivery));
      for (const task of tasks) print('task', taskView(task));
    },
    task: (task) => print('task', taskView(task)),
    run: (run) => print('run', runView(run)),
    progress: ({ id, taskId }, text) =>
      print('run', { id, task_id: taskId, state: 'running', progress: text }),
    held: (reason) => print('state', { of: 'agents', state: 'held', reason }),
    sent: (item) => print('outgoing', outgoingView(item)),
    tunnel: (status) => print('state', { of: 'tunnel', ...tunnelView(status) }),
    reloaded: (change) => print('state', { of: 'webhooks', ...liveChangeView(change) }),
    granted: (grants) => print('state', { of: 'grants', state: 'added', granted: grants.map(grantView) }),
    broken: (error) => print('state', { state: 'degraded', reason: messageOf(error) }),
    problem: (text) => print('state', { of: 'problems', state: 'added', reason: text }),
    state: (state, reason) => print('state', { state, reason }),
  };
}
