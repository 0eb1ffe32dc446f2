import { agentLabel, harmless } from '../../labels.ts';
import { messagesOf, taskDetails } from '../../task-views.ts';
import type { Task } from '../../types.ts';
import { type TaskView, taskView } from '../../views.ts';
import type { AgentStore } from '../backend.ts';
import { isReadable } from '../scope.ts';

/** A task in a list: without the texts, which can be long. */
export function brief(task: Task | TaskView) {
  const view = 'created_at' in task ? task : taskView(task);
  const { id, status, agent, flow_id, conversation_id, parent_task_id, created_at } = view;
  const external_id = harmless(view.external_id);
  const url = harmless(view.url);
  const title = labelOf(view);
  return { id, title, status, agent, flow_id, conversation_id, parent_task_id, external_id, url, created_at };
}

/** Titles hold words from outside, and nothing fences them: agents read command and external id in their place. */
function labelOf({
  command,
  external_id,
  flow_id,
}: Pick<TaskView, 'command' | 'external_id' | 'flow_id'>): string {
  return agentLabel({ command, externalId: external_id, flowId: flow_id });
}

export function line({
  id,
  status,
  agent,
  title,
}: Pick<TaskView, 'id' | 'status' | 'agent' | 'title'>): string {
  return `${id} [${status}] ${agent}: ${title}`;
}

/** A task with what it waits for, what was made below it, and what was said before in its conversation. */
export function whole(store: AgentStore, task: Task) {
  const family = store.tasks({ flowId: task.flowId, limit: 200 });
  const children = family.filter(({ parentTaskId }) => parentTaskId === task.id).toReversed();
  const earlier = store
    .tasks({ conversationId: task.conversationId, before: task.id, limit: 10 })
    .filter((each) => isReadable(each) && each.status !== 'waiting_approval')
    .toReversed();
  const details = taskDetails(store, task);
  return {
    ...details,
    title: labelOf(details),
    external_id: harmless(details.external_id),
    url: harmless(details.url),
    transitions: details.transitions.map((each) => ({ ...each, actor: actorFor(each.actor) })),
    waits_for: details.waits_for.map(({ id, status }) => ({ id, status })),
    children: children.map((child) => ({ ...brief(child), result: child.result, error: child.error })),
    earlier_messages: messagesOf(earlier),
  };
}

/** `github:octocat` → `github`: people and apps choose their names, and nothing fences them. */
export function actorFor(actor: string): string {
  return actor.split(':')[0] ?? '';
}

type WholeTask = ReturnType<typeof whole>;

export function wholeText(task: WholeTask): string {
  const waits = task.waits_for.map(({ id, status }) => `waits for: ${id} (${status})`);
  const children = task.children.map((child) => `child: ${line(child)}`);
  return [
    line(task),
    `agent: ${task.agent} · conversation: ${task.conversation_id} · about: ${task.external_id ?? task.flow_id}`,
    ...(task.url === null ? [] : [`url: ${task.url}`]),
    ...waits,
    ...children,
    ...(task.result === null ? [] : ['', 'Result:', task.result]),
    ...(task.error === null ? [] : ['', 'Error:', task.error]),
    '',
    'Prompt:',
    task.prompt,
  ].join('\n');
}
