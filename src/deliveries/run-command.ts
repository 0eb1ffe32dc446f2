import type { ActionContext, ActionOutcome, Replies } from '../actions/action.ts';
import { postsInFlow } from '../actions/comment.ts';
import { actionNamed } from '../actions/index.ts';
import { failure, HookctlError } from '../errors.ts';
import { commandLabel } from '../labels.ts';
import type { IdSource } from '../lib/ids.ts';
import type { Effect } from '../store/store.ts';
import { asksForNewConversation, newAliases } from '../tasks/flows.ts';
import { refusedCommand } from '../tasks/owner-limits.ts';
import type {
  Account,
  Decision,
  FlowMemory,
  NewTask,
  ReplyChannel,
  TemplateContext,
  ThreadRef,
  Webhook,
} from '../types.ts';
import type { EventContext, PipelineContext } from './context.ts';
import { flowThread } from './links/flow-thread.ts';
import { repositoriesNamed } from './links/named-repositories.ts';
import { decisionOf, type Match } from './match.ts';
import { asksForMemory, memoryOf } from './review/memory.ts';
import { heldByTrust } from './rules/senders.ts';

/** What a command did: the decision to record, and what it changes. */
export interface CommandResult {
  readonly decision: Decision;
  readonly effects: readonly Effect[];
}

type CommandContext = Pick<
  PipelineContext,
  'store' | 'clock' | 'accounts' | 'apps' | 'surroundings' | 'repositories' | 'snapshot' | 'owners'
>;

/** Runs the action of a match that fired, on its event and on `further` ones that waited with it. What fails is recorded beside it and stops no other command. */
export async function runCommand(
  context: CommandContext,
  eventContext: EventContext,
  match: Match,
  further: readonly EventContext[] = [],
): Promise<CommandResult> {
  const ran: readonly Effect[] = match.fired && match.command.action === 'run' ? [{ kind: 'ran' }] : [];
  const without = (changes: Partial<Decision>): CommandResult => ({
    decision: decisionOf(eventContext, match, changes),
    effects: ran,
  });
  if (!match.fired) return without({ fired: false });
  const refusal = refusedCommand(context.owners, eventContext.delivery.owner, match.command);
  if (refusal !== null)
    return { decision: decisionOf(eventContext, match, { fired: false, reason: refusal }), effects: [] };
  const ids = eventContext.ids(eventContext.index, match.command.id);
  try {
    if (match.command.action === 'repair') return await repair(context, eventContext, match, ids);
    const { command } = match;
    const flow = asksForMemory(command) ? await memoryOf(context, eventContext, command) : undefined;
    const here = repliesFor(context, eventContext, match.allowed);
    const thread = postsInFlow(command) ? await flowThread(context, eventContext, here) : null;
    const { tasks, outgoing, note } = await perform(
      context,
      eventContext,
      match,
      {
        ids,
        replies: thread?.replies ?? here,
        repair: null,
        further: further.map((each) => templateOf(each, match, flow)),
      },
      flow,
    );
    const reason = note === null ? match.reason : `${match.reason}; ${note}`;
    return {
      decision: decisionOf(eventContext, match, { reason, taskIds: tasks.map(({ id }) => id) }),
      effects: [
        ...tasks.map((task) =>
          taskInFlow(eventContext, match, {
            task: withRepositories(context, [eventContext, ...further], task),
            ids,
          }),
        ),
        ...outgoing.map((item) => ({ kind: 'post' as const, item, of: thread?.deliveryId ?? null })),
        ...ran,
      ],
    };
  } catch (error) {
    // Anything else is a broken machine: the delivery stays pending and is tried again.
    if (!(error instanceof HookctlError)) throw error;
    return without({ error: error.message });
  }
}

/** Runs `repair` where there is something to repair, or a person is to be told; a result that asks for neither fires nothing. */
async function repair(
  context: CommandContext,
  eventContext: EventContext,
  match: Match,
  ids: IdSource,
): Promise<CommandResult> {
  const { planRepair } = await import('./repair/plan.ts');
  const plan = await planRepair(context, eventContext, match);
  const decided = (changes: Partial<Decision>) => decisionOf(eventContext, match, changes);
  switch (plan.kind) {
    case 'skip':
      return { decision: decided({ fired: false, reason: plan.reason }), effects: [] };
    case 'withdraw':
      return { decision: decided({ reason: plan.reason, taskIds: plan.taskIds }), effects: plan.effects };
    case 'act': {
      const { order } = plan;
      const about = plan.eventContext;
      const { tasks, outgoing, note } = await perform(context, about, match, {
        ids,
        replies: repliesFor(context, about, match.allowed),
        repair: order,
        further: [],
      });
      const taskIds = tasks.map(({ id }) => id);
      return {
        decision: decided({ reason: note ?? order.reason, taskIds }),
        effects: [
          ...tasks.map((task) => taskInFlow(about, match, { task, ids })),
          ...outgoing.map((item) => ({ kind: 'post' as const, item })),
          { kind: 'repair', note: { ...plan.note, taskId: taskIds[0] ?? null } },
          ...newAliases(about.subject()).map((alias) => ({ kind: 'alias' as const, alias })),
        ],
      };
    }
    default:
      return plan satisfies never;
  }
}

function perform(
  context: CommandContext,
  eventContext: EventContext,
  match: Match,
  given: Pick<ActionContext, 'ids' | 'repair' | 'further' | 'replies'>,
  flow?: FlowMemory,
): Promise<ActionOutcome> {
  const { webhook, delivery } = eventContext;
  const action = actionNamed(match.command.action);
  if (action === null) throw failure('no_action', `there is no action ${match.command.action}`);
  if (action.reachesOut && delivery.trust === 'unverified') {
    throw failure('unverified', 'the delivery was not verified');
  }
  return action.run({
    webhook,
    command: match.command,
    needsApproval: match.needsApproval,
    ...given,
    delivery,
    surroundings: context.surroundings,
    template: templateOf(eventContext, match, flow),
  });
}

export function templateOf(
  { webhook, event, provider }: EventContext,
  { argument }: Match,
  flow?: FlowMemory,
): TemplateContext {
  return {
    ...(flow !== undefined && { flow }),
    event,
    argument,
    commands: commandList(webhook),
    authorOf: (path) => provider.authorOf(event.payload, path),
  };
}

/** A task with the names of repositories that its events name; where it runs is looked up when it starts. */
function withRepositories(
  { repositories }: CommandContext,
  events: readonly EventContext[],
  task: NewTask,
): NewTask {
  const named = events.flatMap(({ webhook, event, delivery }) =>
    repositoriesNamed(repositories, webhook, event, delivery.trust),
  );
  if (named.length === 0) return task;
  return { ...task, sourceMetadata: { ...task.sourceMetadata, repositories: [...new Set(named)] } };
}

function taskInFlow(
  { subject }: EventContext,
  match: Match,
  { task, ids }: { readonly task: NewTask; readonly ids: IdSource },
): Effect {
  const { flowId, names } = subject();
  return {
    kind: 'task',
    task,
    command: commandLabel(match.command),
    externalId: names.externalId,
    flowId,
    newConversationId: ids.next('conv'),
    startNewConversation: asksForNewConversation(task.typed),
  };
}

/** The text commands of a webhook as a Markdown list, for `{{@commands}}`: what a person may write, and what comes of it. */
function commandList({ commands, commandPrefix, defaultCommand }: Webhook): string {
  return commands
    .flatMap((command) => (command.kind === 'text' ? [command] : []))
    .map(({ name, aliases, action, targetAgent, requiresApproval }) => {
      const notes = [
        ...(aliases.length > 0 ? [`also ${aliases.map((alias) => `\`${alias}\``).join(', ')}`] : []),
        ...(action === 'create_task' ? [`a task for ${targetAgent}`] : []),
        ...(requiresApproval ? ['waits for approval'] : []),
        ...(name === defaultCommand ? ['the default'] : []),
      ];
      return `- \`${commandPrefix} ${name}\`${notes.length > 0 ? `: ${notes.join('; ')}` : ''}`;
    })
    .join('\n');
}

/**
 * Whether and where an event can be answered. Nothing is posted for a sender who may not command, for an unverified
 * delivery, and for a replay without `--replies`; for a fetched one only what its task says after approval.
 */
export function repliesFor(
  { accounts, apps }: Pick<PipelineContext, 'accounts' | 'apps'>,
  { webhook, delivery, provider, event }: EventContext,
  allowed: boolean,
): Replies {
  const off = (reason: string): Replies => ({ state: 'off', reason });
  if (!delivery.replies) return { state: 'silent' };
  if (delivery.trust === 'unverified') return off('the delivery was not verified');
  if (!allowed) return off('the sender may not command');
  if (provider.reply === undefined) return off(`hookctl can't answer on ${provider.label}`);
  const place = provider.reply.place(event);
  const asApp = provider.name === 'github' && place !== null && apps.of(place.host) !== null;
  const missing = asApp ? undefined : accounts.missing.get(provider.name);
  if (missing !== undefined && !bringsChannel(provider.reply, place, accounts.bare.get(provider.name)))
    return off(missing);
  return place === null
    ? off(`${event.type} has no place for an answer`)
    : {
        state: 'on',
        channel: provider.reply,
        place,
        afterApproval: heldByTrust(webhook, delivery.trust) !== null,
      };
}

/** Whether the request brought what answers it without a token (Slack's `response_url`). */
function bringsChannel(
  { respond }: ReplyChannel,
  place: ThreadRef | null,
  bare: Account | undefined,
): boolean {
  if (respond === undefined || place === null || bare === undefined) return false;
  return respond.call(bare, place, { id: '', text: '' }, false) !== null;
}
