import { HookctlError, messageOf } from '../errors.ts';
import { fullJitter, pause } from '../lib/time.ts';
import type { Environment } from '../lib/process/subprocess.ts';
import type { Prober } from './prober.ts';
import type { TunnelSettings } from './settings.ts';
import {
  type OpenTunnel,
  type TunnelClock,
  type TunnelDriver,
  type TunnelFacts,
  TunnelFailure,
  type TunnelNews,
  type TunnelState,
} from './tunnel.ts';
import { watchTunnel } from './watch.ts';

const BACKOFF = { baseMs: 1_000, capMs: 30_000 };

/** A tunnel as `hookctl status`, the API and the log show it. Never changed: each change is a new value. */
export interface TunnelStatus extends TunnelState {
  readonly driver: string;
  /** The tunnel, or while it is down the last one; null before the first. */
  readonly tunnel: TunnelFacts | null;
  /** Only in the report of a changed URL: the one that leads nowhere any more. Show it loudly. */
  readonly previousUrl: string | null;
  /** What to do about it, when hookctl knows. */
  readonly fix: string | null;
  /** Down for good: trying again would not help before somebody has changed something. */
  readonly final: boolean;
  /** How often it was opened again. */
  readonly restarts: number;
  /** Epoch milliseconds of the last probe that arrived; null: none yet. */
  readonly provenAt: number | null;
}

interface SupervisorOptions {
  readonly driver: TunnelDriver;
  readonly settings: TunnelSettings;
  readonly ingressPort: number;
  readonly env: Environment;
  /** Private folder of the drivers. */
  readonly folder: string;
  readonly clock: TunnelClock;
  readonly relayKey: string;
  /** Null: no probes (the ingress is in another process). */
  readonly prober: Prober | null;
  /** Called with each change of phase, reason or URL. */
  readonly report: (status: TunnelStatus) => void;
}

export interface TunnelSupervisor {
  current(): TunnelStatus;
  /** Closes the tunnel; leaves no process, socket or timer. */
  close(): Promise<void>;
}

/** How a connection ended. */
interface Loss {
  readonly reason: string;
  readonly fix: string | null;
  readonly final: boolean;
  readonly retryAfterMs: number;
}

/** Keeps one tunnel open until it is closed, and says how it stands. What a loss means is the caller's to decide. */
export function superviseTunnel(options: SupervisorOptions): TunnelSupervisor {
  const { driver, clock, prober } = options;
  const stop = new AbortController();
  let resumeAfter: string | null = null;
  let heardAt = clock.now();
  let status: TunnelStatus = {
    ...{ driver: driver.name, tunnel: null, previousUrl: null, fix: null, final: false, restarts: 0 },
    ...{ provenAt: null, phase: 'connecting', reason: 'not opened yet', since: clock.now() },
  };

  function show(change: Pick<TunnelStatus, 'phase' | 'reason'> & Partial<TunnelStatus>): void {
    if (change.phase === status.phase && change.reason === status.reason) return;
    const since = change.phase === status.phase ? status.since : clock.now();
    status = { ...status, fix: null, previousUrl: null, since, ...change };
    options.report(status);
  }

  function showTunnel(tunnel: TunnelFacts): void {
    const before = status.tunnel?.url ?? tunnel.url;
    const moved = before !== tunnel.url;
    const reason = moved ? `the public URL changed from ${before} to ${tunnel.url}` : `open at ${tunnel.url}`;
    show({ phase: 'up', reason, tunnel, previousUrl: moved ? before : null });
  }

  function take(news: TunnelNews, lost: AbortController): void {
    heardAt = clock.now();
    switch (news.kind) {
      case 'alive':
        return;
      case 'position':
        resumeAfter = news.id;
        return;
      case 'url':
        if (status.tunnel !== null) showTunnel({ ...status.tunnel, url: news.url });
        return;
      case 'state':
        if (news.state.phase === 'down') lost.abort(news.state.reason);
        else if (status.phase !== 'connecting') show({ phase: news.state.phase, reason: news.state.reason });
        return;
      default:
        news satisfies never;
    }
  }

  /** One connection, from opening to loss. */
  async function connect(): Promise<Loss> {
    const lost = new AbortController();
    const signal = AbortSignal.any([stop.signal, lost.signal]);
    const report = (news: TunnelNews) => take(news, lost);
    show({ phase: 'connecting', reason: `opening ${driver.name}` });
    let open: OpenTunnel;
    try {
      open = await driver.open({ ...options, signal, resumeAfter, report });
    } catch (error) {
      return lossOf(error);
    }
    const { url, stable, byteExact, canRespond, leadsTo, expiresAt } = open;
    showTunnel({ url, stable, byteExact, canRespond, leadsTo, expiresAt });
    try {
      const reason = await watchTunnel({
        signal,
        clock,
        silenceMs: driver.silenceMs,
        isRelay: leadsTo !== null,
        heardAt: () => heardAt,
        probe: prober && ((ended) => prober.probe(status.tunnel ?? open, ended)),
        phase: () => status.phase,
        enter: (phase, why) => show({ phase, reason: why }),
        proven: () => {
          status = { ...status, provenAt: clock.now() };
        },
      });
      return { reason, fix: null, final: false, retryAfterMs: 0 };
    } finally {
      await open.close();
    }
  }

  async function keepOpen(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const startedAt = clock.now();
      const loss = await connect();
      if (stop.signal.aborted) return;
      // One that lasted was no failed attempt.
      if (clock.now() - startedAt > clock.scaled(BACKOFF.capMs)) attempt = 0;
      const waitMs = Math.max(loss.retryAfterMs, fullJitter(attempt, { ...BACKOFF, random: clock.random }));
      const next = loss.final ? '' : `; next try in ${Math.ceil(waitMs / 1000)} s`;
      show({ phase: 'down', reason: loss.reason + next, fix: loss.fix, final: loss.final });
      if (loss.final || !(await pause(clock.scaled(waitMs), stop.signal))) return;
      status = { ...status, restarts: status.restarts + 1 };
    }
  }

  const kept = keepOpen();
  return {
    current: () => status,
    async close() {
      if (!stop.signal.aborted) stop.abort('closed');
      await kept;
      if (status.phase !== 'down') show({ phase: 'down', reason: 'closed', final: true });
    },
  };
}

function lossOf(error: unknown): Loss {
  const isFailure = error instanceof TunnelFailure;
  return {
    reason: messageOf(error),
    fix: error instanceof HookctlError ? error.fix : null,
    final: isFailure && error.final,
    retryAfterMs: isFailure ? error.retryAfterMs : 0,
  };
}
