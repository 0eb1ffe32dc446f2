import type { Difference } from '../../deliveries/explain.ts';
import { commandsOut, type Io, say } from '../../lib/io.ts';
import type { Delivery } from '../../types.ts';
import { counted } from '../kit/print.ts';
import { below, state, table, whole } from '../kit/table.ts';

const WORDS = { fires: 'fires', waits: 'fires, waits for approval', no: 'no', none: '-' } as const;
/** Rows shown, so that the totals stay on screen; `--json` has all. */
const SHOWN = 50;

/** A table of what is decided differently. */
export async function printDifferences(
  io: Io,
  differences: readonly (Difference & {
    readonly delivery: Pick<Delivery, 'id'>;
    readonly variant?: string | null;
  })[],
  sides: readonly [before: string, after: string],
): Promise<void> {
  if (differences.length === 0) return;
  const out = commandsOut(io);
  const rows = differences
    .slice(0, SHOWN)
    .map(({ delivery, eventType, command, before, after, changed, reason, variant }) => [
      delivery.id,
      eventType,
      variant == null ? command : `${command} (${variant})`,
      WORDS[before],
      changed.length > 0 && before === after ? `other ${changed.join(', ')}` : WORDS[after],
      reason,
    ]);
  const columns = [whole('delivery'), 'event', 'command', state(sides[0]), state(sides[1]), below('why')];
  say(out, `${await table(out, columns, rows)}\n`);
  if (differences.length > SHOWN)
    say(io.err, `and ${counted(differences.length - SHOWN)} more: --json prints all`);
}
