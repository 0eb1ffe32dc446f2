import type { StoreReader } from '../../store/store.ts';
import { OPERATOR, type Snapshot } from '../../types.ts';
import type { ApiParts } from '../api/route.ts';
import type { Owners } from './caller.ts';

/** Finds whose things are, in the store and the configuration of a data folder. */
export function ownersIn({ tokens }: Pick<ApiParts, 'tokens'>): Owners {
  return {
    async ownerOf(_kind, id) {
      return (await tokens()).list().find((token) => token.id === id)?.owner ?? null;
    },
  };
}

interface OwnedThings {
  readonly store: Pick<StoreReader, 'delivery' | 'task' | 'run' | 'outgoing' | 'flows' | 'conversations'>;
  readonly snapshot: () => Snapshot;
}

/**
 * Whose the thing of an id, or the webhook of a name, is. The operator's is what no owner has: schedules, workspaces, and what no
 * longer exists.
 */
export function ownerOf({ store, snapshot }: OwnedThings, target: string): string {
  const { byName, byWebhookId } = snapshot();
  const webhook = byWebhookId.get(target) ?? byName.get(target);
  return webhook?.owner ?? ownerOfRow(store, target) ?? OPERATOR;
}

function ownerOfRow(store: OwnedThings['store'], id: string): string | undefined {
  switch (id.slice(0, id.indexOf('-'))) {
    case 'dlv':
      return store.delivery(id)?.owner;
    case 'task':
      return store.task(id)?.owner;
    case 'run':
      return store.run(id)?.owner;
    case 'out':
      return store.outgoing(id)?.owner;
    case 'flow':
      return store.flows({ id })[0]?.owner;
    case 'conv':
      return store.conversations({ id })[0]?.owner;
    default:
      return undefined;
  }
}
