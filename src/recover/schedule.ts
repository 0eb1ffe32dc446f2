import { stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../lib/time.ts';
import type { SweepReport } from './sweep.ts';

/** A span in which nothing could arrive, by our clock. */
export interface Gap {
  readonly kind: 'stopped' | 'asleep' | 'tunnel';
  readonly from: number;
  readonly to: number;
}

/** What is to be looked for. */
export interface RecoverOrder {
  /** From when on. Null when from where the last sweep of each connection ended. */
  readonly since: number | null;
  /** Of this webhook alone; null when of all that are connected. */
  readonly webhook: string | null;
  readonly isDryRun: boolean;
}

interface ScheduleParts {
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly everyMs: number;
  /** A tunnel is being opened: what was sent can be sent again once it leads here. */
  readonly hasTunnel: boolean;
  /** Sweeps; loads what it needs. */
  readonly sweep: (order: RecoverOrder) => Promise<readonly SweepReport[]>;
  /** Called with each sweep that a person should hear of: after a gap, of something lost, with a new problem. */
  readonly report: (report: SweepReport, gap: Gap | null) => void;
  /** Called with each gap, for what no log tells. */
  readonly missed: (gap: Gap) => void;
  readonly broken: (error: unknown) => void;
}

export interface Schedule {
  /** The first sweep begins; with a tunnel, as soon as it leads here. */
  begin(): void;
  /** Sweeps now, after what is under way. */
  recover(order: RecoverOrder): Promise<readonly SweepReport[]>;
  /** The tunnel leads here, or no longer does. */
  tunnel(status: { readonly isUp: boolean; readonly since: number }): void;
  close(): Promise<void>;
}

const TICK_MS = 30_000;
/** A tick that comes this much late by the wall clock: the machine slept. */
const SLEEP_MS = 60_000;
/** A tunnel that is not there by then is not waited for: what was sent is read from the log. */
const TUNNEL_MS = 45_000;
const CLOSE_MS = 2_000;
const ALL: RecoverOrder = { since: null, webhook: null, isDryRun: false };

/**
 * Sweeps at the start, after the tunnel was down, after the machine slept, and now and then, one sweep at a time. Keeps in the
 * data folder when this server was last awake, which says at the next start since when it was not.
 */
export function openSchedule(parts: ScheduleParts): Schedule {
  const { clock, everyMs, hasTunnel, sweep, report } = parts;
  const file = join(parts.dataFolder, 'last-awake');
  const intervalMs = Math.min(TICK_MS, everyMs);
  /** Of the last sweep of each connection, so that one that lasts is told once. */
  const problems = new Map<string, string | null>();
  let work: Promise<unknown> = Promise.resolve();
  let isUp = !hasTunnel;
  let downSince: number | null = null;
  /** Not swept for yet. */
  let gap: Gap | null = null;
  let sweptAt = clock.now();
  let tickedAt = clock.now();
  let isClosed = false;
  let tick: NodeJS.Timeout | null = null;
  let patience: NodeJS.Timeout | null = null;

  /** What is still under way when the store closes may fail. */
  function broken(error: unknown): void {
    if (!isClosed) parts.broken(error);
  }

  function inTurn<T>(next: () => Promise<T>): Promise<T> {
    const result = work.then(next);
    work = result.catch(() => undefined);
    return result;
  }

  /** After all that is under way; a gap that comes meanwhile joins the one that waits. */
  function sweepSoon(): void {
    sweptAt = clock.now();
    void inTurn(async () => {
      const span = gap;
      gap = null;
      if (span !== null) parts.missed(span);
      for (const each of await sweep(ALL)) tell(each, span);
    }).catch(broken);
  }

  function tell(each: SweepReport, span: Gap | null): void {
    const isNews = each.problem !== null && problems.get(each.connectionId) !== each.problem;
    problems.set(each.connectionId, each.problem);
    if (span !== null || each.missing > 0 || isNews) report(each, span);
  }

  function missed(kind: Gap['kind'], from: number, to: number): void {
    gap = gap === null ? { kind, from, to } : { ...gap, from: Math.min(gap.from, from), to };
    if (isUp) sweepSoon();
  }

  function look(): void {
    const now = clock.now();
    const late = now - tickedAt - intervalMs;
    if (late > SLEEP_MS) missed('asleep', tickedAt, now);
    else if (now - sweptAt >= everyMs) sweepSoon();
    tickedAt = now;
    noteAwake(file, now).catch(broken);
  }

  async function begin(): Promise<void> {
    const now = clock.now();
    const lastAwake = await readAwake(file);
    if (lastAwake !== null) gap = { kind: 'stopped', from: lastAwake, to: now };
    await noteAwake(file, now);
  }

  return {
    begin() {
      tick = setInterval(look, intervalMs).unref();
      void inTurn(begin).catch(broken);
      if (isUp) sweepSoon();
      else patience = setTimeout(sweepSoon, TUNNEL_MS).unref();
    },
    recover: (order) => inTurn(() => sweep(order)),
    tunnel({ isUp: isUpNow, since }) {
      const wasUp = isUp;
      isUp = isUpNow;
      if (wasUp && !isUpNow) downSince = since;
      if (wasUp || !isUpNow || tick === null) return;
      if (patience !== null) clearTimeout(patience);
      if (downSince === null) sweepSoon();
      else missed('tunnel', downSince, clock.now());
      downSince = null;
    },
    async close() {
      if (tick === null) return;
      clearInterval(tick);
      if (patience !== null) clearTimeout(patience);
      isClosed = true;
      // A call that a sender does not answer is not waited for: what it was for is looked for again.
      await Promise.race([work, delay(CLOSE_MS, null, { ref: false })]);
      await noteAwake(file, clock.now()).catch(() => undefined);
    },
  };
}

/** Null when the folder was never served. */
async function readAwake(file: string): Promise<number | null> {
  const found = await stat(file).catch(() => null);
  return found === null ? null : Math.floor(found.mtimeMs);
}

async function noteAwake(file: string, now: number): Promise<void> {
  const at = now / 1000;
  await utimes(file, at, at).catch(async () => {
    await writeFile(file, '', { mode: 0o600 });
    await utimes(file, at, at);
  });
}
