import type { App, LockedEngine } from '../app.ts';
import type { Accounts } from '../config/accounts.ts';
import { type Live, type LiveChange, openLive } from '../config/live.ts';
import { usageError } from '../errors.ts';
import type { Settled } from '../pipeline/context.ts';
import { type Receipt, receive } from '../pipeline/receive.ts';
import { type ClaudeState, sessionCommand } from '../tasks/claude/index.ts';
import { followClaude } from '../tasks/follow.ts';
import type { TunnelSettings } from '../tunnels/settings.ts';
import type { TunnelStatus } from '../tunnels/supervisor.ts';
import type { Outgoing, RawRequest, Snapshot, Task, Webhook } from '../types.ts';
import { createIngress } from './ingress.ts';
import { closeGently, listenOrExplain } from './listen.ts';
import { createManagement } from './management.ts';
import { localOperations } from './operations.ts';
import { endpointUrl, type RunningFacts, statusView } from './status.ts';
import { ensureToken } from './token.ts';
import { openServeTunnel, requireReachable, type ServeTunnel } from './tunnel.ts';
import { webhookAdmin } from './webhook-admin.ts';

/** What the command line says; the rest comes from webhooks.yml. */
export interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly managementPort?: number;
  readonly publicUrl?: string;
  readonly tunnel?: TunnelSettings;
  /** Webhooks that accept everything unverified. */
  readonly insecure: readonly string[];
}

/** Told of everything that happens while serving. */
export interface ServeReporter {
  received(receipt: Receipt): void;
  settled(settled: Settled): void;
  /** A reply or forward was sent, or given up. */
  sent(item: Outgoing): void;
  /** A task was made or moved on, by a person, an agent or Claude Code. */
  task(task: Task): void;
  /** A request could not be answered as it should. */
  broken(error: unknown): void;
  /** The tunnel's state, reason or URL changed. */
  tunnel(status: TunnelStatus): void;
  /** The dynamic webhooks changed, or would have. */
  reloaded(change: LiveChange): void;
}

export interface Serving {
  readonly facts: () => RunningFacts;
  readonly webhooks: readonly Webhook[];
  readonly problems: readonly string[];
  /** Who hookctl is where it answers. */
  readonly accounts: Accounts;
  /** The line that opens a Claude Code session on the task list; null when there is no list. */
  readonly sessionCommand: string | null;
  /** Deliveries that an earlier run had accepted and not worked off. */
  readonly recovered: number;
  /** Stops accepting and finishes what runs; after `graceMs` open connections are cut. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens everything that serves: the folder's lock, store and queue, then management, then the ingress, so that no
 * request arrives before it can be stored. Throws `in_use`, `port_in_use`, `usage` or `ConfigError`.
 */
export async function serve(app: App, options: ServeOptions, reporter: ServeReporter): Promise<Serving> {
  const configuration = await app.configuration({ createMissing: true });
  const { project } = configuration;
  const insecure = insecureWebhooks(options.insecure, configuration.snapshot);
  let live: Live | null = null;
  const snapshot = () => live?.current() ?? configuration.snapshot;
  const engine = await app.engine('serve', {
    configuration,
    insecure,
    snapshot,
    onSettled: reporter.settled,
    onOutgoing: reporter.sent,
  });
  const { context, queue, outbox } = engine;
  const problems = () => [
    ...(live?.problems() ?? configuration.notices),
    ...[...insecure].map(insecureWarning),
  ];

  const management = createManagement({
    token: await ensureToken(app.located.dataFolder),
    operations: localOperations(context, queue, app.located.dataFolder, outbox, reporter.task),
    store: context.store,
    webhooks: webhookAdmin({
      db: app.dynamic(),
      snapshot,
      revision: () => live?.revision() ?? configuration.dynamic.revision,
      reload: async () => live?.reload(),
      store: context.store,
      urlOf: (endpoint) => endpointUrl(facts(), endpoint),
    }),
    status: () =>
      statusView({
        version: app.version,
        ...app.located,
        server: facts(),
        store: context.store,
        webhooks: snapshot().webhooks,
        problems: problems(),
      }),
    port: () => managementPort,
    onError: reporter.broken,
  });
  let tunnel: ServeTunnel | null = null;
  const ingress = createIngress({
    snapshot: context.snapshot,
    receive: receiver(engine, reporter),
    acceptProbe: (path, headers) => tunnel?.acceptProbe(path, headers) ?? false,
    onError: reporter.broken,
  });

  let managementPort = options.managementPort ?? project.management.port;
  const host = options.host ?? project.ingress.host;
  const port = options.port ?? project.ingress.port;
  const settings = options.tunnel ?? project.tunnel ?? null;
  if (settings !== null) requireReachable(host);
  managementPort = await listenOrExplain(management, {
    host: '127.0.0.1',
    port: managementPort,
    flag: '--management-port',
  });
  const ingressPort = await listenOrExplain(ingress, { host, port, flag: '--port' }).catch(async (error) => {
    await closeGently([management], 0);
    throw error;
  });
  const { relayKey } = context;
  const publicUrl = options.publicUrl ?? project.publicUrl ?? null;
  live = await openLive({ configuration, env: app.env, report: reporter.reloaded });
  if (settings !== null) {
    tunnel = openServeTunnel(app, { settings, ingressPort, relayKey, report: reporter.tunnel });
  }
  const { revision } = live;
  const facts = (): RunningFacts => ({
    pid: app.pid,
    startedAt: engine.holder.startedAt,
    ingressUrl: `http://${host.includes(':') ? `[${host}]` : host}:${ingressPort}`,
    publicUrl,
    tunnel: tunnel?.current() ?? null,
    managementUrl: `http://127.0.0.1:${managementPort}`,
    queueDepth: queue.depth(),
    revision: revision(),
    claudeTasks: whereTasksStand(context.claude.state),
  });

  const follower = followClaude(context, {
    where: app.located.dataFolder,
    changed: (task) => {
      outbox.wake();
      reporter.task(task);
    },
    broken: reporter.broken,
  });

  // Who finds the server by this may ask it at once, so that everything it tells has to be there.
  engine.lock.describe({
    ...engine.holder,
    server: { ingressHost: host, ingressPort, managementPort, publicUrl, relayKey },
  });

  return {
    facts,
    webhooks: snapshot().webhooks,
    problems: problems(),
    accounts: configuration.accounts,
    sessionCommand: project.claudeTasks.enabled ? sessionCommand(project.claudeTasks.list) : null,
    recovered: queue.recover(),
    async close(graceMs) {
      // At once, not one after the other: each may take seconds, and a supervisor waits ten for all of it.
      await Promise.all([
        tunnel?.close(),
        live?.close(),
        follower.close(),
        closeGently([ingress, management], graceMs),
      ]);
    },
  };
}

/** Steps 1–5 for the ingress; what is to be worked off goes into the queue and is not waited for. */
function receiver({ context, queue }: LockedEngine, reporter: ServeReporter) {
  return async (webhook: Webhook, request: RawRequest): Promise<Receipt> => {
    const receipt = await receive(context, webhook, request);
    reporter.received(receipt);
    const { deliveryId: id, externalId, status } = receipt;
    if (status === 'pending') void queue.push({ id, externalId, attempts: 0, nextAttemptAt: null });
    return receipt;
  };
}

function insecureWebhooks(names: readonly string[], { byName }: Snapshot): ReadonlySet<string> {
  const unknown = names.find((name) => !byName.has(name));
  if (unknown === undefined) return new Set(names);
  const known = [...byName.keys()].join(', ');
  throw usageError(`--insecure-no-verify: there is no webhook ${unknown}`, `Known: ${known}.`);
}

function insecureWarning(name: string): string {
  return `${name} accepts everything unverified (--insecure-no-verify); it can run no program and post nothing`;
}

function whereTasksStand(state: ClaudeState): string {
  if (!state.on) return `off: ${state.reason}`;
  return state.listDir ?? `records only, in ${state.tasksDir}`;
}
