import type { ActionOutcome } from '../actions/action.ts';
import { actionNamed } from '../actions/index.ts';
import { failure, HookctlError } from '../errors.ts';
import { commandLabel } from '../labels.ts';
import type { SettledTask } from '../store/store.ts';
import { asksForNewConversation } from '../tasks/conversations.ts';
import { flowOf, ownExternalId } from '../tasks/flows.ts';
import type { Decision, NewOutgoing, NewTask } from '../types.ts';
import { commandList } from './command-list.ts';
import type { PipelineContext } from './context.ts';
import type { EventContext } from './event-context.ts';
import type { Match } from './match.ts';
import { repliesFor } from './replies.ts';

/** What a match came to: the decision to record, and what it asks for. */
export interface CommandResult {
  readonly decision: Decision;
  readonly tasks: readonly SettledTask[];
  readonly outgoing: readonly NewOutgoing[];
}

type ActContext = Pick<PipelineContext, 'store' | 'ids' | 'accounts' | 'surroundings'>;

/** Runs the action of a match that fired. What fails is recorded beside it and stops no other command. */
export async function runCommand(
  context: ActContext,
  occasion: EventContext,
  match: Match,
): Promise<CommandResult> {
  const without = (changes: Partial<Decision>): CommandResult => ({
    decision: decide(occasion, match, changes),
    tasks: [],
    outgoing: [],
  });
  if (!match.fired) return without({ fired: false });
  try {
    const { tasks, outgoing, note } = await perform(context, occasion, match);
    const reason = note === null ? match.reason : `${match.reason}; ${note}`;
    return {
      decision: decide(occasion, match, { reason, taskIds: tasks.map(({ id }) => id) }),
      tasks: tasks.map((task) => placed(context, occasion, match, task)),
      outgoing,
    };
  } catch (error) {
    // Anything else is a broken machine: the delivery stays pending and is tried again.
    if (!(error instanceof HookctlError)) throw error;
    return without({ error: error.message });
  }
}

function perform(context: ActContext, occasion: EventContext, match: Match): Promise<ActionOutcome> {
  const { webhook, delivery, event, provider } = occasion;
  const action = actionNamed(match.command.action);
  if (action === null) throw failure('no_action', `there is no action ${match.command.action}`);
  if (action.reachesOut && delivery.trust === 'unverified') {
    throw failure('unverified', 'the delivery was not verified');
  }
  return action.run({
    webhook,
    command: match.command,
    needsApproval: match.needsApproval,
    ids: context.ids,
    delivery,
    replies: repliesFor(context, occasion, match.allowed),
    surroundings: context.surroundings,
    template: {
      event,
      argument: match.argument,
      commands: commandList(webhook),
      authorOf: (path) => provider.authorOf(event.payload, path),
    },
  });
}

/** The record of a match, as it was decided or as these changes say. */
export function decide(
  { event, index }: Pick<EventContext, 'event' | 'index'>,
  match: Match,
  changes: Partial<Decision>,
): Decision {
  return {
    event: index,
    eventType: event.type,
    command: commandLabel(match.command),
    fired: true,
    reason: match.reason,
    taskIds: [],
    error: null,
    ...changes,
  };
}

function placed(
  { store, ids }: Pick<PipelineContext, 'store' | 'ids'>,
  { delivery, event }: EventContext,
  match: Match,
  task: NewTask,
): SettledTask {
  const externalId = event.externalId ?? ownExternalId(delivery.provider, delivery.id);
  return {
    task,
    command: commandLabel(match.command),
    externalId,
    flowId: flowOf(store, { ...event, externalId }),
    newConversationId: ids.next('conv'),
    startNewConversation: asksForNewConversation(task.typed),
  };
}
