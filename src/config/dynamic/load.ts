import { ConfigError, type Diagnostic, formatDiagnostic } from '../../errors.ts';
import { commandLine } from '../../lib/shell-quote.ts';
import type { Webhook } from '../../types.ts';
import { type Env, secretNotices, unlockSecrets } from '../secrets.ts';
import type { DbFile, DbReading } from './db-file.ts';
import { clashesWith, type DbEntry } from './resolve-db.ts';

interface DynamicPlaces {
  readonly env: Env;
  /** Built-in and static webhooks, whose names and endpoints are taken. */
  readonly fixed: readonly Webhook[];
}

/** The dynamic webhooks that can be put in force. */
export interface LoadedDynamic {
  readonly entries: readonly DbEntry[];
  readonly webhooks: readonly Webhook[];
  /** Of the content that is in force. */
  readonly revision: string;
  /** Variables that are not set. */
  readonly notices: readonly string[];
  /** Why the file itself is not in force; empty: it is. */
  readonly refused: readonly Diagnostic[];
}

/**
 * Reads the db for serving or looking: the file, or its last good copy when the file does not validate. Throws
 * ConfigError when neither does. `keep`: a good file becomes the last good copy.
 */
export async function loadDynamic(
  db: DbFile,
  places: DynamicPlaces,
  { keep }: { readonly keep: boolean },
): Promise<LoadedDynamic> {
  const further = (state: Parameters<typeof clashesWith>[1]) => clashesWith(places.fixed, state);
  const reading = await db.validate(await db.content(), further);
  if (reading.ok) {
    if (keep && reading.bytes !== null) await db.keep(reading.bytes);
    return withSecrets(reading, places);
  }
  const lastGood = await db.lastGood(further);
  if (lastGood?.ok !== true) {
    throw new ConfigError(
      withAdvice(reading.problems, 'There is no good copy: correct the file or move it away.'),
    );
  }
  return { ...withSecrets(lastGood, places), refused: withAdvice(reading.problems, RESTORE) };
}

/** Webhooks with their secrets, from a db that validates. */
export function withSecrets(
  { resolved, revision }: Extract<DbReading, { ok: true }>,
  { env }: Pick<DynamicPlaces, 'env'>,
): LoadedDynamic {
  const webhooks = resolved.entries.map(({ written, webhook }): Webhook => {
    return { ...webhook, ...unlockSecrets(written.secrets, env) };
  });
  return {
    entries: resolved.entries,
    webhooks,
    revision,
    notices: [
      ...webhooks.filter(({ enabled, secrets }) => enabled && secrets.length === 0).map(lockedNotice),
      ...webhooks.flatMap(secretNotices),
    ],
    refused: [],
  };
}

const RESTORE = 'Correct the file, or bring the last good copy back: hookctl webhook restore';

/** What to do, once, behind the last problem. A file can be wrong in every line; the first ones tell enough. */
export function withAdvice(problems: readonly Diagnostic[], advice = RESTORE): readonly Diagnostic[] {
  const shown = problems.slice(0, MAX_PROBLEMS);
  const left = problems.length - shown.length;
  const fixes = (fix: string | undefined) =>
    [fix, left > 0 ? `${left} more problems.` : undefined, advice].filter((it) => it !== undefined).join(' ');
  return shown.map((problem, index) =>
    index === shown.length - 1 ? { ...problem, fix: fixes(problem.fix) } : problem,
  );
}

const MAX_PROBLEMS = 20;

/** What is to be said of the dynamic webhooks: why their file is not in force, which variables are not set. */
export function noticesOf({ refused, notices }: LoadedDynamic): readonly string[] {
  return refused.length === 0 ? notices : [refusedNotice(refused), ...notices];
}

/** The one loud line while a last good copy is served. */
function refusedNotice(problems: readonly Diagnostic[]): string {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more problems)` : '';
  const { fix: _, ...place } = first ?? { file: 'webhooks.json', message: '' };
  return `${formatDiagnostic(place)}${more}. The last good copy is in force. ${RESTORE}`;
}

function lockedNotice({ name, endpoint, secretSource, origin }: Webhook): string {
  const ref = origin.kind === 'dynamic' ? origin.webhookId : name;
  const reason = secretSource === 'none' ? 'it has no secret' : secretSource;
  return (
    `webhook ${name}: ${reason}, so every delivery to ${endpoint} is refused (401). ` +
    `Give it one: ${commandLine('hookctl', 'webhook', 'rotate-secret', ref)}`
  );
}
