import { join } from 'node:path';
import { receive } from '../../src/deliveries/receive.ts';
import { type SweepReport, sweepConnection } from '../../src/recover/sweep.ts';
import type { Connection, JsonObject } from '../../src/types.ts';
import { sentTo } from '../connect/support.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type ApiCall, type LoopbackApi, type Reply, startLoopback } from '../support/hook-apis/loopback.ts';
import { openGate, takenIn } from './support.ts';

export const HOUR = 3_600_000;
export const iso = (ago: number) => new Date(Date.now() - ago).toISOString();

export interface SenderScene {
  readonly engine: TestEngine;
  readonly api: LoopbackApi;
  /** Where the hook sends to. */
  readonly hookUrl: string;
  /** `isHeld`: what it takes in stays pending. */
  sweep(isHeld?: boolean): Promise<SweepReport>;
  /** Type and trust of what came, with the statuses of its tasks; duplicates left out. */
  came(): Promise<readonly string[]>;
}

/** A connection to a loopback sender whose API answers so. */
export async function senderScene(
  connector: string,
  connection: Pick<Connection, 'kind' | 'target' | 'events'>,
  route: (call: ApiCall, base: string) => Reply | null,
  commands: string,
  db: JsonObject | null = null,
  site?: string,
): Promise<SenderScene> {
  const api = await startLoopback({
    isAuthorized: () => true,
    route: (call, state) => route(call, state.url()),
  });
  const engine = await startEngine({
    yaml: `
credentials: { ${connector}: { tokenEnv: TOKEN, ${connector === 'slack' ? '' : 'user: me@acme.example, '}baseUrl: '${site ?? api.url()}', privateNetwork: true } }
webhooks: ${commands}
`,
    env: { TOKEN: 'a-token' },
    ...(db !== null && { db: JSON.stringify({ schema_version: 1, webhooks: [db] }) }),
  });
  const gate = await openGate(engine);
  const { store, snapshot, clock, ids, accounts, apps } = engine.context;
  const transport = sentTo(api.url(), site);
  const hookUrl = `${gate.url}/webhooks/${connector}?hookctl=${store.installationId()}`;
  const record: Connection = {
    ...{
      id: 'con-1',
      connector,
      webhook: connector,
      webhookId: db === null ? null : `wh-${connector}`,
      apiUrl: site ?? api.url(),
      remoteId: '7',
    },
    ...{ url: hookUrl, fingerprint: null, isAdopted: false, isPaused: false, problem: null, ...connection },
    ...{ createdAt: Date.now() - 2 * HOUR, pointedAt: Date.now(), checkedAt: null },
  };
  await store.addConnection(record);
  const connect = {
    ...{ store, accounts, apps, snapshot, clock, ids, transport, patienceMs: 5_000 },
    dataFolder: join(engine.folder, '.hookctl'),
    publicUrlOf: (endpoint: string) => gate.url + endpoint,
  };
  return {
    engine,
    api,
    hookUrl,
    sweep: (isHeld = false) =>
      sweepConnection(
        {
          ...{ connect, signal: new AbortController().signal, arrivalMs: 2_000 },
          receive: (webhook, request, obtained) =>
            isHeld
              ? receive(engine.context, webhook, request, obtained)
              : takenIn(engine, webhook, request, obtained),
        },
        record,
        { since: null, isDryRun: false },
      ),
    async came() {
      await eventually('the queue to be empty', () => engine.queue.depth() === 0);
      await store.indexed();
      return store
        .deliveries({ limit: 100 })
        .filter(({ status }) => status !== 'duplicate')
        .toReversed()
        .map(({ id, eventType, trust }) => {
          const tasks = store.tasks({ deliveryId: id }).map(({ status }) => status);
          return [eventType, trust, ...tasks].join(' ');
        });
    },
  };
}
