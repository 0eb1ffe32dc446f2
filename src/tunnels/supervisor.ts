import { HookctlError, messageOf } from '../errors.ts';
import type { Environment } from '../lib/process/subprocess.ts';
import { fullJitter, pause } from '../lib/time.ts';
import type { ProbeResult, Prober } from './prober.ts';
import type { TunnelSettings } from './settings.ts';
import {
  type OpenTunnel,
  type TunnelClock,
  type TunnelDriver,
  type TunnelFacts,
  TunnelFailure,
  type TunnelNews,
  type TunnelPhase,
  type TunnelState,
} from './tunnel.ts';

const TICK_MS = 5_000;
/** A tick that comes this much late by the wall clock: the machine slept, or the process was stopped. */
const SLEEP_MS = 10_000;
/** New addresses need a moment until the world knows them. */
const FIRST_PROBE_MS = 2_000;
const PROBE_EVERY_MS = 60_000;
/** A relay is somebody's free service, and its keep-alives show already that it lives. */
const PROBE_RELAY_EVERY_MS = 300_000;
const PROBE_AGAIN_MS = 10_000;
/** Failed probes in a row that make a tunnel dead. */
const PATIENCE = 3;

interface WatchOptions {
  /** Ends the watch; its reason is the text that is returned. */
  readonly signal: AbortSignal;
  readonly clock: TunnelClock;
  readonly isRelay: boolean;
  /** Longest healthy silence, in milliseconds; null when silence says nothing. */
  readonly silenceMs: number | null;
  /** Epoch milliseconds of the last sign of life. */
  readonly heardAt: () => number;
  /** Null when there are no probes. */
  readonly probe: ((signal: AbortSignal) => Promise<ProbeResult>) | null;
  readonly phase: () => TunnelPhase;
  readonly enter: (phase: 'up' | 'degraded', reason: string) => void;
  /** A probe arrived. */
  readonly proven: () => void;
}

/**
 * Looks after an open tunnel until it is lost, and returns why. Lost means: the driver says so, it is silent for too
 * long, or probes that once arrived do so no more. A tunnel through which no probe ever came stays, degraded: perhaps
 * only this machine cannot reach its own public name, and opening it again and again would change its URL each time.
 */
async function watchTunnel(options: WatchOptions): Promise<string> {
  const { clock, signal, silenceMs } = options;
  const probing = createProbing(options);
  let tickedAt = clock.now();
  let wokeAt = tickedAt;
  try {
    while (await pause(clock.scaled(TICK_MS), signal)) {
      const late = clock.now() - tickedAt - clock.scaled(TICK_MS);
      tickedAt = clock.now();
      if (late > clock.scaled(SLEEP_MS)) {
        // What came in the meantime still waits in the socket: judge the silence from now on.
        wokeAt = tickedAt;
        probing.afterSleep(late);
      }
      const silence = tickedAt - Math.max(options.heardAt(), wokeAt);
      if (silenceMs !== null && silence > clock.scaled(silenceMs)) {
        return `nothing heard for ${seconds(silence)}, although the relay sends a sign of life every 30 s`;
      }
      const lost = probing.tick();
      if (lost !== null) return lost;
    }
    return String(signal.reason);
  } finally {
    await probing.end();
  }
}

interface Probing {
  /** Begins a probe when it is time to; why the tunnel is lost, when the last one showed that it is. */
  tick(): string | null;
  afterSleep(ms: number): void;
  end(): Promise<void>;
}

/** Probes beside the ticks, which would else not notice a sleep during a probe. */
function createProbing({ clock, signal, probe, isRelay, phase, enter, proven }: WatchOptions): Probing {
  const everyMs = isRelay ? PROBE_RELAY_EVERY_MS : PROBE_EVERY_MS;
  let dueAt = clock.now() + clock.scaled(FIRST_PROBE_MS);
  let running: { readonly stop: AbortController; readonly done: Promise<void> } | null = null;
  let everArrived = false;
  let failures = 0;
  let lost: string | null = null;

  function judge(result: ProbeResult): void {
    dueAt = clock.now() + clock.scaled(result.ok || result.culprit === 'unknown' ? everyMs : PROBE_AGAIN_MS);
    if (result.ok) {
      failures = 0;
      proven();
      if (!everArrived || phase() !== 'up') enter('up', `a probe arrived after ${result.tookMs} ms`);
      everArrived = true;
    } else if (result.culprit !== 'unknown') {
      failures += 1;
      enter('degraded', result.detail);
      if (result.culprit === 'tunnel' && everArrived && failures >= PATIENCE) lost = result.detail;
    }
  }

  async function run(send: NonNullable<WatchOptions['probe']>, stop: AbortController): Promise<void> {
    const result = await send(AbortSignal.any([signal, stop.signal]));
    if (signal.aborted || stop.signal.aborted) return;
    running = null;
    judge(result);
  }

  return {
    tick() {
      if (probe !== null && running === null && clock.now() >= dueAt) {
        const stop = new AbortController();
        running = { stop, done: run(probe, stop) };
      }
      return lost;
    },
    afterSleep(ms) {
      if (probe === null) return;
      enter('degraded', `woke after ${seconds(ms)} of sleep; probing the tunnel`);
      // A probe that slept with us proves nothing; the next one alone decides, as connections rarely survive a sleep.
      running?.stop.abort();
      running = null;
      dueAt = clock.now();
      failures = PATIENCE - 1;
    },
    async end() {
      running?.stop.abort();
      await running?.done;
    },
  };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}

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
  /** Epoch milliseconds of the last probe that arrived; null before the first. */
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
  /** Null when there are no probes: the ingress is in another process. */
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

/** Keeps one tunnel open until it is closed, and reports its status. The caller decides what a loss means. */
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
