import type { ConnectContext } from '../../connect/context.ts';
import { type Gap, openSchedule, type RecoverOrder, type Schedule } from '../../recover/schedule.ts';
import type { RecoverContext, SweepReport } from '../../recover/sweep.ts';
import type { Services } from '../../services.ts';
import type { TunnelStatus } from '../../tunnels/supervisor.ts';
import type { Connection } from '../../types.ts';
import type { ServeListener } from '../events.ts';

/** How long one call waits for a limit: no person waits for it. */
const PATIENCE_MS = 10 * 60_000;

interface SweeperParts {
  readonly connect: ConnectContext;
  readonly receive: RecoverContext['receive'];
  readonly signal: AbortSignal;
}

/** Sweeps connections one after the other. Loads what it needs at the first one. */
export function createSweeper({ connect, receive, signal }: SweeperParts) {
  const context = { connect: { ...connect, patienceMs: PATIENCE_MS, signal }, receive, signal };
  return async (order: RecoverOrder): Promise<readonly SweepReport[]> => {
    const chosen = connect.store.connections().filter((each) => isFor(each, order));
    if (chosen.length === 0) return [];
    const { sweepConnection } = await import('../../recover/sweep.ts');
    const reports: SweepReport[] = [];
    for (const each of chosen) reports.push(await sweepConnection(context, each, order));
    return reports;
  };
}

function isFor({ webhook, webhookId }: Connection, order: RecoverOrder): boolean {
  return order.webhook === null || order.webhook === webhook || order.webhook === webhookId;
}

interface ServeRecoveryParts extends Omit<SweeperParts, 'signal'> {
  readonly services: Services;
  readonly everyMs: number;
  readonly hasTunnel: boolean;
  readonly emit: ServeListener;
}

/** Recovery of a server. */
interface ServeRecovery extends Pick<Schedule, 'begin' | 'recover' | 'close'> {
  readonly listen: ServeListener;
}

/** Sweeps at the start, after gaps and now and then, and tells what was found. */
export function openServeRecovery(parts: ServeRecoveryParts): ServeRecovery {
  const { services, everyMs, hasTunnel, emit } = parts;
  const stop = new AbortController();
  const schedule = openSchedule({
    ...{ everyMs, hasTunnel, clock: services.clock, dataFolder: services.located.dataFolder },
    sweep: createSweeper({ ...parts, signal: stop.signal }),
    report: (report, gap) => emit({ type: 'swept', report, gap }),
    missed(gap) {
      const text = unknownText(parts.connect, gap);
      if (text !== null) emit({ type: 'problem', text });
    },
    broken: (error) => emit({ type: 'broken', error }),
  });
  return {
    begin: schedule.begin,
    recover: schedule.recover,
    listen(event) {
      if (event.type === 'tunnel') schedule.tunnel(stateOf(event.status));
    },
    close() {
      stop.abort();
      return schedule.close();
    },
  };
}

/** A shorter gap is a restart. */
const SHORT_MS = 60_000;

/** Which webhooks that are in use no log is read for. Null when there is none, or the gap was short. */
function unknownText({ store, snapshot }: ConnectContext, { from, to }: Gap): string | null {
  if (to - from < SHORT_MS) return null;
  const connected = new Set(store.connections().map(({ webhook }) => webhook));
  const used = new Set(store.countsByWebhook().map(({ webhook }) => webhook));
  const names = snapshot()
    .webhooks.filter(({ name, enabled }) => enabled && used.has(name) && !connected.has(name))
    .map(({ name }) => name);
  if (names.length === 0) return null;
  const span = [from, to].map((at) => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')).join(' to ');
  return `nothing arrived from ${span}, and what was sent to ${names.join(', ')} meanwhile is not known: no sender is connected there, whose log could be read (hookctl connect --help)`;
}

/** Degraded: this machine can't reach its own public name, which others perhaps can. */
function stateOf({ phase, since, tunnel }: TunnelStatus) {
  return { isUp: tunnel !== null && (phase === 'up' || phase === 'degraded'), since };
}
