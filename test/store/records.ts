import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordOf, rowOf } from '../../src/store/local/log/record.ts';
import type { DeliveryOutcome, NewDelivery, TaskInFlow } from '../../src/store/store.ts';
import type { TaskChange } from '../../src/store/tasks.ts';
import type { NewOutgoing, NewTask } from '../../src/types.ts';

export const NOW = 1_700_000_000_000;

export function newDelivery(id: string, changes: Partial<NewDelivery> = {}): NewDelivery {
  return {
    id,
    webhook: 'github',
    webhookId: null,
    owner: 'operator',
    provider: 'github',
    status: 'pending',
    trust: 'verified',
    reason: null,
    senderDeliveryId: `sender-${id}`,
    dedupeKeys: [`id:sender-${id}`],
    eventType: 'issue_comment.created',
    externalId: 'github:octo/repo#1',
    senderName: 'octocat',
    isByPerson: true,
    isSample: false,
    headers: { 'x-github-event': 'issue_comment' },
    query: '',
    body: Buffer.from(`{"id":"${id}"}`),
    receivedAt: NOW,
    settledAt: null,
    decisions: [],
    replayOf: null,
    replies: true,
    ...changes,
  };
}

/** Appends the record of a delivery to a folder's log, as a crash before its row leaves it. */
export function recordWithoutRow(dataFolder: string, id: string): void {
  const folder = join(dataFolder, 'bodies');
  mkdirSync(folder, { recursive: true });
  const record = recordOf(rowOf(newDelivery(id)), Buffer.from(`{"id":"${id}"}`));
  writeFileSync(join(folder, '00000001.log'), Buffer.concat(record), { flag: 'a' });
}

export function taskInFlow(
  id: string,
  changes: Partial<Omit<TaskInFlow, 'task'>> & { readonly task?: Partial<NewTask> } = {},
): TaskInFlow {
  const { task, ...place } = changes;
  return {
    command: 'analyze',
    externalId: 'github:octo/repo#1',
    flowId: 'flow-1',
    newConversationId: `conv-${id}`,
    startNewConversation: false,
    ...place,
    task: {
      id,
      title: `Task ${id}`,
      status: 'queued',
      agent: 'planning',
      prompt: 'Analyze it',
      typed: '',
      url: null,
      syncToClaudeTasks: true,
      sourceMetadata: { source: 'github' },
      ...task,
    },
  };
}

/** Effects by kind, as tests write them down. */
interface Effects {
  readonly tasks?: readonly TaskInFlow[];
  readonly outgoing?: readonly NewOutgoing[];
  readonly answers?: readonly { readonly taskId: string; readonly prompt: string }[];
  readonly stops?: readonly TaskChange[];
}

export function outcome(
  deliveryId: string,
  {
    tasks = [],
    outgoing = [],
    answers = [],
    stops = [],
    ...changes
  }: Partial<DeliveryOutcome> & Effects = {},
): DeliveryOutcome {
  return {
    deliveryId,
    status: 'processed',
    reason: 'one task',
    decisions: [],
    effects: [
      ...tasks.map((task) => ({ kind: 'task' as const, ...task })),
      ...outgoing.map((item) => ({ kind: 'post' as const, item })),
      ...answers.map((answer) => ({ kind: 'answer' as const, ...answer })),
      ...stops.map((change) => ({ kind: 'stop' as const, change })),
    ],
    settledAt: NOW + 5,
    ...changes,
  };
}
