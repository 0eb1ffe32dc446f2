import type { Server } from 'node:http';
import type { App } from '../app.ts';
import { failure, type HookctlError, usageError } from '../errors.ts';
import { closeServer, listen } from '../lib/http-server.ts';
import { portOwner } from '../lib/port-owner.ts';
import type { Settled } from '../pipeline/context.ts';
import { type Receipt, receive } from '../pipeline/receive.ts';
import { type ClaudeState, sessionCommand } from '../tasks/claude/index.ts';
import type { Snapshot, Webhook } from '../types.ts';
import { createIngress } from './ingress.ts';
import { createManagement } from './management.ts';
import { localOperations } from './operations.ts';
import { type RunningFacts, statusView } from './status.ts';
import { ensureToken } from './token.ts';

export interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly managementPort?: number;
  readonly publicUrl?: string;
  readonly insecure: readonly string[];
}

/** Told of everything that happens while serving. */
export interface ServeReporter {
  received(receipt: Receipt): void;
  settled(settled: Settled): void;
  broken(error: unknown): void;
}

export interface Serving {
  readonly facts: () => RunningFacts;
  readonly webhooks: readonly Webhook[];
  readonly problems: readonly string[];
  /** The line that opens a Claude Code session on the task list; null when there is no list. */
  readonly sessionCommand: string | null;
  /** Deliveries that an earlier run had accepted and not worked off. */
  readonly recovered: number;
  /** Stops accepting, finishes what runs, closes; after `graceMs` open connections are cut. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens everything that serves: the folder's lock, store and queue, then management, then the ingress, so that no
 * request arrives before it can be stored. Throws `port_in_use`, `in_use` or `ConfigError`.
 */
export async function serve(app: App, options: ServeOptions, reporter: ServeReporter): Promise<Serving> {
  const configuration = await app.configuration({ createMissing: true });
  const { project, snapshot } = configuration;
  unknownWebhook(options.insecure, snapshot);
  const insecure = new Set(options.insecure);
  const engine = await app.engine('serve', {
    configuration,
    insecure,
    snapshot: () => snapshot,
    onSettled: reporter.settled,
  });
  const { context, queue } = engine;
  const problems = [...configuration.notices, ...warnings(snapshot.webhooks, insecure)];

  const ingress = createIngress({
    snapshot: () => snapshot,
    onError: reporter.broken,
    async receive(webhook, request) {
      const receipt = await receive(context, webhook, request);
      reporter.received(receipt);
      if (receipt.status === 'pending') {
        void queue.push({
          id: receipt.deliveryId,
          externalId: receipt.externalId,
          attempts: 0,
          nextAttemptAt: null,
        });
      }
      return receipt;
    },
  });
  let managementPort = options.managementPort ?? project.management.port;
  const management = createManagement({
    token: await ensureToken(app.located.dataFolder),
    operations: localOperations(context, queue, app.located.dataFolder),
    status: () =>
      statusView({
        ...app,
        ...app.located,
        server: facts(),
        store: context.store,
        webhooks: snapshot.webhooks,
        problems,
      }),
    port: () => managementPort,
    onError: reporter.broken,
  });
  const host = options.host ?? project.ingress.host;
  managementPort = await open(management, '127.0.0.1', managementPort, '--management-port');
  const ingressPort = await open(ingress, host, options.port ?? project.ingress.port, '--port').catch(
    async (error) => {
      await closeServer(management);
      throw error;
    },
  );

  const publicUrl = options.publicUrl ?? project.publicUrl ?? null;
  engine.lock.describe({
    ...engine.holder,
    server: { ingressHost: host, ingressPort, managementPort, publicUrl },
  });
  const facts = (): RunningFacts => ({
    pid: app.pid,
    startedAt: engine.holder.startedAt,
    ingressUrl: `http://${host.includes(':') ? `[${host}]` : host}:${ingressPort}`,
    publicUrl,
    managementUrl: `http://127.0.0.1:${managementPort}`,
    queueDepth: queue.depth(),
    claudeTasks: whereTasksStand(context.claude.state),
  });

  return {
    facts,
    webhooks: snapshot.webhooks,
    problems,
    sessionCommand: project.claudeTasks.enabled ? sessionCommand(project.claudeTasks.list) : null,
    recovered: queue.recover(),
    close: (graceMs) => shutDown([ingress, management], graceMs),
  };
}

function whereTasksStand(state: ClaudeState): string {
  if (!state.on) return `off: ${state.reason}`;
  return state.listDir ?? `records only, in ${state.tasksDir}`;
}

function unknownWebhook(insecure: readonly string[], snapshot: Snapshot): void {
  const name = insecure.find((each) => !snapshot.byName.has(each));
  if (name === undefined) return;
  const known = [...snapshot.byName.keys()].join(', ');
  throw usageError(`--insecure-no-verify: there is no webhook ${name}`, `Known: ${known}.`);
}

async function open(server: Server, host: string, port: number, flag: string): Promise<number> {
  try {
    return await listen(server, { host, port });
  } catch (error) {
    throw await portProblem(error, host, port, flag);
  }
}

async function portProblem(error: unknown, host: string, port: number, flag: string): Promise<HookctlError> {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') {
    return failure('listen', `can't listen on ${host}:${port}: ${message}`, {
      cause: error,
      fix: `Choose another with ${flag}.`,
    });
  }
  const owner = await portOwner(port);
  return failure('port_in_use', `port ${port} is taken${owner === null ? '' : ` by ${owner}`}`, {
    fix: `Choose another port: ${flag} ${port + 100}`,
  });
}

async function shutDown(servers: readonly Server[], graceMs: number): Promise<void> {
  const cut = setTimeout(() => servers.forEach((server) => server.closeAllConnections()), graceMs);
  await Promise.all(servers.map(closeServer));
  clearTimeout(cut);
}

function warnings(webhooks: readonly Webhook[], insecure: ReadonlySet<string>): readonly string[] {
  return webhooks
    .filter(({ enabled, name }) => enabled && insecure.has(name))
    .map(
      ({ name }) =>
        `${name} accepts everything unverified (--insecure-no-verify); it can run no program and post nothing`,
    );
}
