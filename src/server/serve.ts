import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Accounts } from '../config/accounts.ts';
import { usageError } from '../errors.ts';
import { closeGently, listenOrExplain } from '../lib/http/listen.ts';
import type { Services } from '../services.ts';
import { type ClaudeState, sessionCommand } from '../tasks/claude/index.ts';
import { newRelayKey } from '../tunnels/tunnel.ts';
import type { Headers, Snapshot, Webhook } from '../types.ts';
import { placeOf, type ServeOptions, startDetails } from './address.ts';
import type { ServeReporter } from './events.ts';
import { createMetrics } from './metrics.ts';
import { type Begun, openWork, type Work } from './serve-work.ts';
import type { RunningFacts } from './status.ts';
import { openServeTunnel, requireReachable, type ServeTunnel, tunnelSecrets } from './tunnel.ts';

/**
 * Reads the packages that requests and replies need later. With every file descriptor in use, a package that is read
 * only then can't be read, and Node remembers the failure for as long as the process lives.
 */
async function preload(): Promise<void> {
  await Promise.all([import('undici'), import('proper-lockfile')]);
}

export interface Serving extends Begun {
  readonly facts: () => RunningFacts;
  readonly running: Work['running'];
  readonly drain: Work['drain'];
  readonly webhooks: readonly Webhook[];
  readonly problems: readonly string[];
  /** Who hookctl is where it answers. */
  readonly accounts: Accounts;
  /** Tasks are meant to appear in Claude Code's list. */
  readonly listWanted: boolean;
  /** The line that opens a Claude Code session on the task list; null when there is no list. */
  readonly sessionCommand: string | null;
}

/** Time for running requests to end when serving ends. */
const GRACE_MS = 7_000;

/**
 * Opens everything that serves: the folder's lock, configuration, store and queue, then management, then the ingress,
 * so that no request arrives before it can be stored; the tunnel last. All of it closes with the app. Throws
 * `in_use`, `port_in_use`, `usage` or `ConfigError`.
 */
export async function serve(app: Services, options: ServeOptions, reporter: ServeReporter): Promise<Serving> {
  const configuration = await app.configuration({ createMissing: true, runModules: true });
  const { claudeTasks } = configuration.project;
  const place = placeOf(configuration.project, options);
  const insecure = insecureWebhooks(options.insecure, configuration.snapshot);
  if (place.tunnel !== null) requireReachable(place.host);
  app.redactor.learn('tunnel', () => tunnelSecrets(place.tunnel, app.env));

  const held = await app.hold('serve');
  const metrics = createMetrics();
  app.defer(metrics.close);
  const relayKey = newRelayKey();
  let tunnel: ServeTunnel | null = null;

  const facts = (): RunningFacts => ({
    pid: app.pid,
    startedAt: held.holder.startedAt,
    ingressUrl: `http://${place.host.includes(':') ? `[${place.host}]` : place.host}:${portOf(work.ingress)}`,
    publicUrl: place.publicUrl,
    tunnel: tunnel?.current() ?? null,
    managementUrl: `http://127.0.0.1:${portOf(work.management)}`,
    queueDepth: work.engine.queue.depth(),
    revision: work.live.revision(),
    claudeTasks: whereTasksStand(work.engine.context.claude.state),
  });
  const acceptProbe = (path: string, headers: Headers) => tunnel?.acceptProbe(path, headers) ?? false;
  const work = await openWork({
    ...{ app, configuration, insecure, relayKey, reporter, metrics, facts, acceptProbe },
  });

  const outside = closedTogether(app);
  outside.push(() => closeGently([work.ingress, work.management], GRACE_MS), work.end);
  await listenOrExplain(work.management, {
    host: '127.0.0.1',
    port: place.managementPort,
    flag: '--management-port',
  });
  const ingressPlace = { host: place.host, port: place.port, flag: '--port' };
  const ingressPort = await listenOrExplain(work.ingress, ingressPlace);
  if (place.tunnel !== null) {
    tunnel = openServeTunnel(app, { settings: place.tunnel, ingressPort, relayKey, report: reporter.tunnel });
    outside.push(tunnel.close);
  }
  await Promise.all([preload(), work.engine.context.store.probe()]);
  // Who finds the server by this may ask it at once, so that everything it tells has to be there.
  const { host: ingressHost, publicUrl } = place;
  const managementPort = portOf(work.management);
  const server = { ingressHost, ingressPort, managementPort, publicUrl, relayKey };
  held.lock.describe({ ...held.holder, server });

  const begun = await work.begin(startDetails(options, place));
  return {
    ...begun,
    facts,
    running: work.running,
    drain: work.drain,
    webhooks: work.live.current().webhooks,
    problems: work.problems(),
    accounts: configuration.accounts,
    listWanted: claudeTasks.enabled,
    sessionCommand:
      claudeTasks.enabled && work.engine.context.claude.state.on ? sessionCommand(claudeTasks.list) : null,
  };
}

type Close = () => Promise<unknown>;

/** What is pushed is closed with the app, all at once: each may take seconds, and a supervisor waits ten for all of it. */
function closedTogether(app: Services): Close[] {
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

function whereTasksStand(state: ClaudeState): string {
  if (!state.on) return `off: ${state.reason}`;
  return state.listDir ?? `records only, in ${state.tasksDir}`;
}
