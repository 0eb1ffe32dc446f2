import { dirname } from 'node:path';
import type { DynamicWebhooks } from './config/dynamic/index.ts';
import type { Configuration } from './config/index.ts';
import { type Located, locate, prepareDataFolder } from './config/locate.ts';
import { failure } from './errors.ts';
import { type Clock, systemClock } from './lib/clock.ts';
import { createIds, type IdSource } from './lib/ids.ts';
import type { Io } from './lib/io.ts';
import { hookctlVersion } from './lib/version.ts';
import type { Engine, EngineOptions } from './pipeline/engine.ts';
import { lockFile } from './store/file-lock.ts';
import { databasePath, openReader } from './store/index.ts';
import { currentHolder, type FolderLock, type Holder, lockFolder } from './store/lock.ts';
import type { StoreReader } from './store/store.ts';

/** What a process brings along: everything outside that a command may touch. */
export interface Host {
  readonly io: Io;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly home: string;
  readonly pid: number;
  readonly stdin: NodeJS.ReadStream;
  readonly signals: Signals;
}

/** The signals by which a user ends a command. */
export interface Signals {
  /** Resolves with the first SIGINT or SIGTERM from now on; until then they no longer end the process. */
  next(): Promise<NodeJS.Signals>;
  /** Gives signals their usual effect back, and sends this one to the own process. */
  die(signal: NodeJS.Signals): void;
}

/** Flags that every command takes. */
export interface AppFlags {
  readonly config?: string;
}

/** Everything that a command works with. Costly parts are made when they are first asked for. */
export interface App extends Host {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly version: string;
  readonly located: Located;
  /** Reads and validates all configuration. `createMissing`: make the secrets that do not exist yet. */
  configuration(options?: { readonly createMissing: boolean }): Promise<Configuration>;
  /** The db of dynamic webhooks, for changes. */
  dynamic(): Promise<DynamicWebhooks>;
  /** The store, read-only; null while the data folder holds none. */
  reader(): StoreReader | null;
  /** The process that works on the data folder now. */
  holder(): Holder | null;
  /** Takes the data folder for this process and the command it runs. Throws `in_use` when another has it. */
  hold(command: string): Promise<HeldFolder>;
  /** Opens all that writes to the data folder, which this process holds. */
  engine(options: EngineOptions): Promise<Engine>;
  /** Has something else closed with the app. */
  defer(close: () => void | Promise<void>): void;
  /** Closes what was opened, last in first out. */
  close(): Promise<void>;
}

/** The data folder in the hands of this process, until the app closes. */
export interface HeldFolder {
  readonly lock: FolderLock;
  readonly holder: Holder;
}

/** The composition root. Throws `ConfigError` when the place of configuration or data can't be used. */
export async function createApp(host: Host, flags: AppFlags): Promise<App> {
  const { env, cwd, home } = host;
  const located = await locate({ cwd, env, home, configFlag: flags.config ?? null });
  const clock = systemClock;
  const ids = createIds(clock.now);
  const version = hookctlVersion();
  const closers: (() => void | Promise<void>)[] = [];
  let reader: StoreReader | null = null;
  let dynamic: Promise<DynamicWebhooks> | null = null;

  async function openDynamicDb(): Promise<DynamicWebhooks> {
    const { openDynamic } = await import('./config/dynamic/index.ts');
    const { loadFixed, known } = await configurationCode();
    return openDynamic({
      ...known,
      dataFolder: located.dataFolder,
      clock,
      ids,
      async lock(path, patienceMs) {
        await prepareDataFolder(located.dataFolder);
        return lockFile(path, patienceMs);
      },
      fixed: async () => (await loadFixed({ ...known, located, env, createMissing: false })).fixed,
    });
  }

  return {
    ...host,
    clock,
    ids,
    version,
    located,

    async configuration({ createMissing } = { createMissing: false }) {
      const { loadConfiguration, known } = await configurationCode();
      return loadConfiguration({ ...known, located, env, createMissing });
    },

    dynamic() {
      dynamic ??= openDynamicDb();
      return dynamic;
    },

    reader() {
      if (reader === null) {
        reader = openReader({ path: databasePath(located.dataFolder) });
        if (reader !== null) closers.push(reader.close);
      }
      return reader;
    },

    holder: () => currentHolder(located.dataFolder),

    async hold(command) {
      await prepareDataFolder(located.dataFolder);
      const holder: Holder = { pid: host.pid, command, version, startedAt: clock.now(), server: null };
      const taken = await lockFolder(located.dataFolder, holder);
      if (!taken.ok) throw inUse(located.dataFolder, taken.holder);
      closers.push(taken.lock.release);
      return { lock: taken.lock, holder };
    },

    async engine(options) {
      const projectFolder = located.projectFile === null ? cwd : dirname(located.projectFile);
      const surroundings = { dataFolder: located.dataFolder, projectFolder, env, home, clock, ids };
      const { openEngine } = await import('./pipeline/engine.ts');
      const engine = await openEngine({ ...options, ...surroundings });
      closers.push(engine.close);
      return engine;
    },

    defer: (close) => void closers.push(close),

    async close() {
      for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
    },
  };
}

/** Read when it is needed: commands that only look at the store would wait for every template and schema library. */
async function configurationCode() {
  const [config, { providers }, { actions }] = await Promise.all([
    import('./config/index.ts'),
    import('./providers/index.ts'),
    import('./actions/index.ts'),
  ]);
  return { ...config, known: { providers, actions } };
}

function inUse(dataFolder: string, holder: Holder | null): Error {
  const who = holder === null ? 'another hookctl' : `\`hookctl ${holder.command}\` (pid ${holder.pid})`;
  return failure('in_use', `${dataFolder} is in use by ${who}`, {
    fix: `Stop it first${holder === null ? '' : ` (kill ${holder.pid})`}, or choose another folder with HOOKCTL_HOME.`,
  });
}
