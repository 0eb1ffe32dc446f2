import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { connect } from '../../src/connect/operations.ts';
import { receive } from '../../src/deliveries/receive.ts';
import { createTransport } from '../../src/outbox/transport.ts';
import type { RecoverOrder } from '../../src/recover/schedule.ts';
import { type RecoverContext, type SweepReport, sweepConnection } from '../../src/recover/sweep.ts';
import { createIngress } from '../../src/server/ingress/ingress.ts';
import type { Connection, RawRequest, Webhook } from '../../src/types.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { type DeliveryLog, deliveryLog } from '../support/hook-apis/delivery-log.ts';
import { githubApi } from '../support/hook-apis/github.ts';
import { type KeptHook, type LoopbackApi, startLoopback } from '../support/hook-apis/loopback.ts';

/** The ingress of an engine on a port that stays, so that it can be closed and opened again. */
export interface Gate {
  readonly url: string;
  open(): Promise<void>;
  close(): Promise<void>;
}

export async function openGate(
  { context, queue }: Pick<TestEngine, 'context' | 'queue'>,
  port = 0,
): Promise<Gate> {
  const make = () =>
    createIngress({
      snapshot: context.snapshot,
      publicUrl: (endpoint) => `http://127.0.0.1${endpoint}`,
      acceptProbe: () => false,
      receive: (webhook, request) => takenIn({ context, queue }, webhook, request),
      onError(error) {
        throw error;
      },
    });
  let server = make();
  let current = port;
  const open = async () => {
    server = make();
    server.listen(current, '127.0.0.1');
    await once(server, 'listening');
    current = (server.address() as AddressInfo).port;
  };
  const close = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  await open();
  onTestFinished(close);
  return { url: `http://127.0.0.1:${current}`, open, close };
}

/** Takes a request in and queues it. */
export async function takenIn(
  { context, queue }: Pick<TestEngine, 'context' | 'queue'>,
  webhook: Webhook,
  request: RawRequest,
  obtained: Parameters<typeof receive>[3] = null,
) {
  const receipt = await receive(context, webhook, request, obtained);
  const { deliveryId: id, externalId, status, parsedDelivery } = receipt;
  if (status === 'pending')
    void queue.push({ id, externalId, attempts: 0, nextAttemptAt: null }, parsedDelivery);
  return receipt;
}

export interface Scene {
  readonly engine: TestEngine;
  readonly gate: Gate;
  readonly api: LoopbackApi;
  readonly log: DeliveryLog;
  readonly hook: KeptHook;
  readonly connection: Connection;
  /** The tunnel: where the hook sends to; null while it is down. */
  readonly tunnel: { isUp: boolean };
  sweep(order?: Partial<RecoverOrder> & Pick<Partial<RecoverContext>, 'arrivalMs'>): Promise<SweepReport>;
}

/** A repository, or an organisation, at a loopback GitHub whose hook leads to an engine. */
export async function githubScene(
  options: Parameters<typeof deliveryLog>[1] & { readonly isOrganisation?: boolean } = {},
): Promise<Scene> {
  const { isOrganisation = false } = options;
  const log = deliveryLog(githubApi, options);
  const api = await startLoopback(log.spec);
  const yaml = `
credentials: { github: { tokenEnv: TOKEN, baseUrl: '${api.url()}', privateNetwork: true } }
webhooks: { github: { commands: [{ name: analyze }, { trigger: issues.opened }] } }
`;
  const engine = await startEngine({ yaml, env: { TOKEN: 'token-of-github' } });
  const gate = await openGate(engine);
  const tunnel = { isUp: true };
  const { store, apps, snapshot, clock, ids } = engine.context;
  const transport = createTransport({ maxAnswerBytes: 64 * 1024 * 1024 });
  onTestFinished(transport.close);
  const { accounts } = engine.configuration;
  const context = {
    ...{ store, accounts, apps, snapshot, clock, ids, transport },
    dataFolder: join(engine.folder, '.hookctl'),
    publicUrlOf: (endpoint: string) => (tunnel.isUp ? gate.url + endpoint : null),
    saveSecret: async () => false,
    patienceMs: 20_000,
  };
  await connect(context, {
    ...{ connector: 'github', target: isOrganisation ? 'acme' : 'acme/api', isOrganisation, webhook: null },
    ...{ adopt: null, isDryRun: false },
  });
  const [connection] = store.connections();
  const [hook] = api.hooks;
  if (connection === undefined || hook === undefined) throw new Error('nothing was connected');
  return {
    ...{ engine, gate, api, log, hook, connection, tunnel },
    sweep: ({ since = null, isDryRun = false, arrivalMs } = {}) =>
      sweepConnection(
        {
          connect: context,
          receive: (webhook, request, obtained) => takenIn(engine, webhook, request, obtained),
          signal: new AbortController().signal,
          ...(arrivalMs !== undefined && { arrivalMs }),
        },
        connection,
        { since, isDryRun },
      ),
  };
}
