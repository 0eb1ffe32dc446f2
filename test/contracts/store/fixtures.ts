import { onTestFinished } from 'vitest';
import type { Attachment, RunEnding, RunStart, RunWait } from '../../../src/store/runs.ts';
import type { Store } from '../../../src/store/store.ts';
import type { TaskChange, TaskCreation } from '../../../src/store/tasks.ts';
import { type NewOutgoing, NO_USAGE, type Task } from '../../../src/types.ts';
import { readable } from '../../store/fixtures.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import type { Home, Implementation } from './implementations.ts';

/** A home that is removed when the test ends. */
export function newHome(implementation: Implementation): Home {
  const home = implementation.home();
  onTestFinished(() => home.destroy());
  return home;
}

/** Opens a home; the store is closed when the test ends. */
export async function openHome(home: Home): Promise<Store> {
  const store = await home.open();
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

/** A new store in which an accepted delivery can be read at once. */
export async function freshStore(implementation: Implementation): Promise<Store> {
  return readable(await openHome(newHome(implementation)));
}

/** Accepts a delivery that makes these tasks. */
export async function withTasks(
  store: Store,
  deliveryId: string,
  tasks: readonly Parameters<typeof taskInFlow>[],
  changes: Parameters<typeof newDelivery>[1] = {},
): Promise<readonly Task[]> {
  await store.accept(newDelivery(deliveryId, changes));
  return store.recordOutcome(outcome(deliveryId, { tasks: tasks.map((task) => taskInFlow(...task)) }));
}

export const NOTHING_SPENT = { costUsd: null, inputTokens: null, outputTokens: null };

/** By default the end of a task that was queued. */
export function change(taskId: string, changes: Partial<TaskChange> = {}): TaskChange {
  return {
    ...{
      taskId,
      event: 'complete',
      from: 'queued',
      to: 'completed',
      isEnd: true,
      actor: 'ada',
      at: NOW + 10,
    },
    ...{ reason: null, result: null, error: null, spent: NOTHING_SPENT, reply: null },
    ...changes,
  };
}

export function start(taskId: string, at = NOW + 10): TaskChange {
  return change(taskId, { event: 'start', to: 'running', isEnd: false, at });
}

export function creation(id: string, changes: Partial<TaskCreation> = {}): TaskCreation {
  return {
    ...{
      task: taskInFlow(id).task,
      source: 'cli',
      actor: 'ada',
      owner: 'operator',
      parent: null,
      dependsOn: [],
    },
    ...{ flowId: 'flow-typed', externalId: 'cli:typed', newConversationId: `conv-${id}` },
    ...{ startNewConversation: false, at: NOW },
    ...changes,
  };
}

export function comment(id: string, changes: Partial<NewOutgoing> = {}): NewOutgoing {
  return {
    ...{ id, kind: 'comment', place: { host: null, number: '1' }, content: `text of ${id}` },
    ...{ edits: null, privateNetwork: false },
    ...changes,
  };
}

export function wait(id: string, task: Task | null, changes: Partial<RunWait> = {}): RunWait {
  if (task === null) throw new Error('there is no task');
  return { id, task, runner: 'command', state: 'waiting', reason: 'too many runs', at: NOW + 8, ...changes };
}

export function runStart(id: string, task: Task | null, changes: Partial<RunStart> = {}): RunStart {
  return {
    ...{ wait: wait(id, task), folder: '/project', logPath: `/logs/${id}`, sessionKey: 'planning' },
    ...{ reservedUsd: null, change: start(task?.id ?? '') },
    ...changes,
  };
}

export function runEnd(id: string, changes: Partial<RunEnding> = {}): RunEnding {
  return {
    ...{ id, state: 'completed', reason: null, exitCode: 0, signal: null, usage: NO_USAGE, denials: [] },
    ...{ at: NOW + 100, task: null },
    ...changes,
  };
}

const ALL = { limit: 100_000 };

/** All that a reader sees. */
export function everything(store: Store) {
  const tasks = store.tasks(ALL);
  const flows = store.flows(ALL);
  const agents = store.agentNames();
  return {
    deliveries: store.deliveries(ALL),
    bodies: store.deliveries(ALL).map(({ id }) => Buffer.from(store.body(id) ?? []).toString('base64')),
    tasks,
    transitions: tasks.map(({ id }) => store.transitions(id)),
    flows,
    aliases: flows.map(({ id }) => store.aliasesOf(id)),
    conversations: store.conversations(ALL),
    outbox: store.outbox(ALL),
    runs: tasks.map(({ id }) => store.runsOfTask(id)),
    queued: store.queuedTasks(agents, ALL.limit),
    sessions: store.conversations(ALL).map(({ id }) => store.lastSession(id, 'planning')),
    events: store.agentEvents({ consumer: 'ada' }),
    spent: store.spent(0),
    audit: store.audit(ALL),
  };
}

export const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

/** A person who works in the session of `conv-1`. */
export const ATTACHMENT: Attachment = {
  conversationId: 'conv-1',
  taskId: 'task-1',
  actor: 'cli',
  atOnce: false,
  at: NOW,
};
