import type { DispatchResult } from '../../deliveries/context.ts';
import type { Receipt } from '../../deliveries/receive.ts';
import { messageOf } from '../../errors.ts';
import { snakeKeys } from '../../lib/case.ts';
import type { Style } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import { providerFacts } from '../../providers/facts.ts';
import type { ServeEvent } from '../../server/events.ts';
import { permissionText } from '../../server/permissions.ts';
import { sweepView } from '../../server/recovery/view.ts';
import { runView } from '../../task-views.ts';
import { RELAY_VERDICT } from '../../tunnels/relay.ts';
import type { TunnelStatus } from '../../tunnels/supervisor.ts';
import type { AgentRun, TaskStatus } from '../../types.ts';
import { deliveryView } from '../../views.ts';
import { bytes, duration, tunnelLine } from '../kit/print.ts';
import { sweepLine } from '../kit/sweeps.ts';
import { liveChangeLines } from './live-change.ts';

type Paint = (style: Style, text: string) => string;

/** An event as each reader of `serve` gets it. */
interface Shown {
  /** Lines for people. */
  readonly lines?: (paint: Paint) => readonly string[];
  /** A line of the log file: pino's level, fields and message. */
  readonly log?: () => readonly [level: 'info' | 'warn' | 'error', fields: object, message: string];
  /** It went as it should, and `--quiet` leaves it out. */
  readonly isRoutine?: boolean;
}

/** Longest reason on one line. */
const REASON_LENGTH = 260;
const RUN_REASON_LENGTH = 200;

/** How each event is shown; `ready` and the URLs of a tunnel have more lines, see `terminal.ts`. */
export function shown(event: ServeEvent): Shown {
  switch (event.type) {
    case 'ready': {
      const { facts, problems, granted } = event.start;
      return {
        log: () => {
          const { tunnel, ...rest } = facts();
          return ['info', { ...rest, tunnel: tunnel?.reason, problems, granted }, 'ready'];
        },
      };
    }
    case 'received':
      return event.receipt.recorded ? shownReceipt(event.receipt) : {};
    case 'refused': {
      const { count } = event;
      return {
        lines: (paint) => [paint('red', `${count} more requests were refused, too many to tell one by one`)],
        log: () => ['warn', { count }, 'refused'],
      };
    }
    case 'unrouted': {
      const { id, status, reason } = event.row;
      return {
        lines: (paint) => [became(paint, 'red', `${status} ${reason}`, id)],
        log: () => ['warn', { ...event.row }, 'unrouted'],
      };
    }
    case 'handshake': {
      const { webhook, handshake, method, awaited, learnedSecret } = event.handshake;
      const learned = learnedSecret ? '; its secret is the webhook’s now' : '';
      const why = awaited ? 'awaited' : 'signed';
      return {
        lines: (paint) => [
          paint('green', `${webhook}: answered the ${why} handshake ${handshake} (${method})${learned}`),
        ],
        log: () => ['info', snakeKeys(event.handshake), 'handshake'],
      };
    }
    case 'delivery': {
      const { delivery, tasks } = event.result;
      const isFailed = delivery.status === 'failed';
      return {
        lines: (paint) => [became(paint, styleOf(event.result), outcome(event.result), delivery.id)],
        log: () => {
          const fields = { delivery: deliveryView(delivery), tasks: tasks.map(({ id }) => id) };
          return [isFailed ? 'error' : 'info', fields, 'settled'];
        },
        isRoutine: !isFailed && !tasks.some(({ status }) => isWaiting(status)),
      };
    }
    case 'outgoing': {
      const { id, kind, provider, content, status, reason, attempts } = event.item;
      const where = kind === 'forward' ? content : provider;
      const isSent = status === 'sent';
      const text = isSent ? where : `${where}: ${reason ?? status}`;
      return {
        lines: (paint) => [
          paint(isSent ? 'green' : 'red', `${kind} → ${escapeInvisibleLine(text)}  [${id}]`),
        ],
        log: () => [isSent ? 'info' : 'error', { id, kind, provider, status, reason, attempts }, 'outgoing'],
        isRoutine: isSent,
      };
    }
    case 'connection': {
      const { connection, text, isBad } = event;
      return {
        lines: (paint) => [paint(isBad ? 'red' : 'green', escapeInvisibleLine(text))],
        log: () => [isBad ? 'error' : 'info', { id: connection.id, text }, 'connection'],
      };
    }
    case 'task': {
      const { id, status, title } = event.task;
      return {
        lines: () => [`task ${status}: ${escapeInvisibleLine(title)}  [${id}]`],
        log: () => ['info', { id, status }, 'task'],
        isRoutine: status !== 'failed' && !isWaiting(status),
      };
    }
    case 'run': {
      const { run } = event;
      return {
        lines: (paint) => [paint(runStyle(run), escapeInvisibleLine(runLine(run)))],
        log: () => [run.state === 'failed' ? 'error' : 'info', runView(run), 'run'],
        isRoutine: run.state !== 'failed' && run.state !== 'interrupted',
      };
    }
    case 'progress': {
      const { run, text } = event;
      const { id, agent, taskId } = run;
      return {
        lines: (paint) => [
          paint('dim', `${agent}: ${shorten(escapeInvisibleLine(text), REASON_LENGTH)}  [${id}]`),
        ],
        log: () => ['info', { id, task: taskId, text }, 'progress'],
        isRoutine: true,
      };
    }
    case 'budget':
    case 'held': {
      const { type, reason } = event;
      const text = type === 'held' ? `runs are held: ${reason}` : reason;
      return {
        lines: (paint) => [paint('yellow', escapeInvisibleLine(text))],
        log: () => ['warn', { reason }, type],
      };
    }
    case 'schedule':
    case 'workspace': {
      const { type, text } = event;
      return {
        lines: (paint) => [paint('dim', escapeInvisibleLine(text))],
        log: () => ['info', { text }, type],
      };
    }
    case 'tunnel': {
      const { status } = event;
      return {
        lines: (paint) => [paintTunnel(paint, status)],
        log: () => [status.phase === 'up' ? 'info' : 'warn', status, 'tunnel'],
      };
    }
    case 'slack': {
      const { phase, reason } = event.status;
      const isOpen = phase === 'open';
      const text = `Slack Socket Mode ${phase}: ${escapeInvisibleLine(reason)}`;
      return {
        lines: (paint) => [paint(isOpen ? 'green' : phase === 'stopped' ? 'red' : 'yellow', text)],
        log: () => [
          phase === 'stopped' || phase === 'waiting' ? 'warn' : 'info',
          event.status,
          'slack socket',
        ],
        isRoutine: phase === 'open' || phase === 'connecting',
      };
    }
    case 'swept': {
      const view = sweepView(event.report, event.gap);
      const isGood = view.problem === null && view.window_start === null;
      return {
        lines: (paint) => [paint(isGood ? 'green' : 'yellow', sweepLine(view))],
        log: () => [isGood ? 'info' : 'warn', { ...view, lost: view.lost.length }, 'swept'],
        isRoutine: isGood && view.missing === 0,
      };
    }
    case 'reloaded': {
      const { change } = event;
      const style = change.kind === 'applied' ? 'green' : change.kind === 'refused' ? 'red' : 'yellow';
      return {
        lines: (paint) => liveChangeLines(change).map((text) => paint(style, escapeInvisibleLine(text))),
        log: () => [change.kind === 'applied' ? 'info' : 'warn', change, 'webhooks'],
      };
    }
    case 'granted': {
      const { permissions: granted } = event;
      return {
        lines: (paint) =>
          granted.map((each) => paint('yellow', `new: ${escapeInvisibleLine(permissionText(each))}`)),
        log: () => ['warn', { grants: granted }, 'granted'],
      };
    }
    case 'broken': {
      const { error } = event;
      const message = messageOf(error);
      return {
        lines: (paint) => [paint('red', `answered 503: ${escapeInvisibleLine(message)}`)],
        log: () => ['error', error instanceof Error ? error : { error }, 'broken'],
      };
    }
    case 'problem': {
      const { text } = event;
      return {
        lines: (paint) => [paint('yellow', `problem: ${escapeInvisibleLine(text)}`)],
        log: () => ['warn', { reason: text }, 'problem'],
      };
    }
    case 'state': {
      const { state, reason } = event;
      return {
        lines: () => [`${state}: ${reason}`],
        log: () => ['info', { reason }, state],
      };
    }
    default:
      return event satisfies never;
  }
}

/** What came in. A delivery that is settled at once is a `delivery` in the same moment, with all of this. */
function shownReceipt(receipt: Receipt): Shown {
  const { deliveryId: id, webhook, status, reason, eventType, size, result } = receipt;
  const isBad = status === 'rejected' || status === 'unparsed';
  const came = { id, webhook: webhook.name, status, reason };
  return {
    lines: (paint) => [
      `--> ${whatCame(receipt)}  [${id}]`,
      ...(status === 'rejected'
        ? [became(paint, 'red', `rejected: ${receipt.hint ?? `${reason}. ${fixFor(receipt)}`}`, id)]
        : []),
      ...(status === 'unparsed' ? [became(paint, 'red', `unparsed: ${reason}`, id)] : []),
      ...(status === 'duplicate' ? [became(paint, 'yellow', `duplicate: ${reason}`, id)] : []),
    ],
    ...(result === null && {
      log: () => [isBad ? 'warn' : 'info', { ...came, eventType, size }, 'received'],
    }),
    isRoutine: !isBad,
  };
}

function isWaiting(status: TaskStatus): boolean {
  return status.startsWith('waiting_');
}

function became(paint: Paint, style: Style, text: string, id: string): string {
  return `${paint(style, `<-- ${shorten(escapeInvisibleLine(text), REASON_LENGTH)}`)}  [${id}]`;
}

function whatCame({ eventType, senderName, externalId, webhook, size }: Receipt): string {
  return [eventType ?? 'request', senderName, externalId ?? webhook.name, bytes(size)]
    .filter((part) => part !== null)
    .map(escapeInvisibleLine)
    .join('  ');
}

/** What became of a task, where it was not simply queued. */
const HOLDS: Readonly<Partial<Record<TaskStatus, string>>> = {
  waiting_approval: ', waits for approval',
  cancelled: ', stopped',
};

/** Green is what needs no look: a task whose files were not written does. */
function styleOf({ delivery: { status }, tasks }: DispatchResult): Style {
  if (status === 'failed') return 'red';
  return status === 'processed' && tasks.every(({ unsynced }) => unsynced === null) ? 'green' : 'yellow';
}

function outcome({ delivery, tasks }: DispatchResult): string {
  if (delivery.eventType === 'ping')
    return `${providerFacts.get(delivery.provider)?.label ?? delivery.provider} reaches you`;
  const made = tasks.map(({ id, command, agent, status, unsynced }) => {
    const held = HOLDS[status] ?? '';
    return `${command} → ${id} (${agent}${held})${unsynced === null ? '' : `; files not written: ${unsynced}`}`;
  });
  return `${delivery.status}: ${made.length > 0 ? made.join(', ') : delivery.reason}`;
}

function paintTunnel(paint: Paint, status: TunnelStatus): string {
  const { phase, previousUrl } = status;
  const text = `${tunnelLine(status)}${status.previousUrl === null ? '' : ' (connected hooks follow by themselves)'}`;
  if (previousUrl !== null) return paint(['bold', 'yellow'], text);
  return paint(phase === 'up' ? 'green' : phase === 'down' ? 'red' : 'yellow', text);
}

/** One line for a run that was started or has ended: `planning completed in 12.3 s, $0.4210: …`. */
function runLine(run: AgentRun): string {
  const { id, agent, taskId, state, reason, startedAt, endedAt, usage, folder } = run;
  if (endedAt === null || startedAt === null) return `${agent} works on ${taskId} in ${folder}  [${id}]`;
  const cost = usage.costUsd === null ? '' : `, $${usage.costUsd.toFixed(4)}`;
  const why = reason === null ? '' : `: ${shorten(reason, RUN_REASON_LENGTH)}`;
  return `${agent} ${state} on ${taskId} in ${duration(endedAt - startedAt)}${cost}${why}  [${id}]`;
}

function runStyle({ state }: AgentRun): Style {
  if (state === 'failed' || state === 'interrupted') return 'red';
  return state === 'completed' ? 'green' : 'yellow';
}

function fixFor({ webhook, reason }: Receipt): string {
  if (!webhook.enabled) {
    return webhook.origin.kind === 'dynamic'
      ? `Enable it: ${commandLine('hookctl', 'webhook', 'enable', webhook.name)}`
      : 'It says `enabled: false` where it is written';
  }
  if (reason === RELAY_VERDICT) {
    return 'Use a tunnel that keeps bytes (cloudflared, ssh, gosmee), or set allowUnverifiable';
  }
  return webhook.secrets.length === 0
    ? `Set a secret: ${webhook.secretSource}`
    : `Compare the secrets: ${commandLine('hookctl', 'webhook', 'show', webhook.name, '--show-secret')}`;
}
