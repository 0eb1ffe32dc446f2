import { unloadedText } from '../../config/modules/files.ts';
import type { RegistryChange } from '../../config/registry.ts';
import { formatDiagnostic } from '../../errors.ts';
import { shorten } from '../../lib/text/escape-invisible.ts';

/** Names on one line at most. */
const MAX_NAMES = 10;
const MAX_LENGTH = 1_000;

/** What a change of the configuration under a running server means, in lines for people. */
export function liveChangeLines(change: RegistryChange): readonly string[] {
  switch (change.kind) {
    case 'applied': {
      const parts = [
        part('added', change.added),
        part('changed', change.changed),
        part('enabled', change.enabled),
        part('disabled', change.disabled),
        part('removed', change.removed),
      ].filter((text) => text !== null);
      return [`webhooks: ${parts.length === 0 ? 'in order, nothing changed' : parts.join('; ')}`];
    }
    case 'refused':
      return [
        ...change.problems.map((problem) => shorten(formatDiagnostic(problem), MAX_LENGTH)),
        'webhooks: not taken up; what was in force stays',
      ];
    case 'restart_needed':
      return [unloadedText(change, null)];
    case 'polling':
      return [`files are looked at twice a second, because they cannot be watched: ${change.reason}`];
    case 'not_kept':
      return [`the last good copy of the dynamic webhooks could not be written: ${change.reason}`];
    default:
      return change satisfies never;
  }
}

function part(verb: string, names: readonly string[]): string | null {
  if (names.length === 0) return null;
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return `${verb} ${shown}${names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ''}`;
}
