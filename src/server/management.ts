import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { resolve } from 'node:path';
import type { Workspaces } from '../agents/workspace/workspaces.ts';
import type { Agents } from '../config/project/agents.ts';
import type { RunLimits } from '../config/project/schema.ts';
import type { WebhookRegistry } from '../config/registry.ts';
import type { Engine } from '../deliveries/engine.ts';
import { LONGEST_QUEUE } from '../deliveries/queue.ts';
import { failure, messageOf } from '../errors.ts';
import { createRegistrations } from '../github-app/registration.ts';
import { closeGently } from '../lib/http/listen.ts';
import type { Services } from '../services.ts';
import type { StoreReader } from '../store/store.ts';
import { limitsOf } from '../tasks/owner-limits.ts';
import type { Schedule } from '../types.ts';
import { openTokens } from './access/tokens.ts';
import { managementApi, managementSocket } from './api/app.ts';
import { connectApp } from './api/connect/github-app.ts';
import { gitSettings } from './api/git-credentials.ts';
import { createReadiness } from './api/readiness.ts';
import type { ApiParts } from './api/route.ts';
import { type AgentAccess, openAgentAccess } from './api/runs.ts';
import { openWebhookAdmin } from './api/webhook-admin.ts';
import type { ConnectParts } from './connect/parts.ts';
import { ensureToken } from './credentials.ts';
import type { ServeListener } from './events.ts';
import type { Handshakes } from './ingress/handshakes.ts';
import type { Feed } from './live/feed.ts';
import type { Metrics } from './metrics.ts';
import { endpointUrl, type RunningFacts, statusView } from './status.ts';

interface ManagementParts {
  readonly services: Services;
  readonly engine: Engine;
  readonly live: WebhookRegistry;
  readonly emit: ServeListener;
  readonly agents: Agents;
  readonly workspaces: () => Promise<Workspaces>;
  readonly schedules: readonly Schedule[];
  readonly schedulesChanged: () => void;
  readonly metrics: Metrics;
  readonly feed: Feed;
  /** What all agents together may do. */
  readonly limits: RunLimits;
  readonly recover: ApiParts['recover'];
  readonly facts: () => RunningFacts;
  readonly handshakes: Pick<Handshakes, 'await'>;
  readonly connect: ConnectParts;
  readonly problems: () => readonly string[];
}

const COUNT = 'GIT_CONFIG_COUNT';

interface OpenedManagement {
  readonly server: Server;
  readonly access: AgentAccess;
}

/** The private socket with the API behind it. */
export async function openManagement(parts: ManagementParts): Promise<OpenedManagement> {
  const { services, agents, engine, live, recover, emit, metrics, facts } = parts;
  const { connect, feed, limits, handshakes, problems, workspaces, schedules, schedulesChanged } = parts;
  const onError = (error: unknown) => emit({ type: 'broken', error });
  const { located, redactor, version } = services;
  const { store, apps } = engine.context;
  const githubOf = (agent: string) => agents.byName.get(agent)?.options.github ?? false;
  const token = await ensureToken(located.dataFolder);
  const tokens = await openTokens({
    dataFolder: located.dataFolder,
    now: services.clock.now,
    ids: services.ids,
  });
  redactor.learn('management token', () => [token.reveal()]);
  const registrations = createRegistrations({
    apps,
    dataFolder: located.dataFolder,
    now: services.clock.now,
    made: ({ slug, webhook }) => connectApp(connect, slug, webhook),
  });
  const api = managementApi({
    ...engine,
    workspaces,
    tokens: async () => tokens,
    schedules,
    schedulesChanged,
    recover,
    connect,
    dataFolder: located.dataFolder,
    taskChanged: (task) => emit({ type: 'task', task }),
    record: (change, actor) => services.audit(change, actor),
    served: {
      webhooks: openWebhookAdmin({
        db: await services.dynamic(),
        snapshot: live.current,
        records: live.records,
        reload: live.reload,
        store,
        handshakes,
        actionsOf: (owner) => limitsOf(engine.context.owners, owner).actions,
        urlOf: (endpoint) => endpointUrl(facts(), endpoint),
      }),
      feed,
      reads: { limits, urlOf: (endpoint) => endpointUrl(facts(), endpoint) },
      status: (owner) =>
        statusView({
          owner,
          version,
          ...located,
          server: facts(),
          store,
          webhooks: live.current().webhooks,
          notLoaded: live.unloaded(),
          problems: problems(),
        }),
      githubApp: {
        ...{ apps, registrations, connect },
        pushes: () => [...agents.byName.values()].some(({ options }) => options.github !== false),
        managementUrl: () => facts().managementUrl,
      },
    },
    onError,
  });
  const access = openAgentAccess({
    ...{ services, store, api },
    managementUrl: () => facts().managementUrl,
    mayCall: (name) => agents.byName.get(name)?.options.mayCall ?? [],
    askPermissionMs(name) {
      const options = agents.byName.get(name)?.options;
      const ms = options !== undefined && 'askPermission' in options ? options.askPermission : null;
      return typeof ms === 'number' ? ms : null;
    },
    gitOf: (name) =>
      gitSettings(
        githubOf(name),
        apps,
        agents.byName.get(name)?.options.env.includes(COUNT) ? services.env[COUNT] : undefined,
      ),
    onError,
  });
  const server = managementSocket({
    ...{ token, tokens, api, redactor, registrations },
    git: { apps, store, repositories: engine.context.repositories, optionOf: githubOf },
    ...access,
    readiness: createReadiness({
      ...located,
      store,
      queueDepth: engine.queue.depth,
      queueLimit: LONGEST_QUEUE,
      now: () => performance.now(),
    }),
    metrics: () =>
      metrics.text({
        queueDepth: engine.queue.depth,
        oldestPendingSeconds: () => oldestPendingSeconds(store, services.clock.now()),
        machines: () => store.machines().filter(({ isGone }) => !isGone).length,
        outbox: () => store.countsByOutgoingStatus(),
        tunnel: () => facts().tunnel,
        webhooks: () => live.current().byName,
      }),
    onError,
  });
  return { server, access };
}

/** Longer paths do not fit into the address of a unix socket (macOS 104 bytes, Linux 108). */
const LONGEST_SOCKET = 103;

/**
 * Lets a server take requests on a unix socket, too, which only its user may open (0600). Replaces what a killed process left
 * there; resolves with what closes it. Throws `listen`.
 */
export async function listenOnSocket(
  server: Server,
  socket: string,
  { located }: Pick<Services, 'located'>,
): Promise<() => Promise<void>> {
  const path = resolve(located.dataFolder, socket);
  const fix = 'Name another in management.socket of webhooks.yml.';
  if (Buffer.byteLength(path) > LONGEST_SOCKET)
    throw failure('listen', `the path of a unix socket may have ${LONGEST_SOCKET} bytes: ${path}`, { fix });
  const unix = createServer((request, response) => server.emit('request', request, response));
  try {
    if ((await lstat(path).catch(() => null))?.isSocket() === true) await unlink(path);
    unix.listen(path);
    await once(unix, 'listening');
    await chmod(path, 0o600);
  } catch (error) {
    throw failure('listen', `can't listen on ${path}: ${messageOf(error)}`, { cause: error, fix });
  }
  // Node removes the file when it closes.
  return () => closeGently([unix], 0);
}

function oldestPendingSeconds(store: Pick<StoreReader, 'pending' | 'delivery'>, now: number): number {
  const [oldest] = store.pending(null, 1);
  const receivedAt = oldest === undefined ? null : (store.delivery(oldest.id)?.receivedAt ?? null);
  return receivedAt === null ? 0 : Math.max(0, (now - receivedAt) / 1000);
}
