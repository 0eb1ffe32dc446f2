import { z } from 'zod';
import { failure } from '../../errors.ts';
import { pause } from '../../lib/time.ts';
import { blockersOf } from '../../tasks/lifecycle.ts';
import type { AgentEvent, Task } from '../../types.ts';
import { iso } from '../../views.ts';
import type { AgentStore } from '../backend.ts';
import { isReadable, type RunScope } from '../scope.ts';
import { agentName, type ToolContext, tool } from '../tool.ts';
import { actorFor, whole, wholeText } from './views.ts';

/** Clients give up a call after 60 s. */
const LONGEST_WAIT_S = 50;
const POLL_MS = 200;

const consumer = z
  .string()
  .min(1)
  .max(100)
  .optional()
  .describe('Who listens: each name has its own memory of what it was told. Default: the agent.');

export const nextEvent = tool({
  name: 'next_event',
  description:
    'The oldest thing that you were not told yet: a task to begin (task), a person’s answer to what was asked (answer), a task that somebody ended (cancel), and in a run of hookctl what a person asked for in the same thread meanwhile, which runs afterwards (comment). Waits for one, then answers with event null. The same event comes again until ack_event.',
  readOnly: false,
  reachesOut: false,
  input: z.strictObject({
    agent: agentName.optional().describe('Only events of tasks for this agent.'),
    consumer,
    wait_seconds: z.number().min(0).max(LONGEST_WAIT_S).default(20).describe('How long to wait for one.'),
  }),
  async run(context, { agent, consumer: named, wait_seconds: wait }) {
    const who = listener(context, agent, named);
    await join(context, who.consumer);
    let seen = -1;
    for (const deadline = context.now() + wait * 1000; ; await pause(POLL_MS, context.signal)) {
      const newest = await context.backend.look((store) => store.newestTransition(), 0);
      if (newest !== seen) {
        seen = newest;
        const found = await context.backend.look((store) => oldest(store, context, who), null);
        if (found !== null) return told(found);
      }
      if (context.now() >= deadline || context.signal.aborted) {
        return { text: 'Nothing happened. Call next_event again to go on waiting.', data: { event: null } };
      }
    }
  },
});

export const ackEvent = tool({
  name: 'ack_event',
  description: 'Says that an event was taken care of: next_event does not bring it again.',
  readOnly: false,
  reachesOut: false,
  input: z.strictObject({
    event_id: z.string().min(1).describe('evt-…, as next_event told it.'),
    agent: agentName.optional().describe('As given to next_event.'),
    consumer,
  }),
  async run(context, { event_id: id, agent, consumer: named }) {
    const who = listener(context, agent, named);
    const { known } = await context.backend.call<{ readonly known: boolean }>({
      method: 'POST',
      path: '/api/events/ack',
      body: { consumer: who.consumer, event_id: id },
    });
    if (known) return { text: `${id} will not come again.`, data: { event_id: id, consumer: who.consumer } };
    throw failure('not_found', `${who.consumer} has no event ${id}`, {
      fix: 'Give the id that next_event told, and the same consumer or agent.',
    });
  },
});

interface Listener {
  readonly consumer: string;
  readonly agent: string | undefined;
}

/** A run listens in its conversation, together with all its other runs; other callers choose their name. */
function listener({ scope, agent: own }: ToolContext, agent: string | undefined, named?: string): Listener {
  if (scope !== null) return { consumer: `${scope.conversationId}/${scope.agent}`, agent: undefined };
  const whose = agent ?? own ?? undefined;
  return { consumer: named ?? whose ?? 'everybody', agent: whose };
}

async function join({ backend, scope }: ToolContext, name: string): Promise<void> {
  if (await backend.look((store) => store.isConsumer(name), false)) return;
  const body = { consumer: name, since_task_id: scope?.taskId ?? null };
  await backend.call({ method: 'POST', path: '/api/events/listen', body });
}

/** What a run hears of is seen from its conversation: a person’s next command there is a comment to it. */
type Kind = AgentEvent['kind'] | 'comment';

/** An event, and the task that it is about. */
interface Found {
  readonly event: AgentEvent;
  readonly kind: Kind;
  readonly task: ReturnType<typeof whole>;
}

function oldest(
  store: AgentStore,
  { scope }: ToolContext,
  { consumer: name, agent }: Listener,
): Found | null {
  const events = store.agentEvents({
    consumer: name,
    ...(agent !== undefined && { agent }),
    ...(scope !== null && { conversationId: scope.conversationId }),
  });
  for (const event of events) {
    const task = store.task(event.taskId);
    const kind = task === null ? null : kindOf(store, event, task, scope);
    if (task !== null && kind !== null) return { event, kind, task: whole(store, task) };
  }
  return null;
}

/**
 * Null when the event is not reported now. A task that waits for others is reported when it can begin. A run is offered
 * no task, because it would be done twice: it learns what a person asked for meanwhile, which runs after it.
 */
function kindOf(store: AgentStore, { kind }: AgentEvent, task: Task, scope: RunScope | null): Kind | null {
  // Words of an unverified delivery reach no agent.
  if (!isReadable(task)) return null;
  if (kind !== 'task') return kind;
  if (scope === null) return blockersOf(store, task).length === 0 ? kind : null;
  return task.deliveryId !== null && task.id !== scope.taskId ? 'comment' : null;
}

function told({ event, kind, task }: Found) {
  const { id, reason, at } = event;
  const actor = actorFor(event.actor);
  return {
    text: `${id} ${kind} by ${actor}${reason === null ? '' : `: ${reason}`}\n\n${wholeText(task)}\n\nThen: ack_event ${id}`,
    data: { event: { id, kind, task_id: task.id, actor, reason, at: iso(at) }, task },
  };
}
