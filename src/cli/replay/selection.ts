import { failure } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import type { DeliverySelection, SelectedDelivery, SelectionReader } from '../../store/selection.ts';
import { counted, countedNoun } from '../kit/print.ts';
import { agrees, canAsk } from '../kit/prompts.ts';
import { requireKnown, sayNoRows, webhookNames } from '../kit/stored.ts';
import type { ReplayFlags } from './options.ts';

/** The deliveries of a selection, oldest first, in pages, because all may not fit into memory. */
export function* pagesOf(
  reader: SelectionReader,
  selection: DeliverySelection,
  size: number,
): Generator<readonly SelectedDelivery[], void> {
  let { after = '' } = selection;
  for (;;) {
    const page = reader.selected({ ...selection, after }, size);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.id;
  }
}

/**
 * Counts the selection, and asks for confirmation on a terminal without `--yes`. Null when nothing is selected, which
 * is printed, or when the person declines.
 */
export async function confirmedCount(
  app: Services,
  selection: DeliverySelection,
  flags: ReplayFlags,
): Promise<number | null> {
  const reader = app.reader();
  const total = reader?.countSelected(selection) ?? 0;
  if (total === 0) {
    const { since, until, webhook, status, after } = flags;
    const filters = {
      '--since': since,
      '--until': until,
      '--status': status.join(' --status ') || undefined,
      '--webhook': webhook,
      '--after': after,
    };
    await requireKnown({ noun: 'webhook', value: webhook, known: webhookNames(app) });
    sayNoRows(app, { nouns: ['delivery', 'deliveries'], filters });
    return null;
  }
  if (flags.yes === true || flags.dryRun === true || !canAsk(app)) return total;
  const what = countedNoun(total, 'delivery', 'deliveries');
  const how = flags.to === undefined ? 'as new ones' : `to ${flags.to}`;
  if (await agrees(app, `Replay ${what} ${how}?`)) return total;
  say(app.io.err, 'Nothing was replayed.');
  return null;
}

/** Progress through a selection, which Ctrl-C can stop. */
export interface Run {
  /** True after the first Ctrl-C: start nothing more. A second one ends the process. */
  stopped(): boolean;
  /** Records the last delivery that is done. */
  done(lastId: string, count: number): void;
  /** Throws `interrupted` when it was stopped before everything was done. */
  end(): void;
  /** Prints how much was done, after a failure. */
  sayHowFar(): void;
}

export function startRun(app: Services, total: number, goOn: string): Run {
  let isStopped = false;
  let last: string | null = null;
  let count = 0;
  void app.signals.next().then(() => {
    isStopped = true;
  });
  const rest = () => `${counted(count)} of ${counted(total)} were replayed`;
  const next = () => (last === null ? undefined : `Continue with: ${goOn} ${last}`);
  return {
    stopped: () => isStopped,
    done(lastId, more) {
      // Several run at once, and an earlier one may end later.
      if (last === null || lastId > last) last = lastId;
      count += more;
    },
    end() {
      if (!isStopped || count >= total) return;
      const fix = next();
      throw failure('interrupted', `interrupted: ${rest()}`, fix === undefined ? {} : { fix });
    },
    sayHowFar() {
      say(app.io.err, `${rest()}.`);
      const fix = next();
      if (fix !== undefined) say(app.io.err, fix);
    },
  };
}
