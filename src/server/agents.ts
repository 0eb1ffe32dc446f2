import { dirname } from 'node:path';
import type { RunEnvironments } from '../agents/runner.ts';
import { type Scheduler, startScheduler } from '../agents/scheduler/scheduler.ts';
import type { Workspaces } from '../agents/workspace/workspaces.ts';
import type { Configuration } from '../config/index.ts';
import type { Engine } from '../deliveries/engine.ts';
import type { GithubApps } from '../github-app/apps.ts';
import { pause } from '../lib/time.ts';
import { coalesce } from '../lib/time-slicer.ts';
import type { Services } from '../services.ts';
import { listOf } from '../tasks/claude/lists.ts';
import type { TaskContext } from '../tasks/sync.ts';
import { OPERATOR, PERMISSION_AGENT, type Schedule, type Snapshot } from '../types.ts';
import type { ServeListener } from './events.ts';

interface ServeAgentsOptions {
  readonly services: Services;
  readonly engine: Engine;
  readonly configuration: Configuration;
  readonly secretNames: () => ReadonlySet<string>;
  readonly workspaces: Workspaces;
  readonly emit: ServeListener;
  /** By which runs speak to this server. */
  readonly environments: RunEnvironments;
}

/** Runs agents on tasks for as long as the server runs. */
export function serveAgents(options: ServeAgentsOptions): Scheduler {
  const { services, engine, configuration, secretNames, workspaces, emit, environments } = options;
  const { project, agents } = configuration;
  const { located, env, redactor } = services;
  return startScheduler({
    ...engine.context,
    agents,
    limits: project.runs,
    prices: project.prices,
    projectFolder: located.projectFile === null ? services.cwd : dirname(located.projectFile),
    dataFolder: located.dataFolder,
    env,
    secretNames,
    workspaces,
    taskListOf: (owner) =>
      project.claudeTasks.enabled
        ? listOf({ list: project.claudeTasks.list, owners: project.owners }, owner)
        : null,
    environments,
    redact: redactor.redact,
    report: {
      run(run) {
        // Its end may have put a comment there, also where the task itself stays as it is.
        engine.outbox.wake();
        emit({ type: 'run', run });
      },
      progress: (run, text) => emit({ type: 'progress', run, text }),
      budget: (reason) => emit({ type: 'budget', reason }),
      held: (reason) => emit({ type: 'held', reason }),
      broken: (error) => emit({ type: 'broken', error }),
      task(task) {
        engine.outbox.wake();
        emit({ type: 'task', task });
      },
    },
  });
}

/** Variables with secrets of hookctl, also of dynamic webhooks, which come and go: a secret's source begins with its variable. */
export function secretVariables(
  { agents }: Pick<Configuration, 'agents'>,
  { webhooks }: Snapshot,
): ReadonlySet<string> {
  return new Set([
    ...agents.secretNames,
    ...webhooks.map(({ secretSource }) => secretSource.split(' ')[0] ?? ''),
  ]);
}

/** What keeps agents from running, for the user to see. */
export function agentProblems(
  { agents, repositories }: Pick<Configuration, 'agents' | 'repositories'>,
  apps: Pick<GithubApps, 'list'>,
): readonly string[] {
  const wanting = [...agents.byName.values()].find(({ options }) => options.github !== false);
  const noApp =
    wanting === undefined || apps.list().length > 0
      ? []
      : [
          `agents.${wanting.name}.github: there is no GitHub App whose tokens git could get. Make one: hookctl connect github --app`,
        ];
  const missing = [...agents.missing, ...(agents.byName.size === 0 ? [] : repositories.missing)];
  return [...missing.map(({ field, message, fix = '' }) => `${field}: ${message}. ${fix}`), ...noApp];
}

export interface Scheduled {
  /** Looks again: a schedule was paused or resumed. */
  wake(): void;
  close(): Promise<void>;
}

/** Makes the tasks of schedules as they come due, for as long as the server runs. */
export function serveSchedules(
  context: TaskContext,
  schedules: readonly Schedule[],
  emit: ServeListener,
): Scheduled {
  const stop = new AbortController();
  let wakened = Promise.withResolvers<void>();
  const looks = async () => {
    if (schedules.length === 0) return;
    const { runDue } = await import('../tasks/schedules.ts');
    while (!stop.signal.aborted) {
      wakened = Promise.withResolvers();
      const rest = await runDue(context, schedules, {
        task: (task) => emit({ type: 'task', task }),
        skipped: (text) => emit({ type: 'schedule', text }),
      }).catch((error: unknown) => {
        emit({ type: 'broken', error });
        return RETRY_MS;
      });
      await Promise.race([wakened.promise, pause(rest, stop.signal)]);
    }
  };
  const running = looks();
  return {
    wake: coalesce(() => wakened.resolve()),
    async close() {
      stop.abort();
      await running;
    },
  };
}

/** After a look that failed, in milliseconds. */
const RETRY_MS = 5_000;

interface ServedNotifications {
  readonly listen: ServeListener;
  close(): Promise<void>;
}

/** Tasks that wait at a start and are looked at for their posts. */
const MOST_WAITING = 100;

/** Tells people what `notify:` of webhooks.yml names; null where it names nothing. */
export async function serveNotifications(
  services: Services,
  { context, outbox }: Engine,
  { project, accounts }: Configuration,
  emit: ServeListener,
): Promise<ServedNotifications | null> {
  if (project.notify.length === 0) return null;
  const [{ createNotifications }, { createTransport }] = await Promise.all([
    import('../notifications/index.ts'),
    import('../outbox/transport.ts'),
  ]);
  const { located, cwd, env, redactor } = services;
  const transport = createTransport();
  const notifications = createNotifications({
    ...{ transport, env, redact: redactor.redact, ways: project.notify },
    projectFolder: located.projectFile === null ? cwd : dirname(located.projectFile),
    slack: accounts.byProvider.get('slack') ?? null,
    async post(item) {
      const { ids, store, clock } = context;
      const owner = (item.buttonsOf == null ? null : store.task(item.buttonsOf))?.owner ?? OPERATOR;
      await store.addPost({ id: ids.next('out'), ...item }, { provider: 'slack', owner }, clock.now());
      outbox.wake();
    },
    failed: (text) => emit({ type: 'problem', text }),
  });
  for (const task of context.store.tasks({ status: 'waiting_approval', limit: MOST_WAITING })) {
    // The run that asked for a permission has ended with the server.
    if (task.agent === PERMISSION_AGENT) continue;
    const posts = context.store.postsWithButtons(task.id);
    notifications.missed(task, new Set(posts.map(({ place }) => place.channel ?? '')));
  }
  return {
    listen(event) {
      if (event.type === 'task') notifications.task(event.task);
      else if (event.type === 'delivery') event.result.tasks.forEach(notifications.task);
      else if (event.type === 'budget') notifications.budget(event.reason);
      else if (event.type === 'held') notifications.budget(`Runs are held: ${event.reason}`);
    },
    async close() {
      await notifications.close();
      await transport.close();
    },
  };
}
