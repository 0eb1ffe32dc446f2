import type { Agents } from '../../config/project/agents.ts';
import type { RunLimits } from '../../config/project/schema.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import { BUDGET_MS } from '../../store/local/tables/runs.ts';
import type { QueuedTask, RunReader, Spent } from '../../store/runs.ts';
import type { TaskReader } from '../../store/tasks.ts';
import { blockersOf } from '../../tasks/lifecycle.ts';
import { NOT_VERIFIED } from '../../tasks/transition.ts';

/** What stands against one more run. */
type BudgetVerdict =
  | { readonly kind: 'free' }
  /** Runs that go on may use up what is left. */
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'held'; readonly reason: string; readonly scope: string };

interface BudgetQuestion {
  readonly flowId: string;
  /** What the run may cost at most; null: nobody knows. */
  readonly mostUsd: number | null;
  readonly spent: (flowId?: string) => Spent;
}

/** Whether the budgets of the day and of the thread leave room for one more run. */
function budgetFor({ perDay, perThread }: RunLimits, question: BudgetQuestion): BudgetVerdict {
  const { flowId, mostUsd, spent } = question;
  const day = room(perDay, spent(), mostUsd, 'the day', 'day');
  return day.kind === 'free' ? room(perThread, spent(flowId), mostUsd, 'the thread', flowId) : day;
}

function room(
  { runs, usd }: RunLimits['perDay'],
  spent: Spent,
  mostUsd: number | null,
  whose: string,
  scope: string,
): BudgetVerdict {
  const held = (reason: string): BudgetVerdict => ({
    kind: 'held',
    reason: `the budget of ${whose} is used up: ${reason}`,
    scope,
  });
  if (spent.runs >= runs) return held(`${runs === 1 ? '1 run' : `${runs} runs`} within 24 hours`);
  const more = mostUsd ?? 0;
  if (spent.endedUsd >= usd || spent.endedUsd + more > usd) {
    const next = more > 0 ? `, and a run may cost ${dollars(more)}` : '';
    return held(`${dollars(spent.endedUsd)} of ${dollars(usd)} within 24 hours${next}`);
  }
  if (spent.endedUsd + spent.runningUsd + more > usd) {
    return { kind: 'wait', reason: `the runs that go on may use up the budget of ${whose}` };
  }
  return { kind: 'free' };
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

/** What stands against starting a task now. */
export type Verdict =
  | { readonly kind: 'start' }
  /** `holdsFlow`: later tasks of its flow wait for it. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly holdsFlow: boolean }
  | { readonly kind: 'held'; readonly reason: string; readonly scope: string };

/** Runs that go on now, as far as limits ask for them. */
interface Busy {
  readonly agent: string;
  readonly conversationId: string;
}

interface SurveyOptions {
  readonly store: Pick<RunReader, 'spent'> & Pick<TaskReader, 'task'>;
  readonly agents: Agents;
  readonly limits: RunLimits;
  /** Asked anew for each task: a start changes it. */
  readonly busy: () => readonly Busy[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Judges queued tasks, oldest first; tasks of one flow start in the order in which they came. */
interface Survey {
  judge(task: QueuedTask): Verdict;
  /** What became of a task that was to start: for who comes after it in its flow. */
  passed(task: QueuedTask, verdict: Verdict): void;
}

export function createSurvey(options: SurveyOptions): Survey {
  const { store, limits, now } = options;
  const first = new Map<string, Verdict>();
  const spent = (flowId?: string) => store.spent(now - BUDGET_MS, flowId);

  function judge(task: QueuedTask): Verdict {
    const unfit = unfitFor(options, task);
    if (unfit !== null) return { kind: 'waiting', reason: unfit, holdsFlow: false };
    const before = first.get(task.flowId);
    if (before?.kind === 'held') return before;
    if (before !== undefined) return wait('an earlier task of its thread is first');
    const busy = options.busy();
    if (busy.some(({ conversationId }) => conversationId === task.conversationId)) {
      return wait('its conversation has a run');
    }
    return withinBudget(task) ?? withinLimits(task, busy) ?? { kind: 'start' };
  }

  function withinBudget({ agent, flowId }: QueuedTask): Verdict | null {
    const found = options.agents.byName.get(agent);
    const mostUsd = found?.runner.mostUsd(found.options) ?? null;
    const verdict = budgetFor(limits, { flowId, mostUsd, spent });
    switch (verdict.kind) {
      case 'free':
        return null;
      case 'wait':
        return wait(verdict.reason);
      case 'held':
        return verdict;
      default:
        return verdict satisfies never;
    }
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
    judge,
    passed(task, verdict) {
      if (verdict.kind === 'waiting' && !verdict.holdsFlow) return;
      if (verdict.kind !== 'start') first.set(task.flowId, first.get(task.flowId) ?? verdict);
    },
  };
}

function wait(reason: string): Verdict {
  return { kind: 'waiting', reason, holdsFlow: true };
}

/** Why a task is not to be run at all for now; it holds nobody back. */
function unfitFor({ store }: SurveyOptions, task: QueuedTask): string | null {
  const { agent, dependsOn, trust, isBacklog } = task;
  if (isBacklog)
    return `it was queued before ${agent} was configured: ${commandLine('hookctl', 'task', 'release', agent)}`;
  if (trust === 'unverified') return `${NOT_VERIFIED}, so no agent runs on it`;
  const blockers = blockersOf(store, { dependsOn });
  return blockers.length === 0
    ? null
    : `it waits for ${blockers.map(({ id, status }) => `${id} (${status})`).join(', ')}`;
}
