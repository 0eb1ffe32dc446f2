import type { RegistryChange } from '../../config/registry.ts';
import type { Receipt } from '../../deliveries/receive.ts';
import { messageOf } from '../../errors.ts';
import { snakeKeys } from '../../lib/case.ts';
import { runView } from '../../task-views.ts';
import { connectionView, deliveryView, outgoingView, taskView } from '../../views.ts';
import type { ServeEvent } from '../events.ts';
import { sweepView } from '../recovery/view.ts';
import { publicBase, slackSocketView, tunnelView } from '../status.ts';

/** `type` and fields of an object for programs: a line of `serve --json`, an event of `/api/events`. */
export type EventObject = readonly [type: (typeof EVENT_TYPES)[number], fields: object];

export const EVENT_TYPES = ['ready', 'delivery', 'task', 'run', 'outgoing', 'connection', 'state'] as const;

const state = (fields: object): readonly EventObject[] => [['state', fields]];

/** An event as programs get it. Empty for what is only counted, and for what another event has whole. */
export function eventObjects(event: ServeEvent): readonly EventObject[] {
  switch (event.type) {
    case 'ready': {
      const { facts, webhooks, problems, recovered, granted } = event.start;
      const { pid, ingressUrl, managementUrl } = facts();
      const ready = {
        pid,
        ingress_url: ingressUrl,
        public_url: publicBase(facts()),
        management_url: managementUrl,
        webhooks: webhooks.map(({ name, endpoint, enabled }) => ({ name, endpoint, enabled })),
        problems,
        recovered,
        granted,
      };
      return [['ready', ready]];
    }
    case 'received':
      return receiptObjects(event.receipt);
    case 'refused':
      return state({ of: 'ingress', state: 'refusing', count: event.count });
    case 'unrouted': {
      const { id, webhook, status, reason } = event.row;
      return [['delivery', { id, webhook, status: 'rejected', answered: status, reason }]];
    }
    case 'handshake':
      return state({ of: 'handshake', state: 'answered', ...snakeKeys(event.handshake) });
    case 'delivery':
      return [
        ['delivery', deliveryView(event.result.delivery)],
        ...event.result.tasks.map((task) => ['task', taskView(task)] as const),
      ];
    case 'outgoing':
      return [['outgoing', outgoingView(event.item)]];
    case 'connection':
      return [['connection', { ...connectionView(event.connection), text: event.text }]];
    case 'task':
      return [['task', taskView(event.task)]];
    case 'run':
      return [['run', runView(event.run)]];
    case 'progress': {
      const { id, taskId } = event.run;
      return [['run', { id, task_id: taskId, state: 'running', progress: event.text }]];
    }
    case 'budget':
    case 'held':
      return state({ of: 'agents', state: event.type, reason: event.reason });
    case 'schedule':
    case 'workspace':
      return state({ of: `${event.type}s`, state: 'changed', reason: event.text });
    case 'tunnel':
      return state({ of: 'tunnel', ...tunnelView(event.status) });
    case 'slack':
      return state({ of: 'slack', ...slackSocketView(event.status) });
    case 'swept':
      return state({ of: 'recovery', ...sweepView(event.report, event.gap) });
    case 'reloaded':
      return state({ of: 'webhooks', ...changeView(event.change) });
    case 'granted':
      return state({ of: 'grants', state: 'added', granted: event.permissions });
    case 'broken':
      return state({ state: 'degraded', reason: messageOf(event.error) });
    case 'problem':
      return state({ of: 'problems', state: 'added', reason: event.text });
    case 'state':
      return state({ state: event.state, reason: event.reason });
    default:
      return event satisfies never;
  }
}

/** Whose the thing is that an event is about; null for what is about the whole server. */
export function ownerOfEvent(event: ServeEvent): string | null {
  switch (event.type) {
    case 'received':
      return event.receipt.webhook.owner;
    case 'delivery':
      return event.result.delivery.owner;
    case 'outgoing':
      return event.item.owner;
    case 'task':
      return event.task.owner;
    case 'run':
    case 'progress':
      return event.run.owner;
    default:
      return null;
  }
}

/** What came in. A delivery that is settled at once is a `delivery` in the same moment, with all of this. */
function receiptObjects(receipt: Receipt): readonly EventObject[] {
  const { recorded, result, deliveryId: id, webhook, status, reason } = receipt;
  if (!recorded || result !== null) return [];
  const { eventType, externalId, senderName, size } = receipt;
  const came = { id, webhook: webhook.name, status, reason };
  const further = { event_type: eventType, external_id: externalId, sender: senderName, size };
  return [['delivery', { ...came, ...further }]];
}

function changeView(change: RegistryChange): object {
  switch (change.kind) {
    case 'applied': {
      const { kind: _, ...fields } = change;
      return { state: 'applied', ...fields };
    }
    case 'refused':
      return { state: 'refused', problems: change.problems };
    case 'restart_needed':
      return { state: 'restart_needed', file: change.file, change: change.state };
    case 'polling':
    case 'not_kept':
      return { state: change.kind, reason: change.reason };
    default:
      return change satisfies never;
  }
}
