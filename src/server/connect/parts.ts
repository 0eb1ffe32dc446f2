import { rotateSecret } from '../../config/dynamic/edit.ts';
import type { ConnectContext } from '../../connect/context.ts';
import type { Engine } from '../../deliveries/engine.ts';
import { createKeyLock, type KeyLock } from '../../lib/key-lock.ts';
import { createTransport } from '../../outbox/transport.ts';
import type { Services } from '../../services.ts';

/** What the API works with, in a server or in a command that holds the data folder. */
export interface ConnectParts extends ConnectContext {
  /** Two orders for one target would make two hooks. */
  readonly locked: KeyLock;
}

interface ConnectSource extends Pick<ConnectContext, 'publicUrlOf'> {
  readonly services: Services;
  readonly engine: Pick<Engine, 'context'>;
  /** Resolves when a changed webhook is in force. */
  readonly reload: () => Promise<void>;
}

/** A sender's log holds payloads of GitHub's largest size. */
const MOST_ANSWER_BYTES = 32 * 1024 * 1024;
/** The former secret still verifies for a while: what was sent before the new hook was made is on its way. */
const OVERLAP_MS = 86_400_000;

/** What connections are made with. Its sockets close with the services. */
export function connectParts({ services, engine, publicUrlOf, reload }: ConnectSource): ConnectParts {
  const { store, accounts, apps, snapshot, clock, ids } = engine.context;
  const transport = createTransport({ maxAnswerBytes: MOST_ANSWER_BYTES });
  services.defer(transport.close);
  return {
    ...{ store, accounts, apps, snapshot, clock, ids, transport, publicUrlOf },
    dataFolder: services.located.dataFolder,
    locked: createKeyLock(),
    async saveSecret({ origin }, secret) {
      if (origin.kind !== 'dynamic') return false;
      const db = await services.dynamic();
      const change = rotateSecret(origin.webhookId, {
        overlapMs: OVERLAP_MS,
        secret: { value: secret.reveal() },
      });
      await db.edit(change, services.actor);
      await reload();
      return true;
    },
  };
}
