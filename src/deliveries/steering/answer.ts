import { randomBytes } from 'node:crypto';
import { stripQuoted } from '../../lib/text/index.ts';
import type { NewAnswer } from '../../store/store.ts';
import { flowOf } from '../../tasks/flows.ts';
import { fence } from '../../templates/view.ts';
import type { Decision } from '../../types.ts';
import type { PipelineContext } from '../context.ts';
import type { EventContext } from '../event-context.ts';
import { checkTextSender } from '../rules/senders.ts';
import { findCall, ownPost } from '../rules/text-command.ts';

/** A question that an event answers, and what is recorded of it. */
interface Answered {
  readonly answer: NewAnswer;
  readonly decision: Decision;
}

/**
 * The next allowed reply in a thread answers the task that waits there (action `ask`), the oldest one first. A text
 * that calls a command by the prefix is a command and no answer.
 */
export function answered(
  { store, snapshot }: Pick<PipelineContext, 'store' | 'snapshot'>,
  occasion: EventContext,
): Answered | null {
  const { webhook, event, index, delivery } = occasion;
  const { text, sender, externalId } = event;
  if (text === null || sender === null || externalId === null || event.textOrigin !== 'created') return null;
  if (
    ownPost(event) !== null ||
    stripQuoted(text, event.textFormat).trim() === '' ||
    !checkTextSender(webhook.allow, event, delivery.trust).allowed
  )
    return null;
  const task = store.openQuestion(flowOf(store, { ...event, externalId }));
  if (task === null) return null;
  // A child is asked about where its root came from.
  const root = store.task(task.initiatedTaskId) ?? task;
  const asking = root.webhook === null ? undefined : snapshot().byName.get(root.webhook);
  // A thread may be told by several webhooks. The one that asked must let the sender answer, too, and neither may find a command.
  if (asking !== undefined && !checkTextSender(asking.allow, event, delivery.trust).allowed) return null;
  const isCommand = [webhook, asking ?? webhook].some(
    (each) => findCall({ ...each, requirePrefix: true }, event).command !== null,
  );
  if (isCommand) return null;
  const nonce = randomBytes(16).toString('hex');
  const inside = fence(text, { source: 'answer', author: sender.name }, nonce);
  return {
    answer: { taskId: task.id, prompt: `\n\nThe answer of ${JSON.stringify(sender.id)}:\n${inside}` },
    decision: {
      event: index,
      eventType: event.type,
      command: task.command ?? 'ask',
      fired: true,
      reason: `${sender.name} answers ${task.id}`,
      taskIds: [task.id],
      error: null,
    },
  };
}
