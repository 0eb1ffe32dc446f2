import type { Explanation } from '../../deliveries/explain.ts';
import { commandLabel } from '../../labels.ts';
import { commandsOut, type Io, say } from '../../lib/io.ts';
import { sayFacts } from './print.ts';
import { below, state, table } from './table.ts';

/** Prints for each event why each command fires or not. */
export async function printExplanation(
  io: Io,
  source: string,
  { owner, obstacle, events }: Explanation,
): Promise<void> {
  const out = commandsOut(io);
  if (obstacle !== null)
    sayFacts(out, [
      ['source', source],
      ['owner', owner],
      ['nothing runs', obstacle],
    ]);
  for (const event of events) {
    sayFacts(out, [
      ['source', source],
      ['owner', owner],
      ['event', event.type],
      ['about', event.externalId],
      [
        'nothing runs',
        event.inShadow ? 'the webhook is in shadow: it records what it would do' : event.ignored,
      ],
      ['variant', event.variant],
      ['its tasks run in', placesIn(event.route)],
    ]);
    const rows = event.matches.map(({ command, fired, needsApproval, reason }) => [
      commandLabel(command),
      fired ? (needsApproval ? 'fires, waits for approval' : 'fires') : 'no',
      reason,
    ]);
    say(out, `\n${await table(out, ['command', state('fires'), below('why')], rows)}`);
  }
}

/** Where tasks of an event run, in words; null where that is the folder of their agent. */
function placesIn(route: Explanation['events'][number]['route']): string | null {
  if (route === null || route.kind === 'agent') return null;
  if (route.kind === 'missing') return `none: ${route.reason}`;
  return route.checkouts.map(({ names: [name], folder }) => `${folder} (${name})`).join(', ');
}
