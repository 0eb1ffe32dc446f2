import type { Agents } from '../../config/project/agents.ts';
import type { RunLimits } from '../../config/project/schema.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { BUDGET_MS, type QueuedTask, type RunReader, type Spent } from '../../store/runs.ts';
import type { TaskReader } from '../../store/tasks.ts';
import { blockersOf } from '../../tasks/lifecycle.ts';
import { NOT_VERIFIED } from '../../tasks/transition.ts';

/** Whether a task may start now, and if not why. */
export type Verdict =
  | { readonly kind: 'start' }
  /** `holdsFlow`: later tasks of its flow wait for it. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly holdsFlow: boolean }
  | { readonly kind: 'held'; readonly reason: string; readonly scope: string };

/** What limits need to know of a running run. */
interface Busy {
  readonly agent: string;
  readonly conversationId: string;
}

interface EligibilityOptions {
  readonly store: Pick<RunReader, 'spent'> & Pick<TaskReader, 'task'>;
  readonly agents: Agents;
  readonly limits: RunLimits;
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
    return withinBudget(task) ?? withinLimits(task, busy) ?? { kind: 'start' };
  }

  function withinBudget({ agent, flowId }: QueuedTask): Verdict | null {
    const found = options.agents.byName.get(agent);
    const mostUsd = found?.runner.mostUsd(found.options) ?? null;
    const spent = (id?: string) => store.spent(now - BUDGET_MS, id);
    return (
      roomIn({ limit: limits.perDay, spent: spent(), mostUsd, scope: 'day' }) ??
      roomIn({ limit: limits.perThread, spent: spent(flowId), mostUsd, scope: flowId })
    );
  }

  function withinLimits({ agent }: QueuedTask, busy: readonly Busy[]): Verdict | null {
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

interface Budget {
  readonly limit: RunLimits['perDay'];
  readonly spent: Spent;
  /** What the run may cost at most. Null when that is not known. */
  readonly mostUsd: number | null;
  /** `day`, or the id of a flow. */
  readonly scope: string;
}

/** Null when the budget leaves room for one more run. */
function roomIn({ limit, spent, mostUsd, scope }: Budget): Verdict | null {
  const isDay = scope === 'day';
  const held = (reason: string): Verdict => ({
    kind: 'held',
    reason: `the budget of ${isDay ? 'the day' : 'the thread'} is used up: ${reason}`,
    scope,
  });
  const { runs, usd } = limit;
  if (spent.runs >= runs) return held(`${runs === 1 ? '1 run' : `${runs} runs`} within 24 hours`);
  const more = mostUsd ?? 0;
  if (spent.endedUsd >= usd || spent.endedUsd + more > usd) {
    const next = more > 0 ? `, and a run may cost ${dollars(more)}` : '';
    return held(`${dollars(spent.endedUsd)} of ${dollars(usd)} within 24 hours${next}`);
  }
  if (spent.endedUsd + spent.runningUsd + more <= usd) return null;
  return wait(`running tasks may use up ${isDay ? "today's" : "the thread's"} budget`);
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

/** Why a task can't run for now, whatever the limits; later tasks of its flow do not wait for it. */
function unfitFor({ store }: EligibilityOptions, task: QueuedTask): string | null {
  const { agent, dependsOn, trust, isBacklog } = task;
  if (isBacklog)
    return `it was queued before ${agent} was configured: ${commandLine('hookctl', 'task', 'release', agent)}`;
  if (trust === 'unverified') return `${NOT_VERIFIED}, so no agent runs on it`;
  const blockers = blockersOf(store, { dependsOn });
  return blockers.length === 0
    ? null
    : `it waits for ${blockers.map(({ id, status }) => `${id} (${status})`).join(', ')}`;
}
