import { approvedTask } from '../../tasks/approval.ts';
import { flowOf } from '../../tasks/flows.ts';
import type { Decision } from '../../types.ts';
import type { PipelineContext } from '../context.ts';
import type { EventContext } from '../event-context.ts';
import { checkTextSender } from '../rules/senders.ts';
import { ownPost, steeringCall } from '../rules/text-command.ts';

/** What an event's `@agent approve [task id]` comes to. */
interface Approved {
  /** Null: refused, for the reason that the decision tells. */
  readonly taskId: string | null;
  readonly decision: Decision;
}

/** Approves a task that waits in the event's thread. Null when the text asks for no approval. */
export function approved(
  { store }: Pick<PipelineContext, 'store'>,
  { webhook, event, index, delivery }: EventContext,
): Approved | null {
  const call = ownPost(event) === null ? steeringCall(webhook, event, 'approve') : null;
  if (call === null) return null;
  const decide = (taskId: string | null, reason: string): Approved => ({
    taskId,
    decision: {
      event: index,
      eventType: event.type,
      command: 'approve',
      fired: taskId !== null,
      reason,
      taskIds: taskId === null ? [] : [taskId],
      error: null,
    },
  });
  const admission = checkTextSender(webhook.allow, event, delivery.trust);
  // Being no person is enough to be admitted, but an approval is a person's word.
  if (!admission.allowed || event.sender?.kind === 'system') return decide(null, admission.reason);
  if (event.externalId === null) return decide(null, 'the event belongs to no thread');
  const flowId = flowOf(store, { ...event, externalId: event.externalId });
  const { taskId, reason } = approvedTask(store, flowId, call);
  return decide(taskId, `${reason}; ${admission.reason}`);
}
