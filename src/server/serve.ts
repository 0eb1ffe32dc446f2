import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { RunningAgent, Scheduler } from '../agents/scheduler/scheduler.ts';
import { type Configuration, secretsIn } from '../config/index.ts';
import { unloadedText } from '../config/modules/files.ts';
import type { ProjectPaths } from '../config/project/locate.ts';
import { openWebhookRegistry, type WebhookRegistry } from '../config/registry.ts';
import type { Engine } from '../deliveries/engine.ts';
import { usageError } from '../errors.ts';
import { closeGently, listenOrExplain } from '../lib/http/listen.ts';
import { boundHeap } from '../lib/process/heap.ts';
import { coalesce } from '../lib/time-slicer.ts';
import type { Services } from '../services.ts';
import { type ClaudeState, sessionCommand } from '../tasks/claude/index.ts';
import { followClaude } from '../tasks/follow.ts';
import { repairFiles } from '../tasks/sync.ts';
import { isProbe } from '../tunnels/prober.ts';
import { newRelayKey } from '../tunnels/relay.ts';
import type { Snapshot } from '../types.ts';
import { addressOf, type ServeOptions, startDetails } from './address.ts';
import {
  agentProblems,
  type Scheduled,
  secretVariables,
  serveAgents,
  serveNotifications,
  serveSchedules,
} from './agents.ts';
import { openServeAudit } from './audit.ts';
import { serveDecisions } from './checks/posts.ts';
import { serveConnections } from './connect/follow.ts';
import { connectParts } from './connect/parts.ts';
import { recordAnswerTimes } from './dashboard/answer-times.ts';
import { gatherRefusals, type ServeListener, type ServeStart } from './events.ts';
import { clientFinder } from './ingress/client-address.ts';
import { serveHandshakes } from './ingress/handshakes.ts';
import { createIngress, receiver } from './ingress/ingress.ts';
import type { SlackSocketStatus } from './ingress/slack-socket.ts';
import { unroutedRecorder } from './ingress/unrouted.ts';
import { openFeed } from './live/feed.ts';
import { listenOnSocket, openManagement } from './management.ts';
import { createMetrics } from './metrics.ts';
import { permissionsOf } from './permissions.ts';
import { type LastingProblem, lastingProblem, storedProblems, watchProblems } from './problems.ts';
import { openServeRecovery } from './recovery/index.ts';
import { type Retention, serveRetention } from './retention.ts';
import { serveMachines } from './shared/machines.ts';
import { endpointUrl, publicEndpoint, type RunningFacts } from './status.ts';
import { openServeTunnel, requireReachable, type ServeTunnel, tunnelSecrets } from './tunnel.ts';
import { workspacesOf } from './workspaces/index.ts';

export interface Serving {
  /** Agents that work now. */
  running(): readonly RunningAgent[];
  /** Starts no more agents; resolves when those that work have ended by themselves. */
  drain(): Promise<void>;
}

/** Time for running requests to end when serving ends. */
const GRACE_MS = 7_000;

/**
 * Opens everything that serves, in this order: configuration, the folder's lock, store and queue, management, ingress, so
 * that no request arrives before it can be stored; the tunnel last. All of it closes with the services. `listen` hears of
 * everything that happens from then on. Throws `in_use`, `port_in_use`, `usage` or `ConfigError`.
 */
export async function serve(
  services: Services,
  options: ServeOptions,
  listen: ServeListener,
): Promise<Serving> {
  const { clock, redactor, env } = services;
  const configuration = await services.configuration({ createMissing: true, runModules: true });
  const address = addressOf(configuration.project, options);
  const insecure = insecureWebhooks(options.insecure, configuration.snapshot);
  if (address.tunnel !== null) requireReachable(address.host);
  redactor.learn('tunnel', () => tunnelSecrets(address.tunnel, env));

  const held = await services.hold('serve');

  const metrics = createMetrics();
  services.defer(metrics.close);
  const listeners: ServeListener[] = [metrics.listen, listen];
  const emit: ServeListener = (event) => {
    for (const hear of listeners) hear(event);
  };
  const broken = (error: unknown) => emit({ type: 'broken', error });

  let inForce = () => configuration.snapshot;
  const learnSecrets = () => redactor.learn('configuration', () => secretsIn(inForce(), configuration));
  const live = await openWebhookRegistry({
    configuration,
    env,
    report(change) {
      learnSecrets();
      void fetchKeys(inForce(), services.located);
      emit({ type: 'reloaded', change });
    },
  });
  services.defer(live.close);
  // A change that came while it opened was reported before.
  inForce = live.current;
  learnSecrets();
  await fetchKeys(inForce(), services.located);
  const relayKey = newRelayKey();
  const engine = await services.engine({
    configuration,
    insecure,
    relayKey,
    snapshot: live.current,
    onResult: (result) => emit({ type: 'delivery', result }),
    onOutgoing: (item) => emit({ type: 'outgoing', item }),
  });
  const { store, claude } = engine.context;
  const permissions = () => permissionsOf(live.current(), configuration);
  const audit = openServeAudit({ services, store, permissions, emit });
  services.defer(audit.close);
  const feed = openFeed({ store, now: clock.now, redact: redactor.redact });
  listeners.push(audit.listen, feed.listen);
  const problems = problemsOf({ services, configuration, live, engine, insecure, socket: () => slackSocket });

  let tunnel: ServeTunnel | null = null;
  let scheduled: Scheduled | null = null;
  let slackSocket: SlackSocketStatus | null = null;
  const facts = (): RunningFacts => ({
    pid: services.pid,
    startedAt: held.holder.startedAt,
    ingressUrl: `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${portOf(ingress)}`,
    publicUrl: address.publicUrl,
    tunnel: tunnel?.current() ?? null,
    managementUrl: `http://127.0.0.1:${portOf(management)}`,
    queueDepth: engine.queue.depth(),
    revision: live.revision(),
    claudeTasks: taskListText(claude.state),
    slackSocket,
  });
  const secretNames = () => secretVariables(configuration, live.current());
  const workspaces = workspacesOf({
    ...{ services, configuration, store, secretNames },
    managementPort: () => portOf(management),
    report: (text) => emit({ type: 'workspace', text }),
  });
  const connect = connectParts({
    ...{ services, engine, reload: live.reload },
    publicUrlOf: (endpoint) => publicEndpoint(facts(), endpoint),
  });
  const handshakes = serveHandshakes({
    ...{ services, live, context: engine.context },
    answered: (handshake) => emit({ type: 'handshake', handshake }),
  });
  const { server: management, access } = await openManagement({
    ...{ services, engine, live, emit, metrics, facts, feed, handshakes, workspaces, connect },
    schedules: configuration.schedules,
    schedulesChanged: () => scheduled?.wake(),
    recover: (order) => recovery.recover(order),
    ...{ agents: configuration.agents, limits: configuration.project.runs },
    problems: () => problems().map(({ text }) => text),
  });

  let retention: Retention | null = null;
  const unrecorded = gatherRefusals(emit);
  services.defer(unrecorded.close);
  const receive = receiver({
    ...engine,
    received(receipt) {
      emit({ type: 'received', receipt });
      if (receipt.recorded) retention?.stored(receipt.size);
      else unrecorded.add();
    },
  });
  const recovery = openServeRecovery({
    ...{ services, connect, receive, emit },
    everyMs: configuration.project.recover.every,
    hasTunnel: address.tunnel !== null,
  });
  const ingress = createIngress({
    snapshot: live.current,
    publicUrl: (endpoint) => endpointUrl(facts(), endpoint),
    receive,
    onRefused: unroutedRecorder({
      context: engine.context,
      managementUrl: () => facts().managementUrl,
      written: (row) => emit({ type: 'unrouted', row }),
      uncounted: unrecorded.add,
      broken,
    }),
    onAnswered: metrics.answered,
    clientOf: clientFinder(configuration.project.ingress.trustedProxy),
    handshakes,
    acceptProbe: (path, headers) =>
      tunnel?.acceptProbe(path, headers) || isProbe(path, headers, Buffer.from(relayKey)),
    onError: broken,
  });

  const closing = closedTogether(services);
  closing.push(() => closeGently([ingress, management], GRACE_MS), access.mcp.close, recovery.close);
  closing.push(async () => feed.close());
  listeners.push(recovery.listen);
  const { managementPort: wantedPort, managementSocket, host, port, publicUrl } = address;
  await listenOrExplain(management, { host: '127.0.0.1', port: wantedPort, flag: '--management-port' });
  if (managementSocket !== null) closing.push(await listenOnSocket(management, managementSocket, services));
  const ingressPort = await listenOrExplain(ingress, { host, port, flag: '--port' });

  const { pauseWhenStopped } = configuration.project.connect;
  const connections = serveConnections({ context: connect, emit, pauseWhenStopped, broken });
  listeners.push(connections.listen);
  if (address.tunnel !== null) {
    const report = (status: ReturnType<ServeTunnel['current']>) => emit({ type: 'tunnel', status });
    tunnel = openServeTunnel(services, { settings: address.tunnel, ingressPort, relayKey, report });
    closing.push(tunnel.close);
  }
  await store.probe();
  // A client that finds the server by this may ask it at once, so that all of its facts have to be known.
  const managementPort = portOf(management);
  const server = { ingressHost: host, ingressPort, managementPort, managementSocket, publicUrl, relayKey };
  held.lock.describe({ ...held.holder, server });

  if (configuration.slackSocket !== null) {
    const { serveSlackSocket } = await import('./ingress/slack-socket.ts');
    const socket = serveSlackSocket({
      settings: configuration.slackSocket,
      ...{ snapshot: live.current, receive, broken, now: clock.now },
      report(status) {
        slackSocket = status;
        emit({ type: 'slack', status });
      },
    });
    closing.push(socket.close);
  }

  closing.push(...followTaskFiles(services, engine, emit));
  retention = serveRetention(
    engine.context,
    { ...configuration.project.retention, owners: configuration.project.owners },
    broken,
  );
  closing.push(retention.close);
  // Before a task can come in: what is queued for an agent that is new waits for a person.
  await store.noteAgents([...configuration.agents.byName.keys()], clock.now());
  const scheduler = serveAgents({
    ...{ services, engine, configuration, secretNames, emit },
    environments: access.runs,
    workspaces: await workspaces(),
  });
  closing.push(scheduler.close);
  listeners.push(wakingAt(scheduler));
  const notifications = await serveNotifications(services, engine, configuration, emit);
  if (notifications !== null) {
    listeners.push(notifications.listen);
    closing.push(notifications.close);
  }
  const answerTimes = recordAnswerTimes({ store, now: clock.now, times: metrics.ack, broken });
  closing.push(answerTimes.close);
  scheduled = serveSchedules(engine.context, configuration.schedules, emit);
  closing.push(scheduled.close);
  for (const shown of serveDecisions(services, engine, emit)) {
    closing.push(shown.close);
    listeners.push(shown.listen);
  }
  const watch = watchProblems({ look: problems, found: (text) => emit({ type: 'problem', text }), broken });
  closing.push(async () => watch.close());

  const { enabled, list } = configuration.project.claudeTasks;
  const start: ServeStart = {
    facts,
    webhooks: live.current().webhooks,
    problems: problems().map(({ text }) => text),
    accounts: configuration.accounts,
    apps: engine.context.apps.list(),
    listWanted: enabled,
    sessionCommand: enabled && claude.state.on ? sessionCommand(list) : null,
    granted: await audit.started(startDetails(options, address)),
    recovered: engine.queue.recover(),
  };
  const machines = serveMachines({ services, engine, scheduler, emit });
  listeners.push(machines.listen);
  closing.push(machines.close);
  // Before the sockets close: what is sent from then on would be lost.
  services.defer(connections.close);
  emit({ type: 'ready', start });
  recovery.begin();
  // From here on: while it starts, most of what fills the heap stays.
  services.defer(boundHeap());
  await preload();
  return scheduler;
}

/** Keys of the last run are known at once; others come in the background, before the first request needs one. */
async function fetchKeys({ webhooks }: Snapshot, { dataFolder }: ProjectPaths): Promise<void> {
  const file = join(dataFolder, 'sender-keys.json');
  const used = webhooks.filter(({ enabled }) => enabled);
  await Promise.all(used.map(({ provider }) => provider.prepare?.(file)));
}

type Close = () => Promise<unknown>;

/** What is pushed closes with the services, all at once: each may take seconds, and a supervisor waits ten for all of it. */
function closedTogether(services: Services): Close[] {
  const closing: Close[] = [];
  services.defer(async () => {
    await Promise.all(closing.map((close) => close()));
  });
  return closing;
}

/** Wakes the scheduler when a task was made or has moved. */
function wakingAt({ wake }: Scheduler): ServeListener {
  const wakeOnce = coalesce(wake);
  return (event) => {
    if (event.type === 'task' || (event.type === 'delivery' && !event.result.quiet)) wakeOnce();
  };
}

/**
 * Repairs Claude's files and follows them from then on. Not before the sockets listen: what a killed process left may
 * take seconds to repair, and senders do not wait.
 */
function followTaskFiles(
  { located }: Services,
  { context, outbox }: Engine,
  emit: ServeListener,
): readonly Close[] {
  const broken = (error: unknown) => emit({ type: 'broken', error });
  const repaired = repairFiles(context).catch(broken);
  const follower = followClaude(context, {
    where: located.dataFolder,
    broken,
    changed(task) {
      outbox.wake();
      emit({ type: 'task', task });
    },
  });
  return [() => repaired, follower.close];
}

interface ProblemParts {
  readonly services: Services;
  readonly configuration: Configuration;
  readonly live: WebhookRegistry;
  readonly engine: Engine;
  readonly insecure: ReadonlySet<string>;
  readonly socket: () => SlackSocketStatus | null;
}

/** Everything that is not as it should be, asked anew each time. */
function problemsOf({ services, configuration, live, engine, insecure, socket }: ProblemParts) {
  const { store } = engine.context;
  const folder = dirname(configuration.source.file);
  return (): readonly LastingProblem[] => [
    ...[
      ...store.problems,
      ...live.problems(),
      ...agentProblems(configuration, engine.context.apps),
      ...[...insecure].map(insecureWarning),
    ].map(lastingProblem),
    // `serve` printed each when it was seen.
    ...live
      .unloaded()
      .map((file) => ({ ...lastingProblem(unloadedText(file, folder)), printed: true as const })),
    ...slackProblems(socket()),
    ...storedProblems({ store, now: services.clock.now() }),
  ];
}

/** `serve` printed it when it happened. */
function slackProblems(socket: SlackSocketStatus | null): readonly LastingProblem[] {
  if (socket?.phase !== 'stopped') return [];
  return [{ ...lastingProblem(`Slack Socket Mode is off: ${socket.reason}`), printed: true }];
}

function insecureWarning(name: string): string {
  return `${name} accepts everything unverified (--insecure-no-verify); it can run no program and post nothing`;
}

function insecureWebhooks(names: readonly string[], { byName }: Snapshot): ReadonlySet<string> {
  const unknown = names.find((name) => !byName.has(name));
  if (unknown === undefined) return new Set(names);
  const known = [...byName.keys()].join(', ');
  throw usageError(`--insecure-no-verify: there is no webhook ${unknown}`, `Known: ${known}.`);
}

/**
 * Reads the packages that requests and replies need later. With every file descriptor in use, a package that is read
 * only then can't be read, and Node remembers the failure for as long as the process lives.
 */
async function preload(): Promise<void> {
  await Promise.all([import('undici'), import('proper-lockfile')]);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function taskListText(state: ClaudeState): string {
  if (!state.on) return `off: ${state.reason}`;
  return state.listDir ?? `records only, in ${state.tasksDir}`;
}
