import type { RunLimits } from '../../config/project/schema.ts';
import type { Spent } from '../../store/runs.ts';

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
export function budgetFor({ perDay, perThread }: RunLimits, question: BudgetQuestion): BudgetVerdict {
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
