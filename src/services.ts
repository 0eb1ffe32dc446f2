import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DB_FILE } from './config/dynamic/files.ts';
import type { DynamicWebhooks } from './config/dynamic/index.ts';
import type { Configuration } from './config/index.ts';
import {
  isRemote,
  locate,
  type ProjectPaths,
  prepareDataFolder,
  requireFolder,
  requireOwnFolder,
} from './config/project/locate.ts';
import type { Engine, EngineOptions } from './deliveries/engine.ts';
import { failure } from './errors.ts';
import { createIds, type IdSource } from './lib/ids.ts';
import { type Io, say, through } from './lib/io.ts';
import type { Redactor } from './lib/redact/redact.ts';
import { type Clock, systemClock } from './lib/time.ts';
import { hookctlVersion } from './package-root.ts';
import { catchUp, missingNote } from './store/local/catch-up.ts';
import { openReader } from './store/local/index.ts';
import { currentHolder, type FolderLock, type Holder, lockFile, lockFolder } from './store/local/lock.ts';
import { databasePath, explained } from './store/local/sqlite.ts';
import { endSwap, finishSwap, isSwapping } from './store/local/swap.ts';
import { storeAddress } from './store/postgres/chosen.ts';
import type { Address } from './store/postgres/client.ts';
import type { SharedDocument } from './store/postgres/document.ts';
import type { Store, StoreReader } from './store/store.ts';
import { type Actor, type NewAuditEntry, OPERATOR } from './types.ts';

/** What a process brings along: everything outside that a command may touch. */
export interface Host {
  readonly io: Io;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly home: string;
  readonly pid: number;
  /** Name of the user who runs it, for the audit. */
  readonly user: string;
  /** Knows the secrets that must not be shown; learns those of the configuration when it is read. */
  readonly redactor: Redactor;
  /** Made when it is first asked for: Node loads much for it. */
  readonly stdin: () => NodeJS.ReadStream;
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
export interface ServiceFlags {
  readonly config?: string;
}

/** Everything that a command works with. Costly parts are made when they are first asked for. */
export interface Services extends Host {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly version: string;
  readonly located: ProjectPaths;
  /**
   * Reads and validates all configuration. `createMissing`: make the secrets that do not exist yet. `runModules`: run the
   * project's modules; without it, what they defined at the last start is used. `file`: another webhooks.yml, with the same data.
   */
  configuration(options?: {
    readonly createMissing?: boolean;
    readonly runModules?: boolean;
    readonly file?: string;
  }): Promise<Configuration>;
  /** The db of dynamic webhooks, for changes. */
  dynamic(): Promise<DynamicWebhooks>;
  /** The database that holds the store; null for the data folder. */
  readonly database: Address | null;
  /** The dynamic webhooks of all machines; null where this one has its own. */
  readonly sharedWebhooks: SharedDocument | null;
  /** The store, read-only; null while there is none. */
  reader(): StoreReader | null;
  /** The process that works on the data folder now. */
  holder(): Holder | null;
  /** Takes the data folder for this process and the command it runs. Throws `in_use` when another has it. */
  hold(command: string): Promise<HeldFolder>;
  /** Opens all that writes to the data folder, which this process holds. */
  engine(options: EngineOptions): Promise<Engine>;
  /** Who runs this process, as the audit names them. */
  readonly actor: Actor;
  /** Puts a change on record, through the store of this process or beside that of a server. Resolves when it is on disk. */
  audit(
    entry: Pick<NewAuditEntry, 'what' | 'target' | 'details'> &
      Partial<Pick<NewAuditEntry, 'revision' | 'owner'>>,
    actor?: Actor,
  ): Promise<void>;
  /** Other services with parts of their own, on another folder. The caller closes them. */
  part(dataFolder: string): Services;
  /** Closes something else with the services. */
  defer(close: () => void | Promise<void>): void;
  /** Closes what was opened, last in first out. */
  close(): Promise<void>;
}

/** The data folder in the hands of this process, until the services close. */
interface HeldFolder {
  readonly lock: FolderLock;
  readonly holder: Holder;
}

/**
 * The composition root. A restore that was killed is ended first. Throws `ConfigError` when the folder of
 * configuration or data can't be used.
 */
export async function openServices(host: Host, flags: ServiceFlags): Promise<Services> {
  const { env, cwd, home } = host;
  const located = locate({ cwd, env, home, configFlag: flags.config ?? null });
  if (located.ignored !== undefined) say(host.io.err, `note: ${located.ignored}`);
  if (!isRemote(env) && isSwapping(located.dataFolder))
    await endSwap(located.dataFolder, {
      ...{ pid: host.pid, command: 'restore', version: hookctlVersion() },
      ...{ startedAt: Date.now(), server: null },
    });
  return servicesIn(host, located, await sharedStore(host, located));
}

/** The store that several servers share, with what opens it. */
type SharedStore = typeof import('./store/postgres/index.ts') & { readonly address: Address };

async function sharedStore(
  { env, redactor }: Host,
  { projectFile }: ProjectPaths,
): Promise<SharedStore | null> {
  const address = await storeAddress(projectFile, env);
  if (address === null) return null;
  const { password } = new URL(address.url);
  redactor.learn('store', () => (password === '' ? [] : [password, decodeURIComponent(password)]));
  return { ...(await import('./store/postgres/index.ts')), address };
}

/** `ran`: this process has run the project's modules already. */
function servicesIn(
  host: Host,
  located: ProjectPaths,
  shared: SharedStore | null = null,
  ran = false,
): Services {
  const { env, cwd, redactor } = host;
  const clock = systemClock;
  const ids = createIds(clock.now);
  const version = hookctlVersion();
  const actor: Actor = { kind: 'cli', name: `${host.user} (pid ${host.pid})` };
  const closers: (() => void | Promise<void>)[] = [];
  let reader: StoreReader | null = null;
  let dynamic: Promise<DynamicWebhooks> | null = null;
  const sharedWebhooks =
    shared?.sharedDocument(shared.address, DB_FILE, join(located.dataFolder, DB_FILE)) ?? null;
  /** Of this process, while it has the folder. */
  let store: Store | null = null;

  async function openDynamicDb(): Promise<DynamicWebhooks> {
    const { openDynamic } = await import('./config/dynamic/index.ts');
    const { loadFixed, actions } = await configurationCode();
    return openDynamic({
      actions,
      dataFolder: located.dataFolder,
      clock,
      ids,
      record: ({ changes, after: revision }, by) =>
        append(changes.map((change) => ({ ...change, at: clock.now(), actor: by ?? actor, revision }))),
      share: sharedWebhooks?.push,
      async lock(path, patienceMs) {
        await prepareFolder();
        const taken = await lockFile(path, patienceMs);
        // The change is one of what all machines have.
        if (taken !== null)
          await sharedWebhooks?.pull().catch((error: unknown) => {
            taken.release();
            throw error;
          });
        return taken;
      },
      fixed: async () => {
        const options = { actions, located, env, createMissing: false, runModules: ran };
        return (await loadFixed(options)).fixed;
      },
    });
  }

  async function prepareFolder(): Promise<void> {
    await prepareDataFolder(located.dataFolder).catch((error: unknown) => {
      throw explained(error, located.dataFolder);
    });
  }

  async function append(entries: readonly NewAuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    if (store !== null) return store.recordAudit(entries);
    if (shared !== null) return shared.appendPostgresAudit(shared.address, entries, redactor.redact);
    await prepareFolder();
    const { appendAudit } = await import('./store/local/audit-log.ts');
    const holder = { pid: host.pid, command: 'webhook', version, startedAt: clock.now(), server: null };
    return appendAudit(located.dataFolder, holder, entries, redactor.redact);
  }

  return {
    ...host,
    io: { ...host.io, out: through(host.io.out, redactor.redactKnown) },
    actor,
    clock,
    ids,
    version,
    located,
    database: shared?.address ?? null,
    sharedWebhooks,

    async configuration({ createMissing = false, runModules = false, file } = {}) {
      requireFolder(env);
      if (createMissing) await prepareFolder();
      else requireOwnFolder(located.dataFolder);
      ran ||= runModules;
      if (existsSync(located.dataFolder)) await sharedWebhooks?.pull();
      const { loadConfiguration, actions, secretsIn } = await configurationCode();
      const { home } = host;
      const { dataFolder } = located;
      const named =
        file === undefined ? located : { ...locate({ cwd, env, home, configFlag: file }), dataFolder };
      const loaded = await loadConfiguration({ actions, located: named, env, createMissing, runModules });
      redactor.learn('configuration', () => secretsIn(loaded.snapshot, loaded));
      return loaded;
    },

    dynamic() {
      requireFolder(env);
      dynamic ??= openDynamicDb();
      return dynamic;
    },

    reader() {
      requireFolder(env);
      if (reader === null && shared !== null) {
        reader = shared.openPostgresReader(shared.address);
        if (reader !== null) closers.push(reader.close);
      } else if (reader === null) {
        requireOwnFolder(located.dataFolder);
        const path = databasePath(located.dataFolder);
        // A process that has the store open indexes what it accepts itself.
        const note = store === null ? missingNote(catchUp(path)) : null;
        if (note !== null) say(host.io.err, note);
        reader = openReader({ path });
        if (reader !== null) closers.push(reader.close);
      }
      return reader;
    },

    holder() {
      requireFolder(env);
      return currentHolder(located.dataFolder);
    },

    async hold(command) {
      requireFolder(env);
      await prepareFolder();
      const holder: Holder = { pid: host.pid, command, version, startedAt: clock.now(), server: null };
      const taken = await lockFolder(located.dataFolder, holder);
      if (!taken.ok) throw inUse(located.dataFolder, taken.holder);
      closers.push(taken.lock.release);
      await finishSwap(located.dataFolder);
      return { lock: taken.lock, holder };
    },

    async engine(options) {
      const projectFolder = located.projectFile === null ? cwd : dirname(located.projectFile);
      const { redact, learn } = redactor;
      const { home } = host;
      const surroundings = {
        dataFolder: located.dataFolder,
        projectFolder,
        env,
        home,
        clock,
        ids,
        redact,
        learn,
        database: shared?.address ?? null,
      };
      const { openEngine } = await import('./deliveries/engine.ts');
      const engine = await openEngine({ ...options, ...surroundings });
      closers.push(() => {
        store = null;
        return engine.close();
      });
      store = engine.context.store;
      return engine;
    },

    audit: (entry, by = actor) =>
      append([{ revision: null, owner: OPERATOR, ...entry, at: clock.now(), actor: by }]),

    part: (dataFolder) => servicesIn(host, { ...located, dataFolder }, null, ran),

    defer: (close) => void closers.push(close),

    async close() {
      for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
    },
  };
}

/** Read when it is needed: commands that only look at the store would wait for every template and schema library. */
async function configurationCode() {
  const [config, { actions }] = await Promise.all([
    import('./config/index.ts'),
    import('./actions/index.ts'),
  ]);
  return { ...config, actions };
}

function inUse(dataFolder: string, holder: Holder | null): Error {
  const who = holder === null ? 'another hookctl' : `\`hookctl ${holder.command}\` (pid ${holder.pid})`;
  return failure('in_use', `${dataFolder} is in use by ${who}`, {
    fix: `Stop it first${holder === null ? '' : ` (kill ${holder.pid})`}, or choose another folder with HOOKCTL_HOME.`,
  });
}
