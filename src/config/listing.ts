import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../lib/json.ts';
import { BUILT_IN_WEBHOOKS, providerFacts } from '../providers/facts.ts';
import { type JsonObject, type JsonValue, OPERATOR, type Webhook } from '../types.ts';
import { DB_FILE, LAST_GOOD_FILE, SCHEMA_VERSION } from './dynamic/files.ts';
import type { WrittenWebhook } from './dynamic/schema.ts';
import {
  DEFAULT_STATIC,
  moduleFiles,
  readKeptModules,
  type UnloadedFile,
  unloadedModules,
} from './modules/files.ts';
import type { ProjectPaths } from './project/locate.ts';
import { resolveSecret, unlockSecrets } from './secrets.ts';
import { endpointOf, replaces } from './webhook-name.ts';

/*
 * The list of webhooks without loading the configuration, which takes the schema library, templates and providers.
 * Only what lists print is read, and nothing is validated: what does not have the expected form is left to
 * `loadConfiguration`, which says what is wrong with it.
 */

/** What a list shows of a webhook. */
interface ListedWebhook {
  readonly name: string;
  readonly provider: string;
  readonly origin: Webhook['origin']['kind'];
  readonly endpoint: string;
  readonly enabled: boolean;
  readonly owner: string;
  readonly labels: readonly string[];
  readonly hasSecret: boolean;
  /** Settings of the provider. */
  readonly options: JsonObject;
}

/** All that a list shows. */
export interface Listing {
  readonly webhooks: readonly ListedWebhook[];
  /** Modules that were not run as they are. */
  readonly unloaded: readonly UnloadedFile[];
}

interface ListingOptions {
  readonly located: ProjectPaths;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** All webhooks, in the order of `loadConfiguration`; null when that has to be asked. */
export async function quickListing({ located, env }: ListingOptions): Promise<Listing | null> {
  const { projectFile, dataFolder } = located;
  const project = projectFile === null ? { static: [], webhooks: {} } : await readProject(projectFile);
  const dynamic = listDynamic(dataFolder, env);
  if (project === null || dynamic === null) return null;
  const kept = projectFile === null ? { files: {}, definitions: [] } : readKeptModules(dataFolder);
  const named = projectFile === null ? null : await moduleFiles(projectFile, project.static);
  if (named !== null && named.issues.length > 0) return null;
  const own = kept.definitions.filter(({ file }) => named?.files.includes(file));

  const places = { env, dataFolder, createMissing: false };
  const list = async (
    origin: 'built-in' | 'static',
    definition: ListedDefinition,
    isOptional: boolean,
  ): Promise<ListedWebhook> => {
    const { name, provider, enabled = true, secretEnv = null, options = {} } = definition;
    const { owner = OPERATOR, labels = [] } = definition;
    const { secrets } = await resolveSecret({ webhook: name, secretEnv, optional: isOptional }, places);
    return {
      name,
      provider,
      origin,
      endpoint: endpointOf(definition),
      ...{ enabled, owner, labels },
      hasSecret: secrets.length > 0,
      options,
    };
  };
  const builtIn = BUILT_IN_WEBHOOKS.filter(
    (name) => !own.some(({ definition }) => replaces(definition, { name })),
  ).map((name) => {
    const adjusted = project.webhooks[name] ?? {};
    const definition = { name, provider: name, secretEnv: providerFacts.get(name)?.secretEnv, ...adjusted };
    return list('built-in', definition, adjusted.secretEnv === undefined);
  });
  const modules = own.map(({ definition }) => list('static', definition, false));
  return {
    webhooks: [...(await Promise.all([...builtIn, ...modules])), ...dynamic],
    unloaded: named === null ? [] : unloadedModules(kept, projectFile ?? '', named.files),
  };
}

export function listed(webhook: Webhook): ListedWebhook {
  const {
    name,
    providerName: provider,
    origin,
    endpoint,
    enabled,
    owner,
    labels,
    secrets,
    options,
  } = webhook;
  const hasSecret = secrets.length > 0;
  return { name, provider, origin: origin.kind, endpoint, enabled, owner, labels, hasSecret, options };
}

/** What a list depends on in a definition. */
interface ListedDefinition {
  readonly name: string;
  readonly provider: string;
  readonly endpoint?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly owner?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly secretEnv?: string | undefined;
  readonly options?: JsonObject | undefined;
}

/** What a list depends on in webhooks.yml. */
interface ListedProject {
  readonly static: readonly string[];
  readonly webhooks: Readonly<
    Record<string, Pick<ListedDefinition, 'enabled' | 'owner' | 'labels' | 'secretEnv'>>
  >;
}

/** Null when the file is not as expected. */
async function readProject(file: string): Promise<ListedProject | null> {
  const { parse } = await import('yaml');
  try {
    const written: unknown = parse(readFileSync(file, 'utf8'), { merge: true, logLevel: 'error' }) ?? {};
    if (!isJsonObject(written) || !isJsonObject(written.webhooks ?? {})) return null;
    const patterns = [written.static ?? DEFAULT_STATIC].flat();
    const webhooks = Object.entries(written.webhooks ?? {}).map(([name, given]) => [name, adjustment(given)]);
    const isExpected =
      patterns.every((pattern) => typeof pattern === 'string') &&
      webhooks.every(([name, given]) => BUILT_IN_WEBHOOKS.includes(String(name)) && given !== null);
    return isExpected ? { static: patterns, webhooks: Object.fromEntries(webhooks) } : null;
  } catch {
    return null;
  }
}

function adjustment(given: JsonValue): ListedProject['webhooks'][string] | null {
  if (!isJsonObject(given)) return null;
  const { enabled, secretEnv, owner, labels } = given;
  if (enabled !== undefined && typeof enabled !== 'boolean') return null;
  if (secretEnv !== undefined && typeof secretEnv !== 'string') return null;
  if (owner !== undefined && typeof owner !== 'string') return null;
  if (labels !== undefined && !(Array.isArray(labels) && labels.every((each) => typeof each === 'string')))
    return null;
  return {
    ...(enabled !== undefined && { enabled }),
    ...(secretEnv !== undefined && { secretEnv }),
    ...(owner !== undefined && { owner }),
    ...(labels !== undefined && { labels }),
  };
}

/** Null when the db is not what was last validated, or written by another hookctl. */
function listDynamic(dataFolder: string, env: ListingOptions['env']): readonly ListedWebhook[] | null {
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
    const { name, provider, endpoint, enabled = true, secret, options = {} } = webhook;
    const { owner = OPERATOR, labels = [] } = webhook;
    const { secrets } = unlockSecrets(webhook.secrets ?? (secret ? [{ value: secret }] : []), env);
    const hasSecret = secrets.length > 0;
    return { name, provider, origin: 'dynamic', endpoint, enabled, owner, labels, hasSecret, options };
  });
}

/** Null when the file is missing or unreadable. */
function bytesOf(file: string): Buffer | null {
  try {
    return statSync(file).isFile() ? readFileSync(file) : null;
  } catch {
    return null;
  }
}
