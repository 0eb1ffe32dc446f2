import type { Gap } from '../../recover/schedule.ts';
import type { SweepReport } from '../../recover/sweep.ts';
import type { Sweep } from '../../store/sweeps.ts';
import type { Connection } from '../../types.ts';
import { iso, isoOrNull } from '../../views.ts';

export type SweepView = ReturnType<typeof sweepView>;
/** What `POST /recover` answers. */
export interface RecoveredView {
  readonly sweeps: readonly SweepView[];
}

/** The last look into a sender's log, as `status` tells it. */
export function lastSweepView(connection: Connection, sweep: Sweep) {
  const { id, connector, kind, target, webhook } = connection;
  const { listed, missing, redelivered, fetched, problem } = sweep;
  return {
    ...{ connection_id: id, connector, kind, target, webhook },
    started_at: iso(sweep.startedAt),
    ended_at: iso(sweep.endedAt),
    since: iso(sweep.since),
    through: iso(sweep.through),
    ...{ listed, missing, redelivered, fetched, problem },
  };
}

/** A sweep with what it found. Times are by the sender's clock, but for those of the sweep itself and of the gap. */
export function sweepView(report: SweepReport, gap: Gap | null = null) {
  return {
    ...lastSweepView(report.connection, report),
    ...{ dry_run: report.isDryRun, fix: report.fix, window_start: isoOrNull(report.windowStart) },
    untold: report.untold,
    lost: report.lost.map(({ deliveryId, newest, firstAt }) => ({
      delivery_id: deliveryId,
      event_type: newest.eventType,
      sent_at: iso(firstAt),
    })),
    gap: gap && { kind: gap.kind, from: iso(gap.from), to: iso(gap.to), sent: sentIn(report, gap) },
  };
}

/** How many deliveries of the log fell into a gap; what was lost shortly before it was noticed did, too. */
function sentIn({ deliveries, lost, skewMs }: SweepReport, { from }: Gap): number {
  const start = Math.min(from + skewMs, ...lost.map(({ firstAt }) => firstAt));
  return deliveries.filter(({ firstAt }) => firstAt >= start).length;
}
