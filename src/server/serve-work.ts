import type { Server } from 'node:http';
import { dirname } from 'node:path';
import type { RunningAgent, Scheduler } from '../agents/scheduler/scheduler.ts';
import type { Configuration } from '../config/index.ts';
import { type UnloadedFile, unloadedText } from '../config/modules/files.ts';
import { openWebhookRegistry, type WebhookRegistry } from '../config/registry.ts';
import { secretsIn } from '../config/snapshot.ts';
import type { Engine } from '../deliveries/engine.ts';
import { coalesce } from '../lib/time-slicer.ts';
import type { Services } from '../services.ts';
import { followClaude } from '../tasks/follow.ts';
import { repairFiles } from '../tasks/sync.ts';
import type { Headers, JsonObject } from '../types.ts';
import { agentProblems, serveAgents, waking } from './agents.ts';
import { openServeAudit, type ServeAudit } from './audit.ts';
import { gatherRefusals, type ServeReporter } from './events.ts';
import { createIngress, receiver } from './ingress/ingress.ts';
import { unroutedRecorder } from './ingress/unrouted.ts';
import { openManagement } from './management.ts';
import type { Metrics } from './metrics.ts';
import { agentGrants, type Grant } from './permissions.ts';
import { type LastingProblem, lastingProblem, storedProblems, watchProblems } from './problems.ts';
import { type Retention, serveRetention } from './retention.ts';
import type { RunningFacts } from './status.ts';

/** Everything that serves; its two servers do not listen yet. */
export interface Work {
  readonly ingress: Server;
  readonly management: Server;
  readonly engine: Engine;
  readonly live: WebhookRegistry;
  readonly problems: () => readonly string[];
  /** Follows files, runs agents, and takes up what is pending, once requests can come. `how`: for the audit. */
  begin(how: JsonObject): Promise<Begun>;
  /** Agents that work now. */
  running(): readonly RunningAgent[];
  /** Starts no more agents; resolves when those that work have ended by themselves. */
  drain(): Promise<void>;
  /** Ends what `begin` began; each part of it may take seconds. */
  end(): Promise<void>;
}

export interface Begun {
  /** Deliveries that were accepted before and not worked off. */
  readonly recovered: number;
  /** What may run, post or start now that could not when this folder was last served. */
  readonly granted: readonly Grant[];
}

interface WorkOptions {
  readonly app: Services;
  readonly configuration: Configuration;
  readonly insecure: ReadonlySet<string>;
  readonly relayKey: string;
  readonly reporter: ServeReporter;
  readonly metrics: Metrics;
  readonly facts: () => RunningFacts;
  readonly acceptProbe: (path: string, headers: Headers) => boolean;
}

/** Opens configuration, store and queue, and what answers on the two sockets. Throws `ConfigError`, or what the store says. */
export async function openWork(options: WorkOptions): Promise<Work> {
  const { app, configuration, insecure, relayKey, metrics, facts, acceptProbe } = options;
  let scheduler: Scheduler | null = null;
  const reporter = waking(
    options.reporter,
    coalesce(() => scheduler?.wake()),
  );
  let audit: ServeAudit | null = null;
  const live = await openWebhookRegistry({
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
  const engine = await app.engine({
    configuration,
    insecure,
    relayKey,
    snapshot: live.current,
    onResult(result) {
      metrics.settled(result.delivery);
      audit?.settled(result);
      reporter.settled(result);
    },
    onOutgoing: reporter.sent,
  });
  const textOf = (file: UnloadedFile) => unloadedText(file, dirname(configuration.source.file));
  const problemsNow = (): readonly LastingProblem[] => [
    ...[
      ...engine.context.store.problems,
      ...live.problems(),
      ...agentProblems(configuration),
      ...[...insecure].map(insecureWarning),
    ].map(lastingProblem),
    // `serve` printed each when it was seen.
    ...live.unloaded().map((file) => ({ ...lastingProblem(textOf(file)), printed: true as const })),
    ...storedProblems({ store: engine.context.store, now: app.clock.now() }),
  ];
  const problems = () => problemsNow().map(({ text }) => text);
  const unrecorded = gatherRefusals(reporter.refused);
  app.defer(unrecorded.close);
  const take = receiver({ ...engine, reporter, metrics, unrecorded });
  let retention: Retention | null = null;
  const ingress = createIngress({
    snapshot: live.current,
    async receive(webhook, request) {
      const receipt = await take(webhook, request);
      if (receipt.recorded) retention?.stored(receipt.size);
      return receipt;
    },
    onRefused: unroutedRecorder({
      context: engine.context,
      managementUrl: () => facts().managementUrl,
      written: reporter.unrouted,
      uncounted: unrecorded.add,
      broken: reporter.broken,
    }),
    onAnswered: metrics.answered,
    acceptProbe,
    onError: reporter.broken,
  });
  const { server: management, access } = await openManagement({
    agents: configuration.agents,
    services: app,
    engine,
    live,
    reporter,
    metrics,
    facts,
    problems,
  });
  const opened = openServeAudit({
    app,
    store: engine.context.store,
    live,
    files: configuration.files,
    agents: agentGrants(configuration.project.agents),
    onGranted: reporter.granted,
    broken: reporter.broken,
  });
  audit = opened;
  app.defer(opened.close);

  const ending: Close[] = [access.mcp.close];
  return {
    ingress,
    management,
    engine,
    live,
    problems,
    async begin(how) {
      ending.push(...mindTaskFiles(app, engine, reporter));
      retention = serveRetention(engine.context, configuration.project.retention, reporter.broken);
      ending.push(retention.close);
      // Before a task can come in: what is queued for an agent that is new waits for a person.
      await engine.context.store.noteAgents([...configuration.agents.byName.keys()], app.clock.now());
      scheduler = serveAgents({ app, engine, configuration, live, reporter, environments: access.runs });
      ending.push(scheduler.close);
      const watch = watchProblems({ look: problemsNow, found: reporter.problem, broken: reporter.broken });
      ending.push(async () => watch.close());
      return { granted: await opened.started(how), recovered: engine.queue.recover() };
    },
    running: () => scheduler?.running() ?? [],
    drain: async () => scheduler?.drain(),
    async end() {
      await Promise.all(ending.splice(0).map((close) => close()));
    },
  };
}

type Close = () => Promise<unknown>;

/**
 * Repairs Claude's files and follows them from then on. Not before the sockets listen: what a killed process left may
 * take seconds to repair, and senders do not wait.
 */
function mindTaskFiles(
  { located }: Services,
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

function insecureWarning(name: string): string {
  return `${name} accepts everything unverified (--insecure-no-verify); it can run no program and post nothing`;
}
