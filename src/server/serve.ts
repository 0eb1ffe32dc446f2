import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App } from '../app.ts';
import type { Accounts } from '../config/accounts.ts';
import { openLive } from '../config/live.ts';
import { secretsIn } from '../config/snapshot.ts';
import { usageError } from '../errors.ts';
import { oncePerTurn } from '../lib/once-per-turn.ts';
import type { Engine } from '../pipeline/engine.ts';
import { type Receipt, receive } from '../pipeline/receive.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { type ClaudeState, sessionCommand } from '../tasks/claude/index.ts';
import { followClaude } from '../tasks/follow.ts';
import { repairFiles } from '../tasks/repair.ts';
import type { RawRequest, Snapshot, Webhook } from '../types.ts';
import { agentGrants, type Grant } from './grants.ts';
import { createIngress } from './ingress.ts';
import { closeGently, listenOrExplain } from './listen.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { placeOf, type ServeOptions, startDetails } from './place.ts';
import { gatherRefusals, type ServeReporter } from './reporter.ts';
import { agentProblems, serveAgents, waking } from './serve-agents.ts';
import { openServeAudit, type ServeAudit } from './serve-audit.ts';
import { managementOf } from './serve-management.ts';
import { serveRetention } from './serve-retention.ts';
import type { RunningFacts } from './status.ts';
import { openServeTunnel, requireReachable, type ServeTunnel, tunnelSecrets } from './tunnel.ts';

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
  /** What may run, post or start now that could not when this folder was last served. */
  readonly granted: readonly Grant[];
}

/** Time for running requests to end when serving ends. */
const GRACE_MS = 7_000;

/**
 * Opens everything that serves: the folder's lock, configuration, store and queue, then management, then the ingress,
 * so that no request arrives before it can be stored; the tunnel last. All of it closes with the app. Throws
 * `in_use`, `port_in_use`, `usage` or `ConfigError`.
 */
export async function serve(app: App, options: ServeOptions, output: ServeReporter): Promise<Serving> {
  let scheduler: Scheduler | null = null;
  const reporter = waking(
    output,
    oncePerTurn(() => scheduler?.wake()),
  );
  const configuration = await app.configuration({ createMissing: true });
  const { claudeTasks } = configuration.project;
  const place = placeOf(configuration.project, options);
  const insecure = insecureWebhooks(options.insecure, configuration.snapshot);
  if (place.tunnel !== null) requireReachable(place.host);
  app.redactor.learn('tunnel', () => tunnelSecrets(place.tunnel, app.env));

  const held = await app.hold('serve');
  let audit: ServeAudit | null = null;
  const live = await openLive({
    configuration,
    env: app.env,
    report(change) {
      learnSecrets();
      audit?.reloaded(change);
      reporter.reloaded(change);
    },
  });
  const learnSecrets = () =>
    app.redactor.learn('configuration', () => secretsIn(live.current(), configuration.accounts));
  app.defer(live.close);
  const metrics = createMetrics();
  app.defer(metrics.close);
  const engine = await app.engine({
    configuration,
    insecure,
    snapshot: live.current,
    onSettled(settled) {
      metrics.settled(settled.delivery);
      audit?.settled(settled);
      reporter.settled(settled);
    },
    onOutgoing: reporter.sent,
  });
  const { relayKey } = engine.context;
  const problems = () => [
    ...live.problems(),
    ...agentProblems(configuration),
    ...[...insecure].map(insecureWarning),
  ];

  let tunnel: ServeTunnel | null = null;
  const ingress = createIngress({
    snapshot: live.current,
    receive: receiver(app, engine, reporter, metrics),
    onAnswered: metrics.answered,
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
  const { server: management, access } = await managementOf({
    app,
    engine,
    live,
    reporter,
    metrics,
    facts,
    problems,
  });
  audit = openServeAudit({
    app,
    store: engine.context.store,
    live,
    files: configuration.files,
    agents: agentGrants(configuration.project.agents),
    onGranted: reporter.granted,
    broken: reporter.broken,
  });
  app.defer(audit.close);

  const outside = closedTogether(app);
  outside.push(() => closeGently([ingress, management], GRACE_MS), access.mcp.close);
  await listenOrExplain(management, {
    host: '127.0.0.1',
    port: place.managementPort,
    flag: '--management-port',
  });
  const ingressPort = await listenOrExplain(ingress, { host: place.host, port: place.port, flag: '--port' });
  outside.push(...mindTaskFiles(app, engine, reporter));
  outside.push(serveRetention(engine.context, configuration.project.retention, reporter.broken).close);
  scheduler = serveAgents({ app, engine, configuration, live, reporter, environments: access.runs });
  outside.push(scheduler.close);
  if (place.tunnel !== null) {
    tunnel = openServeTunnel(app, { settings: place.tunnel, ingressPort, relayKey, report: reporter.tunnel });
    outside.push(tunnel.close);
  }
  // Who finds the server by this may ask it at once, so that everything it tells has to be there.
  const { host: ingressHost, publicUrl } = place;
  const server = { ingressHost, ingressPort, managementPort: portOf(management), publicUrl, relayKey };
  held.lock.describe({ ...held.holder, server });

  const granted = await audit.started(startDetails(options, place));

  return {
    facts,
    granted,
    webhooks: live.current().webhooks,
    problems: problems(),
    accounts: configuration.accounts,
    sessionCommand: claudeTasks.enabled ? sessionCommand(claudeTasks.list) : null,
    recovered: engine.queue.recover(),
  };
}

/** Steps 1–5 for the ingress; what is to be worked off goes into the queue and is not waited for. */
function receiver(app: App, { context, queue }: Engine, reporter: ServeReporter, metrics: Metrics) {
  const unrecorded = gatherRefusals(reporter.refused);
  app.defer(unrecorded.close);
  return async (webhook: Webhook, request: RawRequest): Promise<Receipt> => {
    queue.requireRoom();
    const receipt = await receive(context, webhook, request);
    metrics.received(receipt);
    if (receipt.recorded) reporter.received(receipt);
    else unrecorded.add();
    const { deliveryId: id, externalId, status } = receipt;
    if (status === 'pending')
      void queue.push({ id, externalId, attempts: 0, nextAttemptAt: null }, receipt.arrived);
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
