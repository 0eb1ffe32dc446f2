import type { Configuration } from '../config/index.ts';
import { HookctlError } from '../errors.ts';
import { type GithubApps, openGithubApps } from '../github-app/apps.ts';
import { TryLater } from '../github-app/client.ts';
import type { IdSource } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import { coalesce } from '../lib/time-slicer.ts';
import type { FoundAccount } from '../outbox/plan.ts';
import { createTransport } from '../outbox/transport.ts';
import { createOutbox, type Outbox, type OutboxOptions } from '../outbox/worker.ts';
import { hookctlVersion } from '../package-root.ts';
import { loadProvider } from '../providers/index.ts';
import { openStore } from '../store/local/index.ts';
import { databasePath } from '../store/local/sqlite.ts';
import type { Address } from '../store/postgres/client.ts';
import type { Store } from '../store/store.ts';
import { type ClaudeTasksOptions, claudeConfigDir } from '../tasks/claude/index.ts';
import { openClaudeLists } from '../tasks/claude/lists.ts';
import { newRelayKey } from '../tunnels/relay.ts';
import type { Outgoing, Snapshot, ThreadRef } from '../types.ts';
import type { DispatchResult, PipelineContext } from './context.ts';
import { createQueue, type Queue } from './queue.ts';
import { createLimits } from './rules/limits.ts';
import { createHints } from './verify.ts';

export interface EngineOptions {
  readonly configuration: Configuration;
  /** The webhooks in force; asked anew for every request. */
  readonly snapshot: () => Snapshot;
  readonly insecure: ReadonlySet<string>;
  /** Called with every delivery whose outcome was recorded. */
  readonly onResult: (result: DispatchResult) => void;
  /** Called with everything that was sent or given up. */
  readonly onOutgoing?: (item: Outgoing) => void;
  /** Proves requests of hookctl's own relay clients; default a new one. */
  readonly relayKey?: string;
}

/** The parts that write: store, task files, queue, outbox. One for each data folder. */
export interface Engine {
  readonly context: PipelineContext;
  readonly queue: Queue;
  readonly outbox: Outbox;
  close(): Promise<void>;
}

interface EngineEnvironment {
  /** The database that holds the store; default: the data folder does. */
  readonly database?: Address | null;
  readonly dataFolder: string;
  /** The folder that the user works in, shown by viewers of the task list. */
  readonly projectFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Removes secrets from texts before they are stored. */
  readonly redact: (text: string) => string;
  /** Learns secrets that are made while it works. */
  readonly learn?: (origin: string, secrets: () => Iterable<string>) => void;
}

/** Opens the parts. The caller holds the folder's lock. */
export async function openEngine(options: EngineOptions & EngineEnvironment): Promise<Engine> {
  const { configuration, snapshot, insecure, onResult, clock, ids } = options;
  const { ingress, loopGuard, runs, owners } = configuration.project;
  const store = await storeOf(options);
  const claude = await openClaudeLists({
    ...claudeOptions(configuration, options),
    owners,
    record: store.noteSync,
  });
  const { relayKey = newRelayKey() } = options;
  const stop = new AbortController();
  const { projectFolder, env } = options;
  const surroundings = { projectFolder, env, stopping: stop.signal };
  const { accounts } = configuration;
  const limits = createLimits(ingress.rateLimit, owners);
  const common = {
    store,
    clock,
    ids,
    claude,
    owners,
    mostChildren: runs.openChildren,
    snapshot,
    insecure,
    relayKey,
    limits,
    loopGuard,
    hints: createHints(clock),
  };
  const apps = openGithubApps({
    dataFolder: options.dataFolder,
    now: clock.now,
    userAgent: userAgent(),
    learn: (secrets) => options.learn?.('GitHub Apps', secrets),
  });
  const { repositories } = configuration;
  const context: PipelineContext = { ...common, accounts, apps, surroundings, repositories };
  const outbox = createOutbox(outboxOptions(context, options));
  const wakeOutbox = coalesce(outbox.wake);
  const reportResult = (result: DispatchResult) => {
    if (!result.quiet) wakeOutbox();
    onResult(result);
  };
  const queue = createQueue(context, { onResult: reportResult, random: Math.random });
  outbox.wake();
  return {
    context,
    queue,
    outbox,
    async close() {
      stop.abort();
      await queue.close();
      await outbox.close();
      await apps.close();
      await store.close();
    },
  };
}

/** PostgreSQL's client is loaded where it is used. */
async function storeOf({ database, dataFolder, redact }: EngineEnvironment): Promise<Store> {
  if (database == null) return openStore({ path: databasePath(dataFolder), redact });
  const { openPostgres } = await import('../store/postgres/index.ts');
  return openPostgres({ address: database, redact, folder: dataFolder });
}

function userAgent(): string {
  return `hookctl/${hookctlVersion()}`;
}

/** Which files of Claude Code the tasks of a project go to. */
export function claudeOptions(
  { project: { claudeTasks } }: Configuration,
  { env, home, projectFolder, clock }: Pick<EngineEnvironment, 'env' | 'home' | 'projectFolder' | 'clock'>,
): ClaudeTasksOptions {
  const { path, explicit } = claudeConfigDir(env, home);
  return {
    configDir: path,
    explicit,
    list: claudeTasks.list,
    listEnabled: claudeTasks.enabled,
    recordEnabled: claudeTasks.enabled && claudeTasks.record,
    project: projectFolder,
    now: clock.now,
  };
}

function outboxOptions(
  { store, clock, accounts, apps, snapshot }: PipelineContext,
  { onOutgoing = () => undefined, redact }: EngineOptions & Pick<EngineEnvironment, 'redact'>,
): OutboxOptions {
  return {
    store,
    now: clock.now,
    random: Math.random,
    userAgent: userAgent(),
    redact,
    transport: createTransport(),
    async channelOf(name) {
      // Of a webhook that is there no more, something may still wait to be sent.
      const used = snapshot().webhooks.find(({ providerName }) => providerName === name)?.provider;
      return (used ?? (await loadProvider(name)))?.reply ?? null;
    },
    async accountOf(provider, place) {
      const account = accounts.byProvider.get(provider);
      if (provider === 'github') {
        const asApp = await accountOfApp(apps, place, account !== undefined);
        if (asApp !== null) return asApp;
      }
      return (
        account ?? {
          missing: accounts.missing.get(provider) ?? `no account for ${provider}`,
          bare: accounts.bare.get(provider) ?? null,
        }
      );
    },
    onSettled: onOutgoing,
  };
}

/** The App's account where it is installed. Null where there is none, or another token has to do. */
async function accountOfApp(
  apps: GithubApps,
  place: ThreadRef,
  hasToken: boolean,
): Promise<FoundAccount | null> {
  try {
    return await apps.account(place);
  } catch (error) {
    if (error instanceof TryLater) {
      return { again: { result: 'again', reason: error.message, afterMs: error.afterMs, certain: true } };
    }
    if (hasToken && error instanceof HookctlError) return null;
    throw error;
  }
}
