import { snakeFields } from './lib/case.ts';
import type { FlowLink } from './store/flows.ts';
import type { RunReader, SPEND_BY, Spend } from './store/runs.ts';
import type { Stat, StatsFilter } from './store/stats.ts';
import type { StoreReader } from './store/store.ts';
import type { TaskReader } from './store/tasks.ts';
import { blockersOf } from './tasks/lifecycle.ts';
import type { AgentRun, Conversation, Flow, Task, TaskStatus } from './types.ts';
import { iso, taskView, usageView } from './views.ts';

/** How runs of agents look outside: in the API and in every `--json`. */
export type RunView = ReturnType<typeof runView>;

export function runView({ usage, ...run }: AgentRun) {
  const { costUsd, inputTokens, outputTokens, turns } = usage;
  return snakeFields({ ...run, costUsd, inputTokens, outputTokens, turns });
}

/** Why a queued task does not run, or that it does; null when no run is planned for it. */
function openRunView(run: AgentRun | undefined) {
  return run === undefined ? null : { id: run.id, state: run.state, reason: run.reason };
}

/** How tasks with their surroundings, flows and conversations look outside: in the API and in every `--json`. */

export type TaskDetails = ReturnType<typeof taskWithRuns>;
export type FlowDetails = ReturnType<typeof flowDetails>;
export type ConversationView = ReturnType<typeof conversationView>;
export type MessageView = ReturnType<typeof messagesOf>[number];

/** A task with its history and with what it still waits for. */
export function taskDetails(store: Pick<TaskReader, 'task' | 'transitions'>, task: Task) {
  return {
    ...taskView(task),
    waits_for: blockersOf(store, task).map(({ id, status, title }) => ({ id, status, title })),
    transitions: store.transitions(task.id).map((transition) => snakeFields(transition)),
  };
}

/** The same with its runs, for people: the paths of their logs are not for agents. */
export function taskWithRuns(
  store: Pick<TaskReader, 'task' | 'transitions'> & Pick<RunReader, 'runsOfTask'>,
  task: Task,
) {
  return { ...taskDetails(store, task), runs: store.runsOfTask(task.id).map(runView) };
}

export type ListedTask = ReturnType<typeof listedTasks>[number];

/** Tasks as lists have them: each with the run that goes on, waits or is held, and why. */
export function listedTasks(store: Pick<RunReader, 'openRuns'>, tasks: readonly Task[]) {
  const runs = new Map(store.openRuns().map((run) => [run.taskId, run]));
  return tasks.map((task) => ({ ...taskView(task), run: openRunView(runs.get(task.id)) }));
}

export function flowView(flow: Flow) {
  return snakeFields(flow);
}

/** More tasks than anybody reads; the newest of a flow are shown. */
const TASKS_SHOWN = 500;

/** Reads of flows and of what joins them. */
export type FlowReader = TaskReader & Pick<StoreReader, 'linkOf' | 'linksInto'>;

/** The flow of an id, or of an external id: of one that goes on in another, that one. With `owner` only an external
 * id of that owner counts. Null when there is none. */
export function flowNamed(store: FlowReader, name: string, owner?: string): Flow | null {
  const found = store.flows({ id: name })[0] ?? store.flows({ externalId: name, ...(owner && { owner }) })[0];
  if (found === undefined) return null;
  const link = store.linkOf(found.id);
  return link === null ? found : (flowNamed(store, link.intoFlowId) ?? found);
}

/** What `task link` joined: the flow to which the task's thread and the named subject belong now. */
export interface LinkedView {
  readonly task_id: string;
  readonly flow_id: string;
  readonly external_id: string;
  /** False when they were one flow already. */
  readonly joined: boolean;
}

export type LinkView = ReturnType<typeof linkView>;

/** How a join of two flows looks outside. */
export function linkView({ undone: _, ...link }: FlowLink) {
  return snakeFields(link);
}

/** The flows that go on in a flow, also over others, those nearer to it first. */
function linksBelow(store: FlowReader, flowId: string): readonly FlowLink[] {
  const links = store.linksInto(flowId);
  return [...links, ...links.flatMap((link) => linksBelow(store, link.flowId))];
}

/** A flow with the flows that go on in it, their conversations and their tasks, oldest first. */
export function flowDetails(store: FlowReader, flow: Flow) {
  const links = linksBelow(store, flow.id);
  const ids = [flow.id, ...links.map(({ flowId }) => flowId)];
  const all = <T extends { readonly id: string }>(list: (flowId: string) => readonly T[]) =>
    ids
      .flatMap(list)
      .toSorted((left, right) => (left.id < right.id ? -1 : 1))
      .slice(-TASKS_SHOWN);
  return {
    ...flowView(flow),
    links: links.map(linkView),
    conversations: all((flowId) => store.conversations({ flowId, limit: TASKS_SHOWN }))
      .toReversed()
      .map(conversationView),
    tasks: all((flowId) => store.tasks({ flowId, limit: TASKS_SHOWN })).map(taskView),
  };
}

export function conversationView({ usage, averageCostUsd, ...conversation }: Conversation) {
  const total = Object.values(conversation.byStatus).reduce((sum, count) => sum + count, 0);
  return { ...snakeFields(conversation), ...usageView(usage), tasks: total };
}

/** The totals of a conversation, with the average over its tasks that ended and said what they cost. */
export function metricsView(conversation: Conversation) {
  return { ...conversationView(conversation), average_cost_usd: conversation.averageCostUsd };
}

/** What was said in tasks of a conversation: each prompt, and what came of it. */
export function messagesOf(tasks: readonly Task[]) {
  return tasks.flatMap((task) => {
    const said = (role: 'user' | 'assistant', text: string, at: number) => ({
      role,
      text,
      task_id: task.id,
      agent: task.agent,
      status: task.status satisfies TaskStatus,
      at: iso(at),
    });
    const outcome = task.result ?? task.error;
    return [
      said('user', task.prompt, task.createdAt),
      ...(outcome === null ? [] : [said('assistant', outcome, task.completedAt ?? task.updatedAt)]),
    ];
  });
}

export type SpendView = ReturnType<typeof spendView>;
export type StatsView = ReturnType<typeof statsView>;

/** What runs took, with their total. */
export function spendView(rows: readonly Spend[], by: (typeof SPEND_BY)[number], since: number) {
  return {
    since: iso(since),
    by,
    rows: rows.map((row) => snakeFields(row)),
    total: snakeFields(totalSpend(rows)),
  };
}

/** Statistics as the API and `--json` give them. */
export function statsView(rows: readonly Stat[], { by, since, until, stepMs }: StatsFilter) {
  return {
    ...{ by, since: iso(since), until: iso(until), step_ms: stepMs ?? null },
    rows: rows.map((row) => snakeFields(row)),
  };
}

export function totalSpend(rows: readonly Spend[]): Spend {
  const sum = (field: Exclude<keyof Spend, 'name'>) => rows.reduce((total, row) => total + row[field], 0);
  return {
    name: 'total',
    runs: sum('runs'),
    knownRuns: sum('knownRuns'),
    costUsd: sum('costUsd'),
    reservedUsd: sum('reservedUsd'),
    inputTokens: sum('inputTokens'),
    outputTokens: sum('outputTokens'),
  };
}
