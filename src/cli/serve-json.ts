import { messageOf } from '../errors.ts';
import { type Io, say } from '../lib/io.ts';
import { publicBase } from '../server/status.ts';
import { tunnelView } from '../server/tunnel-view.ts';
import { deliveryView, iso, outgoingView, taskView } from '../views.ts';
import { liveChangeView } from './reloaded.ts';
import type { ServeOutput } from './serve-output.ts';

/** One JSON object for each line of stdout; `type` is `ready`, `delivery`, `task`, `outgoing` or `state`. */
export function jsonOutput({ out }: Io): ServeOutput {
  const print = (type: string, fields: object) =>
    say(out, JSON.stringify({ type, at: iso(Date.now()), ...fields }));
  return {
    ready({ facts, webhooks, problems, recovered }) {
      const { pid, ingressUrl, managementUrl } = facts();
      print('ready', {
        pid,
        ingress_url: ingressUrl,
        public_url: publicBase(facts()),
        management_url: managementUrl,
        webhooks: webhooks.map(({ name, endpoint, enabled }) => ({ name, endpoint, enabled })),
        problems,
        recovered,
      });
    },
    received({ deliveryId, webhook, status, reason, eventType, externalId, senderName, size }) {
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
    settled({ delivery, tasks }) {
      print('delivery', deliveryView(delivery));
      for (const task of tasks) print('task', taskView(task));
    },
    task: (task) => print('task', taskView(task)),
    sent: (item) => print('outgoing', outgoingView(item)),
    tunnel: (status) => print('state', { of: 'tunnel', ...tunnelView(status) }),
    reloaded: (change) => print('state', { of: 'webhooks', ...liveChangeView(change) }),
    broken: (error) => print('state', { state: 'degraded', reason: messageOf(error) }),
    state: (state, reason) => print('state', { state, reason }),
  };
}
