import { readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Adapter, Low } from 'lowdb';
import { ConfigError, type Diagnostic, failure } from '../../errors.ts';
import type { IdSource } from '../../lib/ids.ts';
import type { Clock } from '../../lib/time.ts';
import { PROVIDER_NAMES } from '../../providers/facts.ts';
import { loadProviders } from '../../providers/index.ts';
import { type Actor, OPERATOR, type Provider, type Webhook } from '../../types.ts';
import type { WebhookWithoutSecrets } from '../resolve.ts';
import type { CommandSettings } from '../resolve-commands.ts';
import { randomSecret } from '../secrets.ts';
import { type Change, isoTime } from './change.ts';
import { type DbFile, dbFile, revisionOf } from './db-file.ts';
import { DB_FILE } from './files.ts';
import { removedSince } from './find.ts';
import { withAdvice } from './load.ts';
import { formatDb } from './parse.ts';
import { changesBetween, type DbEdit, type RecordEdit } from './recorded.ts';
import { createResolver } from './resolve-db.ts';
import type { DbState, DbWebhook } from './schema.ts';

/**
 * lowdb's view of the db; the caller holds the lock. Its own adapters overwrite a file that they could not read and
 * know no fsync, and its presets keep everything in memory under `NODE_ENV=test`.
 */
function dbAdapter(db: DbFile, record: (edit: DbEdit) => Promise<void>): Adapter<DbState> {
  let former: { readonly state: DbState; readonly revision: string } = {
    state: { webhooks: [] },
    revision: revisionOf(null),
  };
  return {
    /** Throws ConfigError when the file does not validate: what is there is then never replaced. */
    async read() {
      const reading = await db.validate(await db.content());
      if (!reading.ok) throw new ConfigError(withAdvice(reading.problems));
      former = reading;
      return reading.state;
    },

    /**
     * Writes only what can be read again, and only once it is on record: a crash between the two leaves a line too
     * many, never an unrecorded change. Throws ConfigError with the issues of the new state.
     */
    async write(state) {
      const draft = Buffer.from(formatDb(state));
      const next = await db.validate({ kind: 'bytes', bytes: draft, inode: 0 });
      if (!next.ok) throw new ConfigError(next.problems.map((problem) => inWords(problem, state)));
      // In the order of the schema, as it is read: the next edit of another webhook leaves this one as it is.
      const bytes = Buffer.from(formatDb(next.state));
      const changes = changesBetween(former.state, state);
      await record({ after: revisionOf(bytes), changes });
      try {
        await db.write(bytes);
      } catch (error) {
        await record({ after: former.revision, changes: changes.map(undone) }).catch(() => undefined);
        throw error;
      }
    },
  };
}

function undone(change: DbEdit['changes'][number]): DbEdit['changes'][number] {
  return { ...change, details: { ...change.details, note: 'could not be written' } };
}

/** The line of a file that was not written tells nothing; the name of the webhook does. */
function inWords(problem: Diagnostic, { webhooks }: DbState): Diagnostic {
  const [, index, field] = /^webhooks\.(\d+)(?:\.(.+))?$/.exec(problem.field ?? '') ?? [];
  const { line: _, column: __, field: whole, ...rest } = problem;
  const name = index === undefined ? undefined : webhooks[Number(index)]?.name;
  const place = field ?? (name === undefined ? whole : undefined);
  return {
    ...rest,
    file: name === undefined ? 'webhooks.json' : `webhook ${name}`,
    ...(place !== undefined && { field: place }),
  };
}

/** Takes a lock file, waiting up to `patienceMs`; null when another process keeps it (`store/file-lock.ts`). */
type LockFile = (path: string, patienceMs: number) => Promise<{ readonly release: () => void } | null>;

interface DynamicOptions extends CommandSettings {
  /** Must exist (`prepareDataFolder`) before the first `edit`. */
  readonly dataFolder: string;
  readonly lock: LockFile;
  readonly clock: Clock;
  /** Called with the content of the file before it is written, where other machines have the same; when it throws, nothing is. */
  readonly share?: ((bytes: Uint8Array) => Promise<void>) | undefined;
  /** Called before each edit is written; an edit that can't be recorded is not made. */
  readonly record: RecordEdit;
  readonly ids: Pick<IdSource, 'next'>;
  /** Built-in and static webhooks, asked for when the first change is made (`loadFixed`). */
  readonly fixed: () => Promise<readonly Webhook[]>;
}

/** A change that is on disk. */
interface Edited<T> {
  readonly result: T;
  /** Of the file that was written. */
  readonly revision: string;
}

/** What `restore` did. */
export interface Restored {
  readonly file: string;
  /** How many are there again. */
  readonly webhooks: number;
  /** Where the file that was replaced by the good copy is now. Null when there was none. */
  readonly kept: string | null;
  readonly revision: string;
}

/** The db of dynamic webhooks, `webhooks.json`. Nothing is kept open: every call reads the file anew. */
export interface DynamicWebhooks {
  /** Absolute path of `webhooks.json`. */
  readonly file: string;
  /** What the file says; no webhooks when the file does not exist. Throws ConfigError when it does not validate. */
  read(): Promise<DbState>;
  /**
   * Changes the file under its lock: read anew, changed, validated whole, replaced in one step. Throws what the
   * change throws, ConfigError when the file or what would come of it does not validate, `busy` when the lock is
   * kept. `actor`: who asked for it, for the audit; default: who runs this process.
   */
  edit<T>(change: Change<T>, actor?: Actor): Promise<Edited<T>>;
  /** The webhook that a change would make; nothing is written. Throws as `edit` does. */
  draft(change: Change<{ readonly webhook: DbWebhook }>): Promise<WebhookWithoutSecrets>;
  /**
   * The revision (content hash) on disk now. A server has everything in force that was written before, once its own
   * revision (`/api/status`) equals this one; others may write meanwhile, so ask both anew each time.
   */
  revision(): Promise<string>;
  /** Brings the last good copy back. Throws `nothing_to_restore`. `actor`: as for `edit`. */
  restore(actor?: Actor): Promise<Restored>;
}

const PATIENCE_MS = 15_000;

/** Opens the db for changes. */
export function openDynamic(options: DynamicOptions): DynamicWebhooks {
  const { dataFolder, lock, clock, ids, fixed, record } = options;
  /** The project's own providers are known once its modules are read. Null before that. */
  let own: readonly Provider[] | null = null;
  const db = dbFile(
    dataFolder,
    createResolver(options, () => own ?? []),
    options.share,
  );

  async function readFixed(): Promise<readonly Webhook[]> {
    const webhooks = await fixed();
    own = webhooks.map(({ provider }) => provider).filter(({ name }) => !PROVIDER_NAMES.includes(name));
    return webhooks;
  }

  /** Applies a change to what the file says. */
  async function changed<T>(change: Change<T>, data: DbState, written: readonly Webhook[]) {
    const shapedFor = await shaping();
    const { state, result } = change(data, {
      now: clock.now(),
      nextId: (prefix) => ids.next(prefix),
      newSecret: (webhook) => (shapedFor(webhook)?.newSecret ?? randomSecret)(),
      fixed: written,
    });
    const problems = uselessSecrets(data, state, (webhook, text) =>
      shapedFor(webhook)?.secretProblem?.(text),
    );
    if (problems.length > 0) throw new ConfigError(problems);
    return { state, result };
  }

  /** Provider of an added or edited webhook, configured by its options. All built-in ones are known here. */
  async function shaping() {
    const known = [...(await loadProviders(PROVIDER_NAMES)), ...(own ?? [])];
    return ({ provider: name, options: settings = {} }: Pick<DbWebhook, 'provider' | 'options'>) => {
      const provider = known.find((each) => each.name === name);
      const shaped = provider?.configure?.(settings);
      return shaped?.ok === true ? shaped.provider : provider;
    };
  }

  const revision = async () => {
    const content = await db.content();
    return revisionOf(content.kind === 'bytes' ? content.bytes : null);
  };

  async function locked<T>(work: () => Promise<T>): Promise<T> {
    const held = await lock(`${db.file}.lock`, PATIENCE_MS);
    if (held === null) {
      const message = `another process has kept ${db.file} for ${PATIENCE_MS / 1000} s`;
      throw failure('busy', message, {
        fix: 'Type it again; if it stays so, look for a hookctl that hangs.',
      });
    }
    try {
      await sweep(dataFolder);
      return await work();
    } finally {
      held.release();
    }
  }

  return {
    file: db.file,
    revision,
    async read() {
      if (own === null) await readFixed();
      return (await dbAdapter(db, unchanged).read()) ?? EMPTY;
    },

    async edit(change, actor) {
      const written = await readFixed();
      return locked(async () => {
        const low = new Low(
          dbAdapter(db, (edit) => record(edit, actor ?? null)),
          EMPTY,
        );
        await low.read();
        const { state, result } = await changed(change, low.data, written);
        low.data = state;
        await low.write();
        return { result, revision: await revision() };
      });
    },

    async draft(change) {
      const written = await readFixed();
      const adapter = dbAdapter(db, unchanged);
      const { state, result } = await changed(change, (await adapter.read()) ?? EMPTY, written);
      const next = await db.validate({ kind: 'bytes', bytes: Buffer.from(formatDb(state)), inode: 0 });
      if (!next.ok) throw new ConfigError(next.problems.map((problem) => inWords(problem, state)));
      const { webhook_id: id } = result.webhook;
      const drafted = next.resolved.entries.find((entry) => entry.written.webhook_id === id);
      if (drafted === undefined) throw removedSince(id);
      return drafted.webhook;
    },

    async restore(actor) {
      // The way back must stay open when webhooks.yml is broken, too.
      await readFixed().catch(() => undefined);
      return locked(async () => {
        const good = await db.lastGood();
        if (good === null || good.ok === false || good.bytes === null) {
          const fix = `Correct ${db.file} by hand, or move it away to start anew.`;
          throw failure('nothing_to_restore', 'there is no good copy of the dynamic webhooks', { fix });
        }
        const reading = await db.validate(await db.content());
        if (reading.ok) throw failure('nothing_to_restore', `${db.file} is in order: it validates`);
        const details = { webhooks: good.state.webhooks.length };
        const changes = [{ what: 'webhook.restore', owner: OPERATOR, target: db.file, details }];
        await record({ after: good.revision, changes }, actor ?? null);
        const kept = await setAside(db.file, clock.now());
        await db.write(good.bytes);
        return { file: db.file, webhooks: good.state.webhooks.length, kept, revision: good.revision };
      });
    },
  };
}

const EMPTY: DbState = { webhooks: [] };

/** What is wrong with the secrets that a change brings. Those that were there before are `check`'s to judge. */
function uselessSecrets(
  before: DbState,
  after: DbState,
  problemOf: (webhook: DbWebhook, secret: string) => string | null | undefined,
): readonly Diagnostic[] {
  const known = new Set(
    before.webhooks.flatMap(({ secrets }) => secrets.map((it) => 'value' in it && it.value)),
  );
  return after.webhooks.flatMap((webhook) =>
    webhook.secrets.flatMap((it) => {
      const message = 'value' in it && !known.has(it.value) ? problemOf(webhook, it.value) : null;
      return message == null ? [] : [{ file: `webhook ${webhook.name}`, field: 'secret', message }];
    }),
  );
}

/** Reading changes nothing that could be recorded. */
const unchanged = async () => undefined;

/** Renames what is in the place of the db, and returns the new name. Null when nothing is there. */
async function setAside(file: string, now: number): Promise<string | null> {
  const kept = `${file}.corrupt-${isoTime(now).replaceAll(/[:.]/g, '-')}`;
  try {
    await rename(file, kept);
    return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Removes what a killed writer left half written: under the lock no other process writes. It may hold secrets. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder);
  const litter = names.filter((name) => name.startsWith(`.${DB_FILE}.`) && name.endsWith('.tmp'));
  await Promise.all(litter.map((name) => unlink(join(folder, name))));
}
