import { type Explanation, explain } from '../../deliveries/explain.ts';
import { trustOfReplay } from '../../deliveries/replay.ts';
import { commandLabel } from '../../labels.ts';
import { say } from '../../lib/io.ts';
import { escapeInvisibleJson, escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import type { ReplayedView } from '../../server/api/deliveries.ts';
import { explanationView } from '../../server/dashboard/explanation.ts';
import type { Services } from '../../services.ts';
import type { DeliverySelection, SelectedDelivery } from '../../store/selection.ts';
import type { StoreReader } from '../../store/store.ts';
import type { OwnerLimits } from '../../tasks/owner-limits.ts';
import type { Snapshot } from '../../types.ts';
import { managementCall } from '../kit/operate.ts';
import { counted } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { goOnWith, type ReplayFlags } from './options.ts';
import { createProgress, createTally } from './progress.ts';
import { confirmedCount, pagesOf, startRun } from './selection.ts';

/** Deliveries in one request. Two requests run at once, so that the queue never waits for the next. */
const BATCH = 100;

/** Replays a selection; returns 1 when any delivery failed or could not be replayed. */
export async function replaySelection(
  app: Services,
  selection: DeliverySelection,
  flags: ReplayFlags,
): Promise<0 | 1> {
  const total = await confirmedCount(app, selection, flags);
  return total === null ? 0 : replayConfirmed(app, selection, flags, total);
}

async function replayConfirmed(
  app: Services,
  selection: DeliverySelection,
  flags: ReplayFlags,
  total: number,
): Promise<0 | 1> {
  const call = await managementCall(app, 'replay');
  const progress = createProgress(app.io.err, app.clock.now);
  const tally = createTally();
  const run = startRun(app, total, goOnWith(selection, flags));

  function report(results: readonly ReplayedView[]): void {
    for (const result of results) {
      const { replay_of: source, delivery_id: id, status, reason } = result;
      if (flags.json === true) say(app.io.out, escapeInvisibleJson(result));
      const failed = status === 'failed' || status === 'refused';
      tally.add(status, failed ? `${source} → ${id ?? status}: ${escapeInvisibleLine(reason ?? '')}` : null);
    }
    run.done(results.at(-1)?.replay_of ?? '', results.length);
    progress.show(() => `replayed ${counted(tally.total())} of ${counted(total)}: ${tally.line()}`);
  }

  try {
    let ahead: Promise<readonly ReplayedView[]> | null = null;
    for (const page of pagesOf(storedReader(app, 'delivery'), selection, BATCH)) {
      if (run.stopped()) break;
      const ids = page.map(({ id }) => id);
      const next = replayBatch(call, ids, flags.replies === true);
      // Its error is reported when it is awaited; until then the previous one may fail too.
      next.catch(() => undefined);
      if (ahead !== null) report(await ahead);
      ahead = next;
    }
    if (ahead !== null) report(await ahead);
  } catch (error) {
    progress.clear();
    run.sayHowFar();
    throw error;
  }
  progress.clear();
  tally.print(app.io, { verb: 'replayed', json: flags.json === true });
  run.end();
  return tally.failures() === 0 ? 0 : 1;
}

async function replayBatch(
  call: ApiCall,
  ids: readonly string[],
  replies: boolean,
): Promise<readonly ReplayedView[]> {
  const { items } = await call<{ readonly items: readonly ReplayedView[] }>({
    method: 'POST',
    path: '/api/deliveries/replay',
    body: { ids, replies },
  });
  return items;
}

/** Prints for each what its commands would do now. */
export async function dryRunMany(
  app: Services,
  selection: DeliverySelection,
  flags: ReplayFlags,
): Promise<0> {
  const total = await confirmedCount(app, selection, flags);
  if (total === null) return 0;
  const { snapshot, project } = await app.configuration();
  const reader = storedReader(app, 'delivery');
  for (const page of pagesOf(reader, selection, BATCH)) {
    for (const delivery of page) {
      const explanation = await explainOne(reader, snapshot, delivery, project.owners);
      const { id: source, webhook } = delivery;
      if (flags.json === true)
        say(app.io.out, escapeInvisibleJson({ source, webhook, ...explanationView(explanation) }));
      else say(app.io.out, [source, webhook, ...outlook(explanation)].map(escapeInvisibleLine).join('  '));
    }
  }
  say(app.io.err, `${counted(total)} would be replayed; nothing was done.`);
  return 0;
}

async function explainOne(
  reader: StoreReader,
  snapshot: Snapshot,
  delivery: SelectedDelivery,
  owners: OwnerLimits,
): Promise<Explanation> {
  const webhook = snapshot.byName.get(delivery.webhook);
  if (webhook === undefined)
    return { owner: null, obstacle: `there is no webhook ${delivery.webhook} any more`, events: [] };
  const body = reader.body(delivery.id);
  if (body === null) return { owner: webhook.owner, obstacle: 'its bytes are no longer stored', events: [] };
  return explain(
    webhook,
    { headers: delivery.headers, query: delivery.query, body },
    trustOfReplay(delivery.trust),
    { owners },
  );
}

function outlook({ obstacle, events }: Explanation): readonly string[] {
  if (obstacle !== null) return ['-', obstacle];
  return events.flatMap(({ type, ignored, matches }) => {
    const fired = matches.filter((match) => match.fired).map(({ command }) => commandLabel(command));
    return [type, fired.length > 0 ? `fires ${fired.join(', ')}` : (ignored ?? 'nothing fires')];
  });
}
