import type { DispatchResult } from '../../deliveries/context.ts';
import type { Receipt } from '../../deliveries/receive.ts';
import { messageOf } from '../../errors.ts';
import { type Io, paint, type Style, say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import { providerNamed } from '../../providers/index.ts';
import type { Serving } from '../../server/serve.ts';
import type { TunnelStatus } from '../../tunnels/supervisor.ts';
import { RELAY_VERDICT } from '../../tunnels/tunnel.ts';
import type { AgentRun, TaskStatus } from '../../types.ts';
import { bytes, duration, localTime, tunnelLine } from '../kit/print.ts';
import { announce, announceUrls, type Print } from './announce.ts';
import type { ServeOutput } from './filters.ts';
import { liveChangeLines } from './live-change.ts';
import { wrapped } from './wrapped.ts';

const RUN_REASON_LENGTH = 200;

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

/** Longest reason on one line. */
const REASON_LENGTH = 260;

/** Lines for people on stderr, two for each delivery: what came in, what became of it, the id last. */
export function humanOutput({ err, repeatConfig = (text) => text }: Io): ServeOutput {
  const line = (text: string) =>
    say(err, `${paint(err, 'dim', localTime(new Date().toISOString()).slice(11))}  ${text}`);
  const became = (style: Style, text: string, id: string) =>
    line(`${paint(err, style, `<-- ${shorten(escapeInvisibleLine(text), REASON_LENGTH)}`)}  [${id}]`);

  const print =
    (style: Style | null): Print =>
    (pieces, indent) => {
      for (const text of wrapped(pieces.map(repeatConfig), indent))
        say(err, style === null ? text : paint(err, style, text));
    };
  let serving: Serving | null = null;
  /** The tunnel's URL under which the endpoints were printed last. */
  let announced: string | null = null;

  return {
    ready(started) {
      serving = started;
      announced = started.facts().tunnel?.tunnel?.url ?? null;
      announce(started, print(null), print('yellow'));
    },
    received(receipt) {
      line(`--> ${whatCame(receipt)}  [${receipt.deliveryId}]`);
      if (receipt.status === 'rejected')
        became(
          'red',
          `rejected: ${receipt.hint ?? `${receipt.reason}. ${fixFor(receipt)}`}`,
          receipt.deliveryId,
        );
      if (receipt.status === 'unparsed') became('red', `unparsed: ${receipt.reason}`, receipt.deliveryId);
      if (receipt.status === 'duplicate')
        became('yellow', `duplicate: ${receipt.reason}`, receipt.deliveryId);
    },
    refused: (count) =>
      line(paint(err, 'red', `${count} more requests were refused, too many to tell one by one`)),
    unrouted: ({ id, status, reason }) => became('red', `${status} ${reason}`, id),
    settled(settled) {
      const { delivery } = settled;
      became(styleOf(settled), outcome(settled), delivery.id);
    },
    task({ id, status, title }) {
      line(`task ${status}: ${escapeInvisibleLine(title)}  [${id}]`);
    },
    run: (run) => line(paint(err, runStyle(run), escapeInvisibleLine(runLine(run)))),
    progress: ({ agent, id }, text) =>
      line(paint(err, 'dim', `${agent}: ${shorten(escapeInvisibleLine(text), REASON_LENGTH)}  [${id}]`)),
    held: (reason) => line(paint(err, 'yellow', `runs are held: ${escapeInvisibleLine(reason)}`)),
    sent({ id, kind, provider, content, status, reason }) {
      const where = kind === 'forward' ? content : provider;
      if (status === 'sent') line(paint(err, 'green', `${kind} → ${escapeInvisibleLine(where)}  [${id}]`));
      else
        line(paint(err, 'red', `${kind} → ${escapeInvisibleLine(`${where}: ${reason ?? status}`)}  [${id}]`));
    },
    tunnel(status) {
      line(paint(err, tunnelStyle(status), tunnelLine(status)));
      const url = status.tunnel?.url ?? null;
      if (serving === null || status.phase !== 'up' || url === announced) return;
      announced = url;
      announceUrls(serving, print(null));
    },
    reloaded(change) {
      const style = change.kind === 'applied' ? 'green' : change.kind === 'refused' ? 'red' : 'yellow';
      for (const text of liveChangeLines(change)) line(paint(err, style, escapeInvisibleLine(text)));
    },
    granted(grants) {
      for (const { target, says } of grants)
        line(paint(err, 'yellow', `new: ${escapeInvisibleLine(`${target} ${says}`)}`));
    },
    broken: (error) => line(paint(err, 'red', `answered 503: ${escapeInvisibleLine(messageOf(error))}`)),
    problem: (text) => line(paint(err, 'yellow', `problem: ${escapeInvisibleLine(text)}`)),
    state: (state, reason) => line(`${state}: ${reason}`),
  };
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
    return `${providerNamed(delivery.provider)?.label ?? delivery.provider} reaches you`;
  const made = tasks.map(({ id, command, agent, status, unsynced }) => {
    const held = HOLDS[status] ?? '';
    return `${command} → ${id} (${agent}${held})${unsynced === null ? '' : `; files not written: ${unsynced}`}`;
  });
  return `${delivery.status}: ${made.length > 0 ? made.join(', ') : delivery.reason}`;
}

function tunnelStyle({ phase, previousUrl }: TunnelStatus): Style {
  if (previousUrl !== null) return ['bold', 'yellow'];
  return phase === 'up' ? 'green' : phase === 'down' ? 'red' : 'yellow';
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
