import { type Io, type OutputStream, paint, say } from '../../lib/io.ts';
import { escapeInvisibleJson, escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { TunnelStatus } from '../../tunnels/supervisor.ts';
import type { usageView } from '../../views.ts';

type UsageView = ReturnType<typeof usageView>;

/** Prints one JSON value on stdout, for `--json`. */
export function printJson({ out }: Io, value: unknown): void {
  say(out, escapeInvisibleJson(value, 2));
}

/** `label  value` lines, aligned; null values are left out. */
export function facts(entries: readonly (readonly [label: string, value: string | null])[]): string {
  const present = entries.filter((entry): entry is readonly [string, string] => entry[1] !== null);
  const width = Math.max(...present.map(([label]) => label.length));
  return present.map(([label, value]) => `${label.padEnd(width)}  ${escapeInvisibleLine(value)}`).join('\n');
}

/** Prints `label  value` lines. */
export function sayFacts(out: OutputStream, entries: Parameters<typeof facts>[0]): void {
  say(out, facts(entries));
}

/** Prints a warning in yellow on stderr. */
export function warn({ err }: Io, text: string): void {
  say(err, paint(err, 'yellow', text));
}

/** `1 task`, `2,232 tasks`. */
export function countedNoun(count: number, one: string, several = `${one}s`): string {
  return `${counted(count)} ${count === 1 ? one : several}`;
}

/** An ISO time in local time, without milliseconds. */
export function localTime(iso: string | null): string {
  if (iso === null) return '-';
  const date = new Date(iso);
  const part = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), part(date.getMonth() + 1), part(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(part).join(':')}`;
}

/** Milliseconds as `12.3 s`, `5 min` or `2 h 3 min`. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Cost in dollars and tokens, in one line. Null when neither was reported. */
export function costOf({
  cost_usd: cost,
  input_tokens: input,
  output_tokens: output,
}: UsageView): string | null {
  const parts = [
    cost === null ? [] : [`$${cost.toFixed(4)}`],
    input === null && output === null ? [] : [`${input ?? 0} tokens in, ${output ?? 0} out`],
  ].flat();
  return parts.length === 0 ? null : parts.join(', ');
}

/** How long tasks took. Null when none was started. */
export function tookOf({ duration_ms: ms }: UsageView): string | null {
  return ms === null ? null : duration(ms);
}

/** `2 completed, 1 failed`. */
export function countsByStatus(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
  return parts.join(', ') || 'none';
}

/** Whether a webhook takes requests. */
export function webhookState(enabled: boolean, hasSecret: boolean): string {
  if (!enabled) return 'disabled';
  return hasSecret ? 'enabled' : 'no secret';
}

/** A number with separators: `10,000`. Not by `toLocaleString`, which takes longer than the rest of a list. */
export function counted(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Bytes as `12 B`, `1.2 kB` or `3.4 MB`. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  return count < 1_000_000 ? `${(count / 1_000).toFixed(1)} kB` : `${(count / 1_000_000).toFixed(1)} MB`;
}

/** A tunnel's state in one line; capitals announce a changed URL. */
export function tunnelLine({ driver, phase, reason, fix, previousUrl, tunnel }: TunnelStatus): string {
  const changed = previousUrl === null ? '' : `. PUBLIC URL CHANGED: enter ${tunnel?.url} at the provider`;
  return escapeInvisibleLine(
    `tunnel ${driver} ${phase}: ${reason}${fix === null ? '' : `. ${fix}`}${changed}`,
  );
}
