import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { TunnelStatus } from '../../tunnels/supervisor.ts';

/** A tunnel's state in one line; a changed URL is said so that nobody misses it. */
export function tunnelLine({ driver, phase, reason, fix, previousUrl, tunnel }: TunnelStatus): string {
  const changed = previousUrl === null ? '' : `. PUBLIC URL CHANGED: enter ${tunnel?.url} at the provider`;
  return escapeInvisibleLine(
    `tunnel ${driver} ${phase}: ${reason}${fix === null ? '' : `. ${fix}`}${changed}`,
  );
}
