import { createPoster, pathOf, type Sent, targetOf } from '../../deliveries/elsewhere/poster.ts';
import { createResigner } from '../../deliveries/elsewhere/resign.ts';
import type { ReplaySource } from '../../deliveries/replay.ts';
import { failure } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import { escapeInvisibleJson } from '../../lib/text/escape-invisible.ts';
import type { Services } from '../../services.ts';
import type { DeliverySelection } from '../../store/selection.ts';
import type { RawRequest } from '../../types.ts';
import { counted } from '../kit/print.ts';
import { storedReader } from '../kit/stored.ts';
import { goOnWith, type ReplayFlags } from './options.ts';
import { createProgress, createTally } from './progress.ts';
import { confirmedCount, pagesOf, type Run, startRun } from './selection.ts';

/** A request to send; its body is read only when it is sent. Null when the body is no longer stored. */
interface Sending {
  readonly name: string;
  readonly webhookName: string;
  readonly request: () => RawRequest | null;
}

const CONCURRENCY = 10;
const PAGE = 500;
/** Up to this many results are printed one by one. */
const FEW = 20;
const NO_BYTES = 'its bytes are no longer stored';
/** Stop after this many requests in a row without a response. */
const UNANSWERED_IN_A_ROW = 10;

/** Posts the given sources to a URL; returns 1 when any response is not 2xx. */
export async function sendSources(
  app: Services,
  sources: readonly { readonly name: string; readonly source: ReplaySource }[],
  flags: ReplayFlags,
  to: string,
): Promise<0 | 1> {
  const target = targetOf(to);
  if (flags.dryRun === true) return sayOnly(app, sources.length, target);
  const items = sources.map(({ name, source: { webhookName, request } }) => ({
    name,
    webhookName,
    request: () => request,
  }));
  return send(app, items, { target, flags, total: items.length, run: null });
}

/** Posts a selection to a URL; returns 1 when any response is not 2xx. */
export async function sendSelection(
  app: Services,
  selection: DeliverySelection,
  flags: ReplayFlags,
  to: string,
): Promise<0 | 1> {
  const target = targetOf(to);
  const total = await confirmedCount(app, selection, flags);
  if (total === null) return 0;
  if (flags.dryRun === true) return sayOnly(app, total, target);
  const run = startRun(app, total, goOnWith(selection, flags));
  return send(app, selected(app, selection), { target, flags, total, run });
}

function* selected(app: Services, selection: DeliverySelection): Generator<Sending> {
  const reader = storedReader(app, 'delivery');
  for (const page of pagesOf(reader, selection, PAGE)) {
    for (const { id, webhook, headers, query, body: read } of page) {
      const request = () => {
        const body = read();
        return body === null ? null : { headers, query, body };
      };
      yield { name: id, webhookName: webhook, request };
    }
  }
}

interface SendOptions {
  readonly target: URL;
  readonly flags: ReplayFlags;
  readonly total: number;
  /** Null when sources were given one by one. */
  readonly run: Run | null;
}

async function send(app: Services, items: Iterable<Sending>, options: SendOptions): Promise<0 | 1> {
  const { target, flags, total, run } = options;
  const connections = flags.concurrency ?? CONCURRENCY;
  const poster = await createPoster(target, connections);
  const resign = flags.resign === true ? await resigner(app) : null;
  const report = createReport(app, flags, total);
  const queue = items[Symbol.iterator]();

  async function lane(): Promise<void> {
    while (run?.stopped() !== true && !report.isHopeless()) {
      const { value, done } = queue.next();
      if (done === true) return;
      report.add(value.name, await sendOne(value));
      run?.done(value.name, 1);
    }
  }

  async function sendOne({ webhookName, request }: Sending): Promise<Sent> {
    const kept = request();
    if (kept === null) return { status: null, error: NO_BYTES };
    return poster.post(
      resign === null ? kept : resign(webhookName, kept, target.origin + pathOf(target, kept.query)),
    );
  }

  try {
    await Promise.all(Array.from({ length: connections }, lane));
  } finally {
    await poster.close();
    report.print();
  }
  if (report.isHopeless() && !report.isComplete()) {
    run?.sayHowFar();
    throw failure('unreachable', `${target.origin} does not answer`);
  }
  run?.end();
  return report.failures() === 0 ? 0 : 1;
}

/** Prints how each request ended: one by one when they are few or with `--json`, else as totals. */
function createReport({ io, clock }: Services, { json }: ReplayFlags, total: number) {
  const progress = createProgress(io.err, clock.now);
  const tally = createTally();
  const each = total <= FEW;
  let unanswered = 0;
  return {
    add(name: string, { status, error }: Sent): void {
      const isFine = status !== null && status >= 200 && status < 300;
      unanswered = status === null && error !== NO_BYTES ? unanswered + 1 : 0;
      if (json === true) say(io.out, escapeInvisibleJson({ source: name, status, error }));
      else if (each) say(io.out, `${name}  ${status ?? error}`);
      const failed = error ?? `answered ${status}`;
      tally.add(
        status === null ? 'not answered' : `answered ${status}`,
        isFine ? null : `${name}: ${failed}`,
      );
      progress.show(() => `sent ${counted(tally.total())} of ${counted(total)}: ${tally.line()}`);
    },
    print(): void {
      progress.clear();
      if (!each || json === true) tally.print(io, { verb: 'sent', json: json === true });
    },
    failures: tally.failures,
    isComplete: () => tally.total() >= total,
    isHopeless: () => unanswered >= UNANSWERED_IN_A_ROW,
  };
}

async function resigner({ configuration, clock }: Services) {
  const { snapshot } = await configuration();
  return createResigner({ snapshot: () => snapshot, clock });
}

function sayOnly({ io }: Services, count: number, target: URL): 0 {
  say(io.err, `${counted(count)} would be sent to ${target.href}; nothing was done.`);
  return 0;
}
