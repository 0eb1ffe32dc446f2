import { type Diagnostic, messageOf } from '../errors.ts';
import type { Snapshot } from '../types.ts';
import { type DbContent, type DbReading, readSettled, revisionOf } from './dynamic/db-file.ts';
import { type LoadedDynamic, noticesOf, withAdvice, withSecrets } from './dynamic/load.ts';
import { clashesWith, type Difference, difference } from './dynamic/resolve-db.ts';
import type { DbWebhook } from './dynamic/schema.ts';
import type { Configuration } from './index.ts';
import { createSnapshot } from './index.ts';
import type { UnloadedFile } from './modules/files.ts';
import { type FileWatch, sourceLooks, watchPaths } from './watch.ts';

/** What happened to the configuration while serving. */
export type RegistryChange =
  /** A change of the dynamic webhooks is in force. Without names: the file is in order again as it was. */
  | ({ readonly kind: 'applied'; readonly revision: string } & Difference)
  /** The file does not validate (or is gone): what was in force stays. */
  | { readonly kind: 'refused'; readonly problems: readonly Diagnostic[] }
  /** webhooks.yml or a static module is not as it was loaded, which takes effect with the next start. */
  | { readonly kind: 'restart_needed'; readonly file: string; readonly state: UnloadedFile['state'] }
  /** The system cannot watch more files; they are looked at twice a second. */
  | { readonly kind: 'polling'; readonly reason: string }
  /** What is in force could not be copied as the last good state. */
  | { readonly kind: 'not_kept'; readonly reason: string };

interface RegistryOptions {
  readonly configuration: Configuration;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: (change: RegistryChange) => void;
}

/** The webhooks in force while serving. */
export interface WebhookRegistry {
  /** Always whole: a change swaps it. */
  current(): Snapshot;
  /** The dynamic ones among them, as the db has them. */
  records(): readonly DbWebhook[];
  /** Content hash of the db that is in force. */
  revision(): string;
  /** What is not as it should be: a file that is refused, variables that are not set, files that cannot be watched. */
  problems(): readonly string[];
  /** The project's files that are not as they were loaded. */
  unloaded(): readonly UnloadedFile[];
  /** Takes up what is on disk now; resolves when it is in force, or refused. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** A watch can miss that something else replaces a file. */
const LOOK_MS = 2_000;

/** Puts the configuration in force and follows the db from then on. */
export async function openWebhookRegistry({
  configuration,
  env,
  report,
}: RegistryOptions): Promise<WebhookRegistry> {
  const { db, fixed, files, fixedNotices } = configuration;
  const ending = new AbortController();
  let loaded = configuration.dynamic;
  let snapshot = snapshotOf(loaded);
  let inode: number | null = null;
  let stamp = '';
  let polling: string | null = null;
  let unloaded: readonly UnloadedFile[] = [];
  const sources = sourceLooks(configuration);

  const further = (state: Parameters<typeof clashesWith>[1]) => clashesWith(fixed, state);
  const reload = oneAtATime(async () => {
    stamp = await db.stamp();
    if (await isInForce()) return;
    const isNew = (content: DbContent) => content.kind === 'bytes' && content.inode !== inode;
    const settled = await readSettled(db, { further, isNew, signal: ending.signal });
    if (settled === null) return;
    const { content, reading } = settled;
    inode = content.kind === 'bytes' ? content.inode : null;
    if (reading.ok) await apply(reading);
    else refuse(withAdvice(reading.problems));
  });

  async function apply(reading: Extract<DbReading, { ok: true }>): Promise<void> {
    if (reading.revision === loaded.revision && loaded.refused.length === 0) return;
    const next = withSecrets(reading, { env });
    const changes = difference(loaded.entries, next.entries);
    loaded = next;
    snapshot = snapshotOf(next);
    report({ kind: 'applied', revision: next.revision, ...changes });
    if (reading.bytes !== null) await db.keep(reading.bytes).catch(notKept);
  }

  function notKept(error: unknown): void {
    report({ kind: 'not_kept', reason: messageOf(error) });
  }

  async function isInForce(): Promise<boolean> {
    const content = await db.content();
    if (content.kind !== 'bytes' || loaded.refused.length > 0) return false;
    if (revisionOf(content.bytes) !== loaded.revision) return false;
    inode = content.inode;
    return true;
  }

  const lookAtSources = oneAtATime(async () => {
    const found = await sources.look();
    const told = new Set(unloaded.map(({ file, state }) => `${state} ${file}`));
    unloaded = found;
    for (const { file, state } of found) {
      if (!told.has(`${state} ${file}`)) report({ kind: 'restart_needed', file, state });
    }
  });

  async function look(): Promise<void> {
    void lookAtSources();
    if ((await db.stamp()) !== stamp) await reload();
  }

  function refuse(problems: readonly Diagnostic[]): void {
    const isKnown = JSON.stringify(problems) === JSON.stringify(loaded.refused);
    loaded = { ...loaded, refused: problems };
    if (!isKnown) report({ kind: 'refused', problems });
  }

  function snapshotOf({ webhooks }: LoadedDynamic): Snapshot {
    return createSnapshot([...fixed, ...webhooks]);
  }

  const watch: FileWatch = await watchPaths({
    files: [db.file, ...files],
    touched(path) {
      if (files.includes(path)) void lookAtSources();
      else void reload();
    },
    polling(reason) {
      polling = `files are looked at twice a second, because they cannot be watched: ${reason}`;
      report({ kind: 'polling', reason });
    },
  });
  const timer = setInterval(() => void look(), LOOK_MS);
  // What was written between the first reading and the first watch was not seen by either.
  await reload();

  return {
    current: () => snapshot,
    records: () => loaded.entries.map(({ written }) => written),
    revision: () => loaded.revision,
    problems: () => [...fixedNotices, ...noticesOf(loaded), ...(polling === null ? [] : [polling])],
    unloaded: () => unloaded,
    reload,
    async close() {
      clearInterval(timer);
      ending.abort();
      await watch.close();
      await lookAtSources();
      await reload();
    },
  };
}

/** Runs of `work` never overlap. Who asks while one runs waits for a run that begins afterwards. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const run = (): Promise<void> => {
    running = work().finally(() => {
      running = null;
    });
    return running;
  };
  return () => {
    if (running === null) return run();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        return run();
      });
    return next;
  };
}
