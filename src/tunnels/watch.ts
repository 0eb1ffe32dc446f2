import { pause } from '../lib/time.ts';
import type { ProbeResult } from './prober.ts';
import type { TunnelClock, TunnelPhase } from './tunnel.ts';

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
  /** Longest healthy silence, in milliseconds; null: silence says nothing. */
  readonly silenceMs: number | null;
  /** Epoch milliseconds of the last sign of life. */
  readonly heardAt: () => number;
  /** Null: no probes. */
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
export async function watchTunnel(options: WatchOptions): Promise<string> {
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
