import { escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import type { DeliveryFilter, StoreReader } from '../../store/store.ts';
import type { Decision, Delivery, Task, Webhook } from '../../types.ts';
import type { Difference } from '../explain.ts';
import { verdictOn } from './evidence.ts';

/** What became of the deliveries that one variant decided about. */
interface VariantFigures {
  /** `b`, or `analyze/b` for one of a command. */
  readonly name: string;
  readonly deliveries: number;
  /** Deliveries on which a command fired. */
  readonly fired: number;
  readonly tasks: number;
  readonly completed: number;
  readonly failed: number;
  /** Of tasks whose cost is known. */
  readonly costUsd: number;
  readonly knownCosts: number;
  /** The median of the time that agents worked on a task; null when none did. */
  readonly durationMs: number | null;
  /** Posts that replaced an earlier reply. */
  readonly repliesEdited: number;
  /** Tasks that waited for approval and were cancelled then. */
  readonly approvalsRefused: number;
}

/** A delivery that what is in shadow would have handled otherwise. */
interface ShadowDifference extends Difference {
  readonly delivery: Pick<Delivery, 'id' | 'externalId'>;
  /** Null for the whole webhook. */
  readonly variant: string | null;
}

/** The variants of a webhook side by side, over what is stored. */
export interface Comparison {
  readonly variants: readonly VariantFigures[];
  /** What the counts tell, in plain sentences. */
  readonly statements: readonly string[];
  readonly shadows: readonly {
    readonly name: string | null;
    readonly deliveries: number;
    readonly differing: number;
  }[];
  readonly differences: readonly ShadowDifference[];
}

type Reader = Pick<StoreReader, 'deliveries' | 'task' | 'transitions' | 'outbox'>;
const PAGE = 500;

/** Compares what was recorded since then, of all or of one owner; samples and replays do not count. */
export function compareVariants(
  store: Reader,
  { name }: Pick<Webhook, 'name'>,
  since: number,
  owner?: string,
): Comparison {
  const figures = new Map<string, Sum>();
  const shadows = new Map<string | null, { deliveries: number; differing: number }>();
  const differences: ShadowDifference[] = [];
  for (const delivery of decidedOf(store, { webhook: name, since, ...(owner && { owner }) })) {
    for (const variant of delivery.variant?.split(' ') ?? []) {
      const sum = figures.get(variant) ?? newSum();
      figures.set(variant, sum);
      addTo(sum, store, delivery, variant);
    }
    for (const [variant, decisions] of shadowsOf(delivery)) {
      const sum = shadows.get(variant) ?? { deliveries: 0, differing: 0 };
      shadows.set(variant, sum);
      const found = differencesOf(store, delivery, decisions);
      sum.deliveries += 1;
      if (found.length > 0) sum.differing += 1;
      differences.push(...found.map((each) => ({ ...each, delivery, variant })));
    }
  }
  const variants = [...figures]
    .map(([variant, sum]) => figuresOf(variant, sum))
    .toSorted((a, b) => a.name.localeCompare(b.name));
  return {
    variants,
    statements: statementsOn(variants),
    shadows: [...shadows].map(([variant, sum]) => ({ name: variant, ...sum })),
    differences,
  };
}

/** Oldest first, a page at a time. */
function* decidedOf(store: Reader, filter: DeliveryFilter): Iterable<Delivery> {
  for (let after = ''; ; ) {
    const page = store.deliveries({ ...filter, after, limit: PAGE });
    for (const delivery of page)
      if (!delivery.isSample && delivery.replayOf === null && delivery.status !== 'duplicate') yield delivery;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

type Sum = { -readonly [Name in keyof Omit<VariantFigures, 'name' | 'durationMs'>]: number } & {
  readonly durations: number[];
};

function newSum(): Sum {
  return {
    ...{ deliveries: 0, fired: 0, tasks: 0, completed: 0, failed: 0, costUsd: 0, knownCosts: 0 },
    ...{ repliesEdited: 0, approvalsRefused: 0, durations: [] },
  };
}

function addTo(sum: Sum, store: Reader, delivery: Delivery, variant: string): void {
  const fired = delivery.decisions.filter((each) => each.fired && each.variant === variant);
  sum.deliveries += 1;
  if (fired.length === 0) return;
  sum.fired += 1;
  sum.repliesEdited += store
    .outbox({ deliveryId: delivery.id, limit: PAGE })
    .filter(({ edits }) => edits !== null).length;
  for (const id of new Set(fired.flatMap(({ taskIds }) => taskIds))) {
    const task = store.task(id);
    if (task === null) continue;
    const { costUsd, durationMs } = task.usage;
    sum.tasks += 1;
    if (task.status === 'completed') sum.completed += 1;
    if (task.status === 'failed') sum.failed += 1;
    if (costUsd !== null) {
      sum.costUsd += costUsd;
      sum.knownCosts += 1;
    }
    if (durationMs !== null) sum.durations.push(durationMs);
    if (task.status === 'cancelled' && wasRefused(store, id)) sum.approvalsRefused += 1;
  }
}

function wasRefused(store: Reader, taskId: string): boolean {
  const last = store.transitions(taskId).findLast(({ event }) => event === 'cancel');
  return last?.from === 'waiting_approval';
}

function figuresOf(name: string, { durations, ...sum }: Sum): VariantFigures {
  const sorted = durations.toSorted((a, b) => a - b);
  return { name, ...sum, durationMs: sorted[Math.floor((sorted.length - 1) / 2)] ?? null };
}

/** Each variant against the one with the most deliveries, among those of one command or of the webhook. */
function statementsOn(variants: readonly VariantFigures[]): readonly string[] {
  const groups = Map.groupBy(variants, ({ name }) => name.slice(0, name.lastIndexOf('/') + 1));
  return [...groups.values()].flatMap((group) => {
    const [usual, ...others] = group.toSorted((a, b) => b.deliveries - a.deliveries);
    const rate = ({ name, completed, failed }: VariantFigures) => ({
      ...{ name, good: completed, all: completed + failed },
    });
    return usual === undefined
      ? []
      : others.map((other) => verdictOn(rate(usual), rate(other), others.length));
  });
}

/** What was decided in shadow, by variant; null for a webhook that is in shadow itself. */
function shadowsOf({ decisions, variant }: Delivery): ReadonlyMap<string | null, readonly Decision[]> {
  const chosen = variant?.split(' ') ?? [];
  return Map.groupBy(
    decisions.filter(({ would }) => would !== undefined),
    (each) => (each.variant === undefined || chosen.includes(each.variant) ? null : each.variant),
  );
}

function differencesOf(
  store: Reader,
  { decisions }: Delivery,
  inShadow: readonly Decision[],
): readonly Difference[] {
  const live = decisions.filter(({ would }) => would === undefined);
  const keyOf = ({ event, command }: Decision) => `${event}\n${command}`;
  const ofShadow = new Map(inShadow.map((each) => [keyOf(each), each]));
  // Commands of the variants alone: what steers a task is no command.
  const compared = live.filter((each) => each.variant !== undefined && isAbout(each, inShadow));
  const ofLive = new Map(compared.map((each) => [keyOf(each), each]));
  return [...new Set([...ofLive.keys(), ...ofShadow.keys()])].flatMap((key): Difference[] => {
    const [was, is] = [ofLive.get(key), ofShadow.get(key)];
    const told = is ?? was;
    if (told === undefined) return [];
    const task = store.task(was?.taskIds[0] ?? '');
    const before = was === undefined ? 'none' : was.fired ? (waited(store, task) ? 'waits' : 'fires') : 'no';
    const after = is === undefined ? 'none' : is.would == null ? 'no' : is.would.waits ? 'waits' : 'fires';
    const changed = is?.would == null || task === null ? [] : changedIn(task, is.would);
    const does = (verdict: string) => (verdict === 'none' ? 'no' : verdict);
    if (does(before) === does(after) && changed.length === 0) return [];
    const { event, eventType, command, reason } = told;
    return [{ event, eventType, command, before, after, changed, reason }];
  });
}

/** A shadow of one command is compared with that command alone. */
function isAbout({ command, variant = '' }: Decision, inShadow: readonly Decision[]): boolean {
  return !variant.includes('/') || inShadow.some((each) => each.command === command);
}

function waited(store: Reader, task: Task | null): boolean {
  return task !== null && store.transitions(task.id)[0]?.to === 'waiting_approval';
}

/** The length of a task's title, which is the first line of its text. */
const TITLE = 80;

function changedIn({ agent, title }: Task, would: NonNullable<Decision['would']>): readonly string[] {
  const [first = ''] = would.text.split('\n').filter((line) => line.trim() !== '');
  const isSame = would.text === '' || shorten(escapeInvisibleLine(first), TITLE) === title;
  return [...(agent === would.agent ? [] : ['targetAgent']), ...(isSame ? [] : ['text'])];
}
