import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Webhook } from '../types.ts';
import { DB_FILE, LAST_GOOD_FILE, SCHEMA_VERSION } from './dynamic/files.ts';
import type { WrittenWebhook } from './dynamic/schema.ts';
import type { Configuration } from './index.ts';
import { KEPT_MODULES_FILE, type UnloadedFile } from './modules/files.ts';
import type { ProjectPaths } from './project/locate.ts';
import { unlockSecrets } from './secrets.ts';

/*
 * The list of webhooks without loading the configuration: that takes the schema library, YAML, templates and the
 * project's own code, ten times as long as Node needs to start. What stands in code is remembered from the last time
 * that it was loaded, for as long as nothing changed that it was made of; the db is read as it stands while it equals
 * its last good copy, which was validated when it was written.
 */

/** What a list shows of a webhook. */
interface ListedWebhook {
  readonly name: string;
  readonly provider: string;
  readonly origin: Webhook['origin']['kind'];
  readonly endpoint: string;
  readonly enabled: boolean;
  readonly hasSecret: boolean;
}

/** What a list depends on beside the files. */
interface ListingPlace {
  readonly located: ProjectPaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** hookctl's own. */
  readonly version: string;
}

/** What is kept in the data folder. */
interface Remembered {
  readonly sources: readonly string[];
  /** Names the state of the sources, the variables and hookctl itself. */
  readonly key: string;
  readonly webhooks: readonly ListedWebhook[];
  readonly unloaded: readonly UnloadedFile[];
}

/** All that a list shows. */
export interface Listing {
  readonly webhooks: readonly ListedWebhook[];
  /** Modules that were not run as they are. */
  readonly unloaded: readonly UnloadedFile[];
}

const FILE = 'listing.json';
/** A file that changed so short a time ago may have changed after it was read. */
const SETTLED_AFTER_MS = 2_000;
/** They differ from one call to the next and say nothing that a webhook could depend on. */
const PASSING_VARIABLES: readonly string[] = ['_', 'PWD', 'OLDPWD', 'SHLVL', 'COLUMNS', 'LINES'];

/** All webhooks, as `loadConfiguration` would have them; null: it has to be asked. */
export function quickListing(place: ListingPlace): Listing | null {
  const remembered = recall(place);
  const dynamic = remembered === null ? null : listDynamic(place);
  if (remembered === null || dynamic === null) return null;
  const { webhooks, unloaded } = remembered;
  return { webhooks: [...webhooks, ...dynamic], unloaded };
}

export function listed(webhook: Webhook): ListedWebhook {
  const { name, providerName: provider, origin, endpoint, enabled, secrets } = webhook;
  return { name, provider, origin: origin.kind, endpoint, enabled, hasSecret: secrets.length > 0 };
}

/**
 * Keeps the built-in and static webhooks of a configuration for the next list. Does nothing where there is no data
 * folder yet, or where it can't be told what they depend on.
 */
export async function rememberListing(
  place: ListingPlace,
  {
    fixed,
    sources: known,
    dynamic,
    unloaded,
  }: Pick<Configuration, 'fixed' | 'sources' | 'dynamic' | 'unloaded'>,
  now: number,
): Promise<void> {
  if (known === null || dynamic.refused.length > 0) return;
  const sources = [
    ...known,
    ...unloaded.map(({ file }) => file),
    join(place.located.dataFolder, 'secrets'),
    join(place.located.dataFolder, KEPT_MODULES_FILE),
  ];
  if (sources.some((path) => (stateOf(path)?.ctimeMs ?? 0) > now - SETTLED_AFTER_MS)) return;
  const webhooks = fixed.map(listed);
  const remembered: Remembered = { sources, key: keyOf(sources, place), webhooks, unloaded };
  const file = join(place.located.dataFolder, FILE);
  const { writeFileAtomic } = await import('../lib/files/atomic-file.ts');
  // Only saves time: a folder that is missing or can't be written to is no reason to fail.
  await writeFileAtomic(file, JSON.stringify(remembered), { durable: false }).catch(() => undefined);
}

function recall(place: ListingPlace): Remembered | null {
  try {
    const text = readFileSync(join(place.located.dataFolder, FILE), 'utf8');
    const remembered = JSON.parse(text) as Remembered;
    return remembered.key === keyOf(remembered.sources, place) ? remembered : null;
  } catch {
    return null;
  }
}

function keyOf(sources: readonly string[], { located, env, version }: ListingPlace): string {
  const variables = Object.entries(env).filter(([name]) => !PASSING_VARIABLES.includes(name));
  const files = [fileURLToPath(import.meta.url), ...sources].map((path) => {
    const found = stateOf(path);
    return found === null ? null : [found.ino, found.size, found.mtimeMs, found.ctimeMs];
  });
  // A sum, not the values: secrets are among them.
  return JSON.stringify([version, located, files, checksum(JSON.stringify(variables.sort()))]);
}

/** FNV-1a, 32 bits. Node's own sums bring OpenSSL or zlib along, which take 3 to 7 ms to load. */
function checksum(text: string): number {
  let sum = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193);
  }
  return sum >>> 0;
}

function stateOf(path: string) {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

function listDynamic({ located: { dataFolder }, env }: ListingPlace): readonly ListedWebhook[] | null {
  const db = bytesOf(join(dataFolder, DB_FILE));
  const lastGood = bytesOf(join(dataFolder, LAST_GOOD_FILE));
  if (db === null && lastGood === null) return [];
  if (db === null || lastGood === null || !db.equals(lastGood)) return null;
  const content = JSON.parse(db.toString('utf8')) as {
    readonly schema_version: number;
    readonly webhooks: readonly WrittenWebhook[];
  };
  if (content.schema_version !== SCHEMA_VERSION) return null;
  return content.webhooks.map((webhook) => {
    const { name, provider, endpoint, enabled = true, secret } = webhook;
    const { secrets } = unlockSecrets(webhook.secrets ?? (secret ? [{ value: secret }] : []), env);
    return { name, provider, origin: 'dynamic', endpoint, enabled, hasSecret: secrets.length > 0 };
  });
}

/** Null when there is none, or none that can be read. */
function bytesOf(file: string): Buffer | null {
  try {
    return statSync(file).isFile() ? readFileSync(file) : null;
  } catch {
    return null;
  }
}
