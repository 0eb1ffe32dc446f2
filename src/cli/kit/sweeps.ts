import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { providerFacts } from '../../providers/facts.ts';
import type { SweepView } from '../../server/recovery/view.ts';
import { counted, localTime } from './print.ts';

const GAPS = { stopped: 'down', asleep: 'asleep', tunnel: 'the tunnel was down' } as const;

/** A sweep in one line: `github acme/api: down from … to …: 12 at GitHub, 3 had not arrived, 3 taken in (2 verified, 1 fetched)`. */
export function sweepLine(sweep: SweepView): string {
  const { connector, target, gap } = sweep;
  const span =
    gap === null
      ? `since ${localTime(sweep.since)}`
      : `${GAPS[gap.kind]} from ${localTime(gap.from)} to ${localTime(gap.to)}`;
  const parts = [`${span}: ${counts(sweep)}`, ...unknown(sweep), ...failed(sweep)];
  return escapeInvisibleLine(`${connector} ${target}: ${parts.join('; ')}`);
}

function counts(sweep: SweepView): string {
  const { listed, missing, redelivered, fetched, dry_run: isDryRun, gap } = sweep;
  const label = labelOf(sweep);
  const sent = gap?.sent ?? listed;
  if (sent === 0) return sweep.problem === null ? `nothing at ${label}` : `what ${label} sent is not known`;
  const found = `${counted(sent)} at ${label}, ${counted(missing)} had not arrived`;
  if (isDryRun || missing === 0) return found;
  const ways = [
    ...(redelivered > 0 ? [`${counted(redelivered)} sent again and verified`] : []),
    ...(fetched > 0 ? [`${counted(fetched)} fetched`] : []),
  ];
  const how = ways.length === 0 ? '' : ` (${ways.join(', ')})`;
  return `${found}, ${counted(redelivered + fetched)} taken in${how}`;
}

/** What no log tells any more. */
function unknown(sweep: SweepView): readonly string[] {
  const { window_start: start, untold, gap } = sweep;
  const label = labelOf(sweep);
  return [
    ...(start === null
      ? []
      : [`what ${label} sent before ${localTime(start)} is no longer in its log and can't be known`]),
    ...(untold === null || gap === null ? [] : [`${untold} at ${label} in that time can't be known`]),
  ];
}

function failed({ problem, fix }: SweepView): readonly string[] {
  return problem === null ? [] : [`${problem}${fix === null ? '' : `. ${fix}`}`];
}

function labelOf({ connector }: SweepView): string {
  return providerFacts.get(connector)?.label ?? connector;
}
