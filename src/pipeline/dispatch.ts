import { providerNamed } from '../providers/index.ts';
import type { Provider } from '../providers/provider.ts';
import type { Settlement } from '../store/store.ts';
import type { Delivery, RawRequest, Task, Webhook } from '../types.ts';
import { type Act, act } from './act.ts';
import type { PipelineContext, Settled } from './context.ts';
import { match } from './match.ts';

/** What the commands of a webhook come to for one delivery, before anything is recorded. */
type Outcome = Omit<Settlement, 'deliveryId' | 'settledAt'>;

/**
 * Steps 6–8 for a stored delivery: match, act, record both in one transaction, sync the task files. Throws when
 * something is broken (disk, store): the delivery stays pending. Null when it is pending no longer.
 */
export async function dispatch(context: PipelineContext, deliveryId: string): Promise<Settled | null> {
  const { store, clock } = context;
  const delivery = store.delivery(deliveryId);
  if (delivery?.status !== 'pending') return null;
  const outcome = await work(context, delivery);
  const stored = await store.settle({ ...outcome, deliveryId, settledAt: clock.now() });
  const tasks = await syncTasks(context, stored.filter(wanted(outcome)));
  return { delivery: store.delivery(deliveryId) ?? delivery, tasks: withSynced(stored, tasks) };
}

async function work(context: PipelineContext, delivery: Delivery): Promise<Outcome> {
  const webhook = context.snapshot().byName.get(delivery.webhook);
  if (webhook === undefined) return nothing('ignored', `there is no webhook ${delivery.webhook} any more`);
  if (!webhook.enabled) return nothing('ignored', `the webhook ${webhook.name} is disabled`);
  const provider = providerNamed(webhook.provider);
  const request = storedRequest(context, delivery);
  if (provider === null || request === null) return nothing('failed', 'its bytes are no longer stored');

  const parsed = provider.parse(request);
  if (!parsed.ok) return nothing('failed', parsed.reason);
  return outcomeOf(await actOnAll(context, delivery, webhook, provider, parsed.events));
}

/** The request as it was received, from the store; null when its bytes are gone. */
export function storedRequest(
  { store }: Pick<PipelineContext, 'store'>,
  delivery: Delivery,
): RawRequest | null {
  const body = store.body(delivery.id);
  return body === null ? null : { headers: delivery.headers, query: delivery.query, body };
}

interface Acted {
  readonly acts: readonly Act[];
  /** Why nothing fired, for each event where nothing did. */
  readonly ignored: readonly string[];
}

async function actOnAll(
  context: PipelineContext,
  delivery: Delivery,
  webhook: Webhook,
  provider: Provider,
  events: readonly Parameters<typeof match>[1][],
): Promise<Acted> {
  const acts: Act[] = [];
  const ignored: string[] = [];
  for (const [index, event] of events.entries()) {
    const matching = match(webhook, event);
    if (matching.ignored !== null) ignored.push(matching.ignored);
    for (const each of matching.matches) {
      acts.push(await act(context, { delivery, webhook, provider, event, index }, each));
    }
  }
  return { acts, ignored };
}

function outcomeOf({ acts, ignored }: Acted): Outcome {
  const decisions = acts.map(({ decision }) => decision);
  const fired = decisions.filter((decision) => decision.fired);
  const failed = fired.filter(({ error }) => error !== null);
  const tasks = acts.flatMap((each) => each.tasks);
  if (fired.length === 0) {
    return {
      status: 'ignored',
      reason: [...new Set(ignored)].join('; ') || 'it holds no event',
      decisions,
      tasks,
    };
  }
  const reasons = (failed.length > 0 ? failed : fired).map(
    ({ command, error, reason }) => `${command}: ${error ?? reason}`,
  );
  return {
    status: failed.length === fired.length ? 'failed' : 'processed',
    reason: reasons.join('; '),
    decisions,
    tasks,
  };
}

function nothing(status: Outcome['status'], reason: string): Outcome {
  return { status, reason, decisions: [], tasks: [] };
}

function wanted({ tasks }: Outcome): (task: Task) => boolean {
  const ids = new Set(tasks.filter(({ task }) => task.syncToClaudeTasks).map(({ task }) => task.id));
  return ({ id }) => ids.has(id);
}

/** Never fails a delivery: a task whose files could not be written is noted as unsynced and repaired later. */
async function syncTasks(
  { claude, store }: PipelineContext,
  tasks: readonly Task[],
): Promise<readonly Task[]> {
  if (tasks.length === 0) return [];
  await store.noteSync(await claude.project(tasks));
  return tasks.map(({ id }) => store.task(id)).filter((task) => task !== null);
}

function withSynced(stored: readonly Task[], synced: readonly Task[]): readonly Task[] {
  const byId = new Map(synced.map((task) => [task.id, task]));
  return stored.map((task) => byId.get(task.id) ?? task);
}
