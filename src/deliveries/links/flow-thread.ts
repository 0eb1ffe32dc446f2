import type { Replies } from '../../actions/action.ts';
import { getPath } from '../../lib/json.ts';
import { loadProvider } from '../../providers/index.ts';
import type { StoreReader } from '../../store/store.ts';
import type { ThreadRef } from '../../types.ts';
import type { EventContext, PipelineContext } from '../context.ts';

/** The thread in which a flow began. */
interface FlowThread {
  readonly replies: Replies;
  /** The delivery whose provider has the thread. Null when no delivery is known. */
  readonly deliveryId: string | null;
}

/** Tasks of a flow that are looked through for its thread. */
const MOST = 1_000;

/**
 * The thread in which the event's flow began: the ticket, where the event is about its pull request. `here`: whether the event itself
 * is answered; a replay that posts nothing posts nothing there.
 */
export async function flowThread(
  { store, accounts, apps, snapshot }: Pick<PipelineContext, 'store' | 'accounts' | 'apps' | 'snapshot'>,
  { subject }: EventContext,
  here: Replies,
): Promise<FlowThread> {
  const off = (reason: string): FlowThread => ({ replies: { state: 'off', reason }, deliveryId: null });
  if (here.state === 'silent') return { replies: here, deliveryId: null };
  const { flowId, ownId } = subject();
  if (flowId === ownId) return off('its flow began here');
  const first = firstThread(store, flowId);
  if (first === null) return off('no task of the thread in which its flow began can post there');
  const { place, deliveryId, provider: name } = first;
  const used = snapshot().webhooks.find(({ providerName }) => providerName === name)?.provider;
  const channel = (used ?? (await loadProvider(name)))?.reply;
  if (channel === undefined) return off(`hookctl can't answer on ${name}`);
  const asApp = name === 'github' && apps.of(place.host) !== null;
  const missing = asApp ? undefined : accounts.missing.get(name);
  if (missing !== undefined) return off(missing);
  return { replies: { state: 'on', channel, place, afterApproval: false }, deliveryId };
}

/** Where the oldest task of a flow posts that came by a delivery. */
function firstThread(store: Pick<StoreReader, 'tasks' | 'delivery'>, flowId: string) {
  for (const task of store.tasks({ flowId, limit: MOST }).toReversed()) {
    const place = getPath(task.sourceMetadata, ['reply', 'place']);
    const provider = task.deliveryId === null ? undefined : store.delivery(task.deliveryId)?.provider;
    if (place === undefined || task.deliveryId === null || provider === undefined) continue;
    return { place: place as unknown as ThreadRef, deliveryId: task.deliveryId, provider };
  }
  return null;
}
