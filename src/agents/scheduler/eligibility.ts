import type { Agents } from '../../config/project/agents.ts';
import type { RunLimits } from '../../config/project/schema.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { QueuedTask, RunReader, Spent } from '../../store/runs.ts';
import type { TaskReader } from '../../store/tasks.ts';
import { blockersOf } from '../../tasks/lifecycle.ts';
import { limitsOf, type OwnerLimits, placeOf, refusedAgent } from '../../tasks/owner-limits.ts';
import { NOT_VERIFIED } from '../../tasks/transition.ts';

/** Whether a task may start now, and if not why. */
export type Verdict =
  | { readonly kind: 'start' }
  /** `holdsFlow`: later tasks of its flow wait for it. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly holdsFlow: boolean }
  | { readonly kind: 'held'; readonly reason: string; readonly scope: string; readonly spanMs: number };

/** What limits need to know of a running run. */
interface Busy {
  readonly agent: string;
  readonly owner: string;
  readonly conversationId: string;
}

interface EligibilityOptions {
  readonly store: Pick<RunReader, 'spent' | 'pausedAgents' | 'attachments'> & Pick<TaskReader, 'task'>;
  readonly agents: Agents;
  readonly limits: RunLimits;
  readonly owners: OwnerLimits;
  /** Asked anew for each task: a start changes it. */
  readonly busy: () => readonly Busy[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Decides which queued tasks may start, oldest first; tasks of one flow start in the order in which they came. */
interface Eligibility {
  verdictOn(task: QueuedTask): Verdict;
  /** Notes the verdict on a task, which decides about later tasks of its flow. */
  passed(task: QueuedTask, verdict: Verdict): void;
}

export function createEligibility(options: EligibilityOptions): Eligibility {
  const { store, limits, now } = options;
  const paused = new Map(store.pausedAgents(now).map(({ agent, until }) => [agent, until]));
  const attached = new Map(store.attachments().map((each) => [each.conversationId, each]));
  const first = new Map<string, Verdict>();

  function verdictOn(task: QueuedTask): Verdict {
    const unfit = unfitFor(options, task);
    if (unfit !== null) return { kind: 'waiting', reason: unfit, holdsFlow: false };
    const before = first.get(task.flowId);
    if (before?.kind === 'held') return before;
    if (before !== undefined) return wait('waiting for an earlier task of the same thread');
    const busy = options.busy();
    if (busy.some(({ conversationId }) => conversationId === task.conversationId)) {
      return wait('its conversation has a run');
    }
    const person = attached.get(task.conversationId);
    if (person !== undefined) {
      const back = commandLine('hookctl', 'task', 'detach', person.taskId);
      return wait(`${person.actor} works in its session, until: ${back}`);
    }
    const until = paused.get(task.agent);
    if (until !== undefined) return wait(`${task.agent} is over a rate limit until ${timeOf(until)}`);
    return withinBudget(task) ?? withinLimits(task, busy) ?? { kind: 'start' };
  }

  function withinBudget(task: QueuedTask): Verdict | null {
    const found = options.agents.byName.get(task.agent);
    const mostUsd = found?.runner.mostUsd(found.options) ?? null;
    for (const budget of budgetsOf(options, task)) {
      const verdict = roomIn(budget, spentOf(store, budget, now), mostUsd);
      if (verdict !== null) return verdict;
    }
    return null;
  }

  function withinLimits({ agent, owner }: QueuedTask, busy: readonly Busy[]): Verdict | null {
    const { concurrency } = limitsOf(options.owners, owner);
    if (concurrency !== undefined && busy.filter((run) => run.owner === owner).length >= concurrency)
      return wait(
        `${owner} has all the runs that it may have at once (${placeOf(owner, 'concurrency')}: ${concurrency})`,
      );
    const most = options.agents.byName.get(agent)?.options.concurrency ?? 0;
    if (busy.filter((run) => run.agent === agent).length >= most) {
      return wait(`${agent} has all the runs that it may have at once (${most})`);
    }
    if (busy.length < limits.concurrency) return null;
    return wait(`there are as many runs as there may be at once (${limits.concurrency})`);
  }

  return {
    verdictOn,
    passed(task, verdict) {
      if (verdict.kind === 'waiting' && !verdict.holdsFlow) return;
      if (verdict.kind !== 'start') first.set(task.flowId, first.get(task.flowId) ?? verdict);
    },
  };
}

function wait(reason: string): Verdict {
  return { kind: 'waiting', reason, holdsFlow: true };
}

const DAY_MS = 24 * 3_600_000;

/** What may be spent within a time, by all, by one agent or owner, or about one thread. */
interface Budget {
  /** Left out: no limit. */
  readonly runs?: number | undefined;
  readonly usd?: number | undefined;
  readonly spanMs: number;
  /** Whose runs it counts. */
  readonly of: NonNullable<Parameters<RunReader['spent']>[1]>;
  /** Of notices: `day`, `agent:brain:week`, `owner:ada:day`, or the id of a flow. */
  readonly scope: string;
  /** In words: `the budget of the day`, `today's budget`. */
  readonly name: string;
  readonly short: string;
}

/**
 * Every budget that counts runs of this agent about this thread. Runs for an owner with a budget of its own count there, and not in
 * that of all, so that they hold up no other owner's.
 */
function budgetsOf(
  { limits, agents, owners }: Pick<EligibilityOptions, 'limits' | 'agents' | 'owners'>,
  { agent, owner, flowId }: Pick<QueuedTask, 'agent' | 'owner' | 'flowId'>,
): readonly Budget[] {
  const own = agents.byName.get(agent)?.options;
  const budget = (
    limit: Pick<Budget, 'runs' | 'usd'> | undefined,
    days: number,
    of: Budget['of'],
    [scope, name, short]: readonly [string, string, string?],
  ): readonly Budget[] =>
    limit === undefined ? [] : [{ ...limit, spanMs: days * DAY_MS, of, scope, name, short: short ?? name }];
  const ofOwner = (limit: 'perDay' | 'perWeek', days: number, all: readonly [string, string, string?]) => {
    const cap = limitsOf(owners, owner)[limit];
    const [scope] = all;
    const own = `the budget of ${owner} for the ${scope} (${placeOf(owner, limit)})`;
    if (cap !== undefined) return budget(cap, days, { owner }, [`owner:${owner}:${scope}`, own]);
    const exceptOwners = Object.keys(owners).filter((each) => limitsOf(owners, each)[limit] !== undefined);
    return budget(limits[limit], days, exceptOwners.length === 0 ? {} : { exceptOwners }, all);
  };
  return [
    ...ofOwner('perDay', 1, ['day', 'the budget of the day', "today's budget"]),
    ...budget(limits.perThread, 1, { flowId }, [flowId, 'the budget of the thread', "the thread's budget"]),
    ...ofOwner('perWeek', 7, ['week', 'the budget of the week']),
    ...budget(own?.perDay, 1, { agent }, [`agent:${agent}:day`, `the budget of ${agent} for the day`]),
    ...budget(own?.perWeek, 7, { agent }, [`agent:${agent}:week`, `the budget of ${agent} for the week`]),
  ];
}

function spentOf(store: Pick<RunReader, 'spent'>, { spanMs, of }: Budget, now: number): Spent {
  return store.spent(now - spanMs, of);
}

/** Null when the budget leaves room for one more run, which may cost this much. */
function roomIn(budget: Budget, spent: Spent, mostUsd: number | null): Verdict | null {
  const { name, scope, spanMs, runs = Number.POSITIVE_INFINITY, usd = Number.POSITIVE_INFINITY } = budget;
  const held = (reason: string): Verdict => ({
    kind: 'held',
    reason: `${name} is used up: ${reason}`,
    ...{ scope, spanMs },
  });
  if (spent.runs >= runs) return held(`${runs === 1 ? '1 run' : `${runs} runs`} ${within(budget)}`);
  const more = mostUsd ?? 0;
  if (spent.endedUsd >= usd || spent.endedUsd + more > usd) {
    const next = more > 0 ? `, and a run may cost ${dollars(more)}` : '';
    return held(`${dollars(spent.endedUsd)} of ${dollars(usd)} ${within(budget)}${next}`);
  }
  if (spent.endedUsd + spent.runningUsd + more <= usd) return null;
  return wait(`running tasks may use up ${budget.short}`);
}

/** The share of a budget from which a person is warned, once. */
const WARN_AT = 0.8;

/** A budget that is nearly used up. */
interface NearBudget {
  readonly scope: string;
  readonly spanMs: number;
  readonly text: string;
}

/** Budgets that a run of this agent about this thread has brought to 80 %. */
export function nearBudgets(
  options: Pick<EligibilityOptions, 'limits' | 'agents' | 'owners' | 'store' | 'now'>,
  run: Pick<QueuedTask, 'agent' | 'owner' | 'flowId'>,
): readonly NearBudget[] {
  return budgetsOf(options, run).flatMap((budget) => {
    const { runs, usd, name, scope, spanMs } = budget;
    const spent = spentOf(options.store, budget, options.now);
    const share = (used: number, most: number | undefined) =>
      most === undefined || most === 0 ? 0 : used / most;
    const [ofRuns, ofUsd] = [share(spent.runs, runs), share(spent.endedUsd, usd)];
    if (Math.max(ofRuns, ofUsd) < WARN_AT) return [];
    const used =
      ofUsd >= ofRuns
        ? `${dollars(spent.endedUsd)} of ${dollars(usd ?? 0)}`
        : `${spent.runs} of ${runs} runs`;
    const percent = Math.floor(Math.max(ofRuns, ofUsd) * 100);
    return [
      { scope: `near:${scope}`, spanMs, text: `${name} is ${percent} % spent: ${used} ${within(budget)}` },
    ];
  });
}

function within({ spanMs }: Budget): string {
  return spanMs === DAY_MS ? 'within 24 hours' : 'within 7 days';
}

function timeOf(at: number): string {
  return new Date(at).toLocaleTimeString('sv');
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

/** Why a task can't run for now, whatever the limits; later tasks of its flow do not wait for it. */
function unfitFor({ store, owners }: EligibilityOptions, task: QueuedTask): string | null {
  const { agent, owner, dependsOn, trust, isBacklog } = task;
  if (isBacklog)
    return `it was queued before ${agent} was configured: ${commandLine('hookctl', 'task', 'release', agent)}`;
  if (trust === 'unverified') return `${NOT_VERIFIED}, so no agent runs on it`;
  const refusal = refusedAgent(owners, owner, agent);
  if (refusal !== null) return refusal;
  const blockers = blockersOf(store, { dependsOn });
  return blockers.length === 0
    ? null
    : `it waits for ${blockers.map(({ id, status }) => `${id} (${status})`).join(', ')}`;
}
