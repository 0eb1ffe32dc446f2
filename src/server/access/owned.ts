import type { StoreReader } from '../../store/store.ts';
import { OPERATOR, type Snapshot, type Webhook } from '../../types.ts';
import type { ApiParts } from '../api/route.ts';
import type { OwnedKind, Owners } from './caller.ts';

interface OwnedThings {
  readonly store: Pick<StoreReader, 'delivery' | 'task' | 'run' | 'outgoing' | 'flows' | 'conversations'>;
  readonly snapshot: () => Snapshot;
}

type Owned = { readonly owner: string } | null | undefined;

/** Knows whose things are, from the store and the configuration of a data folder. */
export function ownersIn({ context, tokens }: Pick<ApiParts, 'context' | 'tokens'>): Owners {
  const { store } = context;
  const find: Readonly<Record<OwnedKind, (id: string, owner: string) => Owned | Promise<Owned>>> = {
    ...rowsIn(context),
    flow: (id, owner) => store.flows({ id })[0] ?? store.flows({ externalId: id, owner })[0],
    webhook: (ref) => webhookOf(context, ref),
    connection(id) {
      const connection = store.connection(id);
      return connection === null ? null : webhookOf(context, connection.webhookId ?? connection.webhook);
    },
    token: async (id) => (await tokens()).list().find((token) => token.id === id),
  };
  return {
    has: async (owner, kind, id) => (await find[kind](id, owner))?.owner === owner,
  };
}

/**
 * Whose the thing of an id, or the webhook of a name, is. The operator's is what no owner has: schedules, workspaces, and what no
 * longer exists.
 */
export function ownerOf(things: OwnedThings, target: string): string {
  const kind = KINDS[target.slice(0, target.indexOf('-'))];
  const row = kind === undefined ? null : rowsIn(things)[kind](target);
  return webhookOf(things, target)?.owner ?? row?.owner ?? OPERATOR;
}

/** What the ids of rows begin with. */
const KINDS: Readonly<Record<string, keyof ReturnType<typeof rowsIn>>> = {
  ...{ dlv: 'delivery', task: 'task', run: 'run', out: 'item', flow: 'flow', conv: 'conversation' },
};

function rowsIn({ store }: Pick<OwnedThings, 'store'>) {
  return {
    delivery: (id: string): Owned => store.delivery(id),
    task: (id: string): Owned => store.task(id),
    run: (id: string): Owned => store.run(id),
    item: (id: string): Owned => store.outgoing(id),
    flow: (id: string): Owned => store.flows({ id })[0],
    conversation: (id: string): Owned => store.conversations({ id })[0],
  };
}

function webhookOf({ snapshot }: Pick<OwnedThings, 'snapshot'>, ref: string): Webhook | undefined {
  const { byName, byWebhookId } = snapshot();
  return byWebhookId.get(ref) ?? byName.get(ref);
}
