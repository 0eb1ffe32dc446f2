import { actionNamed } from '../actions/index.ts';
import { HookctlError } from '../errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { SettledTask } from '../store/store.ts';
import { asksForNewConversation } from '../tasks/conversations.ts';
import { flowIdOf, ownExternalId } from '../tasks/flows.ts';
import type { Decision, Delivery, NewTask, Webhook, WebhookEvent } from '../types.ts';
import type { PipelineContext } from './context.ts';
import type { Match } from './match.ts';

/** One event of a delivery, and where it happened. */
export interface Occasion {
  readonly delivery: Delivery;
  readonly webhook: Webhook;
  readonly provider: Provider;
  readonly event: WebhookEvent;
  /** Position of the event in its delivery. */
  readonly index: number;
}

/** What a match came to: the decision to record, and the tasks it asks for. */
export interface Act {
  readonly decision: Decision;
  readonly tasks: readonly SettledTask[];
}

/** Runs the action of a match that fired. What fails is recorded beside it and stops no other command. */
export async function act(
  context: Pick<PipelineContext, 'ids'>,
  occasion: Occasion,
  match: Match,
): Promise<Act> {
  if (!match.fired) return { decision: decide(occasion, match, { fired: false }), tasks: [] };
  const action = actionNamed(match.command.action);
  if (action === null || (action.reachesOut && occasion.delivery.trust === 'unverified')) {
    const error =
      action === null ? `there is no action ${match.command.action}` : 'the delivery was not verified';
    return { decision: decide(occasion, match, { error }), tasks: [] };
  }
  try {
    const { tasks } = await action.run({
      webhook: occasion.webhook,
      command: match.command,
      needsApproval: match.needsApproval,
      ids: context.ids,
      template: {
        event: occasion.event,
        argument: match.argument,
        authorOf: (path) => occasion.provider.authorOf(occasion.event.payload, path),
      },
    });
    const settled = tasks.map((task) => placed(context, occasion, match, task));
    return { decision: decide(occasion, match, { taskIds: tasks.map(({ id }) => id) }), tasks: settled };
  } catch (error) {
    // Anything else is a broken machine: the delivery stays pending and is tried again.
    if (!(error instanceof HookctlError)) throw error;
    return { decision: decide(occasion, match, { error: error.message }), tasks: [] };
  }
}

function decide({ event, index }: Occasion, match: Match, outcome: Partial<Decision>): Decision {
  return {
    event: index,
    eventType: event.type,
    command: match.command.id,
    fired: true,
    reason: match.reason,
    taskIds: [],
    error: null,
    ...outcome,
  };
}

function placed(
  { ids }: Pick<PipelineContext, 'ids'>,
  { delivery, event }: Occasion,
  match: Match,
  task: NewTask,
): SettledTask {
  const externalId = event.externalId ?? ownExternalId(delivery.provider, delivery.id);
  return {
    task,
    command: match.command.id,
    externalId,
    flowId: flowIdOf(externalId),
    newConversationId: ids.next('conv'),
    startNewConversation: asksForNewConversation(task.typed),
  };
}
