import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Configuration } from '../../config/index.ts';
import { failure } from '../../errors.ts';
import { say } from '../../lib/io.ts';
import type { ApiCall } from '../../mcp/backend.ts';
import type { callInProcess, LiveEvent, ManagementAddress, ManagementClient } from '../../server/client.ts';
import type { StatusView } from '../../server/status.ts';
import type { Services } from '../../services.ts';
import { remoteAddress } from './remote.ts';

/**
 * The management API, for a command that changes something: of the running server, or, with none, of this process under
 * the folder's lock. Throws `in_use` when the folder is held by something that is no server.
 */
export async function managementCall(services: Services, command: string): Promise<ApiCall> {
  return (await serverClient(services))?.call ?? ownCall(services, command);
}

/** The running server's management API; null when none runs. */
export async function serverClient(services: Services): Promise<ManagementClient | null> {
  const address = await serverAddress(services);
  return address === null ? null : (await import('../../server/client.ts')).managementClient(address);
}

/** How often a list is looked at where no server tells what happens, in milliseconds. */
const POLL_MS = 200;

/**
 * What a server tells on its live stream, whichever server runs, until the signal. Null, now and then, while none does. A stream that
 * was cut goes on where it was.
 */
export async function* eventsOfServer(
  services: Services,
  types: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<LiveEvent | null> {
  let after: string | null = null;
  while (!signal.aborted) {
    const address = await serverAddress(services);
    if (address !== null) {
      const { liveEvents } = await import('../../server/client.ts');
      for await (const { id, event } of liveEvents(address, { types, after, signal })) {
        after = id;
        yield event;
      }
    }
    if (signal.aborted) return;
    yield null;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The running server's state; null when none runs. */
export async function served(services: Services): Promise<StatusView | null> {
  return (await serverClient(services))?.status() ?? null;
}

/**
 * Where the running server's management API is, with its token; null when none runs. With `HOOKCTL_TOKEN` the server that the
 * environment names, whether it runs or not.
 */
export async function serverAddress(services: Services): Promise<ManagementAddress | null> {
  const remote = remoteAddress(services);
  if (remote !== null) return remote;
  const server = services.holder()?.server ?? null;
  if (server === null) return null;
  const { dataFolder } = services.located;
  const { readToken } = await import('../../server/credentials.ts');
  const token = await readToken(dataFolder);
  if (token === null)
    throw failure('no_token', `there is no management token in ${dataFolder}`, {
      fix: 'Restart `hookctl serve`.',
    });
  // A server of before names none.
  const { managementPort: port, managementSocket = null } = server;
  const socket = managementSocket === null ? null : resolve(dataFolder, managementSocket);
  return { port, socket, token, actor: services.actor };
}

async function ownCall(services: Services, command: string): Promise<ApiCall> {
  const [{ managementApi }, { openTokens }, { connectParts }, { workspacesOf }, { secretVariables }] =
    await Promise.all([
      import('../../server/api/app.ts'),
      import('../../server/access/tokens.ts'),
      import('../../server/connect/parts.ts'),
      import('../../server/workspaces/index.ts'),
      import('../../server/agents.ts'),
    ]);
  const configuration = await services.configuration({ createMissing: false });
  await services.hold(command);
  const engine = await services.engine({
    configuration,
    snapshot: () => configuration.snapshot,
    insecure: new Set(),
    onResult: () => undefined,
  });
  const { dataFolder } = services.located;
  let tokens: ReturnType<typeof openTokens> | null = null;
  const workspaces = workspacesOf({
    ...{ services, configuration, store: engine.context.store },
    secretNames: () => secretVariables(configuration, configuration.snapshot),
    managementPort: () => null,
    report: (text) => say(services.io.err, text),
  });
  const [{ createSweeper }, { receive }] = await Promise.all([
    import('../../server/recovery/index.ts'),
    import('../../deliveries/receive.ts'),
  ]);
  const { publicUrl = null } = configuration.project;
  const connect = connectParts({
    ...{ services, engine },
    // A tunnel opens with a server.
    publicUrlOf: (endpoint) => (publicUrl === null ? null : publicUrl + endpoint),
    reload: async () => undefined,
  });
  const stop = new AbortController();
  services.defer(() => stop.abort());
  const recover = createSweeper({
    // What is sent again would find no server.
    connect: { ...connect, publicUrlOf: () => null },
    signal: stop.signal,
    async receive(webhook, request, obtained) {
      const receipt = await receive(engine.context, webhook, request, obtained);
      const { deliveryId: id, externalId, status, parsedDelivery } = receipt;
      if (status === 'pending')
        await engine.queue.push({ id, externalId, attempts: 0, nextAttemptAt: null }, parsedDelivery);
      return receipt;
    },
  });
  return inProcess(services, (onError) =>
    managementApi({
      ...engine,
      workspaces,
      tokens: () => {
        tokens ??= openTokens({ dataFolder, now: services.clock.now, ids: services.ids });
        return tokens;
      },
      recover,
      connect,
      dataFolder,
      schedules: configuration.schedules,
      schedulesChanged: () => undefined,
      taskChanged: () => undefined,
      record: (change, actor) => services.audit(change, actor),
      served: null,
      onError,
    }),
  );
}

/** The API of webhooks, for a command that changes them, and whether a server answers it. */
export async function webhookCall(
  services: Services,
): Promise<{ readonly call: ApiCall; readonly isServed: boolean }> {
  const client = await serverClient(services);
  if (client !== null) return { call: client.call, isServed: true };
  const [{ openWebhookAdmin }, { webhookApi }] = await Promise.all([
    import('../../server/api/webhook-admin.ts'),
    import('../../server/api/webhooks.ts'),
  ]);
  let configuration = await services.configuration();
  const admin = openWebhookAdmin({
    db: await services.dynamic(),
    snapshot: () => configuration.snapshot,
    records: () => configuration.dynamic.entries.map(({ written }) => written),
    async reload() {
      configuration = await services.configuration();
    },
    store: services.reader() ?? { countsByWebhook: () => [], deliveries: () => [] },
    urlOf: (endpoint) => ownUrl(configuration) + endpoint,
  });
  return { call: await inProcess(services, (onError) => webhookApi(admin, onError)), isServed: false };
}

/** Calls an API in this process. It hides from its callers what broke; here that is thrown as what it is. */
async function inProcess(
  { actor }: Services,
  open: (onError: (error: unknown) => void) => Parameters<typeof callInProcess>[0],
): Promise<ApiCall> {
  const [{ callInProcess }, { OPERATOR_CALLER }] = await Promise.all([
    import('../../server/client.ts'),
    import('../../server/access/caller.ts'),
  ]);
  let broken: unknown = null;
  const call = callInProcess(
    open((error) => {
      broken = error;
    }),
    { actor, caller: OPERATOR_CALLER },
  );
  return async (request) => {
    try {
      return await call(request);
    } catch (error) {
      throw broken ?? error;
    }
  };
}

/** Where senders reach this configuration while no server runs. */
export function ownUrl({ project: { ingress, publicUrl } }: Configuration): string {
  const { host, port } = ingress;
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
