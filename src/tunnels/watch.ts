import { pause } from '../lib/backoff.ts';
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

export interface WatchOptions {
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
  while (await pause(clock.scaled(TICK_MS), signal)) {
    const late = clock.now() - tickedAt - clock.scaled(TICK_MS);
    if (late > clock.scaled(SLEEP_MS)) {
      // What came in the meantime still waits in the socket: judge the silence from now on.
      wokeAt = clock.now();
      probing.afterSleep(late);
    }
    const silence = clock.now() - Math.max(options.heardAt(), wokeAt);
    if (silenceMs !== null && silence > clock.scaled(silenceMs)) {
      return `nothing heard for ${seconds(silence)}, although the relay sends a sign of life every 30 s`;
    }
    const lost = await probing.whenDue();
    if (lost !== null) return lost;
    tickedAt = clock.now();
  }
  return String(signal.reason);
}

interface Probing {
  afterSleep(ms: number): void;
  /** Probes when it is time to; the reason when that shows that the tunnel is lost. */
  whenDue(): Promise<string | null>;
}

function createProbing({ clock, signal, probe, isRelay, phase, enter, proven }: WatchOptions): Probing {
  const everyMs = isRelay ? PROBE_RELAY_EVERY_MS : PROBE_EVERY_MS;
  let dueAt = clock.now() + clock.scaled(FIRST_PROBE_MS);
  let everArrived = false;
  let failures = 0;
  return {
    afterSleep(ms) {
      if (probe === null) return;
      enter('degraded', `woke after ${seconds(ms)} of sleep; probing the tunnel`);
      dueAt = clock.now();
      // Connections rarely survive a sleep, so one failed probe is enough.
      failures = PATIENCE - 1;
    },
    async whenDue() {
      if (probe === null || clock.now() < dueAt) return null;
      const result = await probe(signal);
      if (signal.aborted) return null;
      if (result.ok || result.culprit === 'unknown') {
        failures = 0;
        dueAt = clock.now() + clock.scaled(everyMs);
        if (!result.ok) return null;
        proven();
        if (!everArrived || phase() !== 'up') enter('up', `a probe arrived after ${result.tookMs} ms`);
        everArrived = true;
        return null;
      }
      failures += 1;
      dueAt = clock.now() + clock.scaled(PROBE_AGAIN_MS);
      if (result.culprit === 'tunnel' && everArrived && failures >= PATIENCE) return result.detail;
      enter('degraded', result.detail);
      return null;
    },
  };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}
