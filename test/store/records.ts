import type { DeliveryOutcome, NewDelivery, SettledTask } from '../../src/store/store.ts';
import type { NewTask } from '../../src/types.ts';

export const NOW = 1_700_000_000_000;

export function newDelivery(id: string, changes: Partial<NewDelivery> = {}): NewDelivery {
  return {
    id,
    webhook: 'github',
    webhookId: null,
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

export function settledTask(
  id: string,
  changes: Partial<Omit<SettledTask, 'task'>> & { readonly task?: Partial<NewTask> } = {},
): SettledTask {
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

export function settlement(deliveryId: string, changes: Partial<DeliveryOutcome> = {}): DeliveryOutcome {
  return {
    deliveryId,
    status: 'processed',
    reason: 'one task',
    decisions: [],
    tasks: [],
    outgoing: [],
    answers: [],
    approvals: [],
    settledAt: NOW + 5,
    ...changes,
  };
}
