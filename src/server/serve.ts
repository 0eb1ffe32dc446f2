import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App } from '../app.ts';
import type { Accounts } from '../config/accounts.ts';
import { type Live, type LiveChange, openLive } from '../config/live.ts';
import { usageError } from '../errors.ts';
import type { Settled } from '../pipeline/context.ts';
import type { Engine } from '../pipeline/engine.ts';
import { type Receipt, receive } from '../pipeline/receive.ts';
import { type ClaudeState, sessionCommand } from '../tasks/claude/index.ts';
import { followClaude } from '../tasks/follow.ts';
import { repairFiles } from '../tasks/repair.ts';
import type { TunnelStatus } from '../tunnels/supervisor.ts';
import type { Outgoing, RawRequest, Snapshot, Task, Webhook } from '../types.ts';
import { createIngress } from './ingress.ts';
import { closeGently, listenOrExplain } from './listen.ts';
import { createManagement } from './management.ts';
import { localOperations } from './operations.ts';
import { placeOf, type ServeOptions } from './place.ts';
import { endpointUrl, type RunningFacts, statusView } from './status.ts';
import { ensureToken } from './token.ts';
import { openServeTunnel, requireReachable, type ServeTunnel } from './tunnel.ts';
import { webhookAdmin } from './webhook-admin.ts';

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
}

/** Time for running requests to end when serving ends. */
const GRACE_MS = 7_000;

/**
 * Opens everything that serves: the folder's lock, configuration, store and queue, then management, then the ingress,
 * so that no request arrives before it can be stored; the tunnel last. All of it closes with the app. Throws
 * `in_use`, `port_in_use`, `usage` or `ConfigError`.
 */
export async function serve(app: App, options: ServeOptions, reporter: ServeReporter): Promise<Serving> {
  const configuration = await app.configuration({ createMissing: true });
  const { claudeTasks } = configuration.project;
  const place = placeOf(configuration.project, options);
  const insecure = insecureWebhooks(options.insecure, configuration.snapshot);
  if (place.tunnel !== null) requireReachable(place.host);

  const held = await app.hold('serve');
  const live = await openLive({ configuration, env: app.env, report: reporter.reloaded });
  app.defer(live.close);
  const engine = await app.engine({
    configuration,
    insecure,
    snapshot: live.current,
    onSettled: reporter.settled,
    onOutgoing: reporter.sent,
  });
  const { relayKey } = engine.context;
  const problems = () => [...live.problems(), ...[...insecure].map(insecureWarning)];

  let tunnel: ServeTunnel | null = null;
  const ingress = createIngress({
    snapshot: live.current,
    receive: receiver(engine, reporter),
    acceptProbe: (path, headers) => tunnel?.acceptProbe(path, headers) ?? false,
    onError: reporter.broken,
  });
  const facts = (): RunningFacts => ({
    pid: app.pid,
    startedAt: held.holder.startedAt,
    ingressUrl: `http://${place.host.includes(':') ? `[${place.host}]` : place.host}:${portOf(ingress)}`,
    publicUrl: place.publicUrl,
    tunnel: tunnel?.current() ?? null,
    managementUrl: `http://127.0.0.1:${portOf(management)}`,
    queueDepth: engine.queue.depth(),
    revision: live.revision(),
    claudeTasks: whereTasksStand(engine.context.claude.state),
  });
  const management = await managementOf({ app, engine, live, reporter, facts, problems });

  const outside = closedTogether(app);
  outside.push(() => closeGently([ingress, management], GRACE_MS));
  await listenOrExplain(management, {
    host: '127.0.0.1',
    port: place.managementPort,
    flag: '--management-port',
  });
  const ingressPort = await listenOrExplain(ingress, { host: place.host, port: place.port, flag: '--port' });
  outside.push(...mindTaskFiles(app, engine, reporter));
  if (place.tunnel !== null) {
    tunnel = openServeTunnel(app, { settings: place.tunnel, ingressPort, relayKey, report: reporter.tunnel });
    outside.push(tunnel.close);
  }
  // Who finds the server by this may ask it at once, so that everything it tells has to be there.
  const { host: ingressHost, publicUrl } = place;
  const server = { ingressHost, ingressPort, managementPort: portOf(management), publicUrl, relayKey };
  held.lock.describe({ ...held.holder, server });

  return {
    facts,
    webhooks: live.current().webhooks,
    problems: problems(),
    accounts: configuration.accounts,
    sessionCommand: claudeTasks.enabled ? sessionCommand(claudeTasks.list) : null,
    recovered: engine.queue.recover(),
  };
}

interface ManagementParts {
  readonly app: App;
  readonly engine: Engine;
  readonly live: Live;
  readonly reporter: ServeReporter;
  readonly facts: () => RunningFacts;
  readonly problems: () => readonly string[];
}

async function managementOf({
  app,
  engine,
  live,
  reporter,
  facts,
  problems,
}: ManagementParts): Promise<Server> {
  const { located, version } = app;
  const { context, queue, outbox } = engine;
  const { store } = context;
  return createManagement({
    token: await ensureToken(located.dataFolder),
    operations: localOperations(context, queue, located.dataFolder, outbox, reporter.task),
    store,
    webhooks: webhookAdmin({
      db: await app.dynamic(),
      snapshot: live.current,
      revision: live.revision,
      reload: live.reload,
      store,
      urlOf: (endpoint) => endpointUrl(facts(), endpoint),
    }),
    status: () => {
      const { webhooks } = live.current();
      return statusView({ version, ...located, server: facts(), store, webhooks, problems: problems() });
    },
    onError: reporter.broken,
  });
}

/** Steps 1–5 for the ingress; what is to be worked off goes into the queue and is not waited for. */
function receiver({ context, queue }: Engine, reporter: ServeReporter) {
  return async (webhook: Webhook, request: RawRequest): Promise<Receipt> => {
    const receipt = await receive(context, webhook, request);
    reporter.received(receipt);
    const { deliveryId: id, externalId, status } = receipt;
    if (status === 'pending') void queue.push({ id, externalId, attempts: 0, nextAttemptAt: null });
    return receipt;
  };
}

type Close = () => Promise<unknown>;

/**
 * Repairs Claude's files and follows them from then on. Not before the sockets listen: what a killed process left may
 * take seconds to repair, and senders do not wait.
 */
function mindTaskFiles(
  { located }: App,
  { context, outbox }: Engine,
  reporter: ServeReporter,
): readonly Close[] {
  const repaired = repairFiles(context).catch(reporter.broken);
  const follower = followClaude(context, {
    where: located.dataFolder,
    broken: reporter.broken,
    changed(task) {
      outbox.wake();
      reporter.task(task);
    },
  });
  return [() => repaired, follower.close];
}

/** What is pushed is closed with the app, all at once: each may take seconds, and a supervisor waits ten for all of it. */
function closedTogether(app: App): Close[] {
  const closing: Close[] = [];
  app.defer(async () => {
    await Promise.all(closing.map((close) => close()));
  });
  return closing;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
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
