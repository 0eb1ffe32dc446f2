import { ConfigError, type Diagnostic } from '../errors.ts';
import type { Source } from '../lib/diagnostics.ts';
import { suggest } from '../lib/suggest.ts';
import { PROVIDER_NAMES } from '../providers/facts.ts';
import { loadProviders } from '../providers/index.ts';
import {
  allCommands,
  type JsonValue,
  type Provider,
  type Schedule,
  type Snapshot,
  type Webhook,
} from '../types.ts';
import { type Accounts, accountDefaults, resolveAccounts } from './accounts.ts';
import { type AssembledWebhook, assemble, providersOf } from './assemble.ts';
import { type DbFile, dbFile } from './dynamic/db-file.ts';
import { type LoadedDynamic, loadDynamic, noticesOf } from './dynamic/load.ts';
import { createResolver } from './dynamic/resolve-db.ts';
import {
  hashesOf,
  type KeptDefinition,
  type KeptModules,
  keepModules,
  readKeptModules,
  type UnloadedFile,
} from './modules/files.ts';
import { loadStatic, type StaticDefinition } from './modules/load.ts';
import { ownProviders } from './modules/own-providers.ts';
import { type Agents, resolveAgents } from './project/agents.ts';
import { defaultClaudeList } from './project/claude-list.ts';
import type { ProjectPaths } from './project/locate.ts';
import { ownerProblems } from './project/owners.ts';
import { type Repositories, resolveRepositories } from './project/repositories.ts';
import { resolveSchedules } from './project/schedules.ts';
import type { ProjectConfig } from './project/schema.ts';
import { defaultProject, type ReadProject, readProject } from './project/schema.ts';
import { resolveSlackSocket, type SlackSocket } from './project/slack-socket.ts';
import type { CommandSettings } from './resolve-commands.ts';
import { resolveSecret, type SecretPlaces, secretNotices } from './secrets.ts';

interface LoadOptions extends CommandSettings {
  readonly located: ProjectPaths;
  readonly env: SecretPlaces['env'];
  /** False for commands that only look: no secret is generated, nothing is written. */
  readonly createMissing: boolean;
  /** True: the project's modules are run. Default false: what they defined at the last start is used. */
  readonly runModules?: boolean;
}

/** Everything that the project says, validated. */
export interface Configuration extends FixedConfiguration {
  /** Built-in, static and dynamic webhooks, as they were when this was loaded. */
  readonly snapshot: Snapshot;
  /** What the user should know although it is no mistake: replaced webhooks, variables that are not set. */
  readonly notices: readonly string[];
  readonly db: DbFile;
  readonly dynamic: LoadedDynamic;
}

/** webhooks.yml, with what its folder decides filled in. */
interface ResolvedProject extends ProjectConfig {
  readonly claudeTasks: ProjectConfig['claudeTasks'] & { readonly list: string };
}

/** What is written in code, and changes only with a restart. */
interface FixedConfiguration {
  readonly project: ResolvedProject;
  /** The accounts that hookctl answers with. */
  readonly accounts: Accounts;
  /** Socket Mode of Slack; null where it is not wanted. */
  readonly slackSocket: SlackSocket | null;
  /** Whom hookctl runs by itself. */
  readonly agents: Agents;
  /** Which repositories and projects are known, and their checkouts. */
  readonly repositories: Repositories;
  /** Tasks that come due by themselves. */
  readonly schedules: readonly Schedule[];
  /** The project's own providers. */
  readonly ownProviders: readonly Provider[];
  /** Built-in and static webhooks. */
  readonly fixed: readonly Webhook[];
  /** Notices about those. */
  readonly fixedNotices: readonly string[];
  /** webhooks.yml and the static modules. */
  readonly files: readonly string[];
  /** webhooks.yml, from which the patterns of `static:` are followed. */
  readonly source: Source;
  /** What was read of the project's files, and what its modules defined. */
  readonly modules: KeptModules;
  /** Modules that were not run and are not as they were at the last start. */
  readonly unloaded: readonly UnloadedFile[];
}

/**
 * webhooks.yml, the static modules it names, the built-in webhooks and the db of dynamic ones → one frozen snapshot.
 * Throws ConfigError with every problem of all that is written in code at once, or with those of the db.
 */
export async function loadConfiguration(options: LoadOptions): Promise<Configuration> {
  const { located, env, createMissing } = options;
  const written = await loadFixed(options);
  const { fixed, fixedNotices } = written;
  const db = dbFile(
    located.dataFolder,
    createResolver(options, () => written.ownProviders),
  );
  const dynamic = await loadDynamic(db, { env, fixed }, { keep: createMissing });
  const snapshot = createSnapshot([...fixed, ...dynamic.webhooks]);
  if (createMissing && options.runModules === true) await keepModules(located.dataFolder, written.modules);
  return { ...written, snapshot, notices: [...fixedNotices, ...noticesOf(dynamic)], db, dynamic };
}

/** The same without dynamic webhooks. Throws ConfigError with every problem of all files at once. */
export async function loadFixed(options: LoadOptions): Promise<FixedConfiguration> {
  const { located, env, createMissing, actions } = options;
  const { project, source, problems } = await readOrDefault(located.projectFile);
  const kept = options.runModules === true ? null : readKeptModules(located.dataFolder);
  // Only a start keeps it.
  const fileHash = hashesOf(located.projectFile === null || !createMissing ? [] : [located.projectFile]);
  const modules =
    located.projectFile === null
      ? { definitions: [], problems: [], hashes: {}, unloaded: [] }
      : await loadStatic(source, project.static, { kept, trusted: located.trusted ?? [] });
  const own = ownProviders(modules.definitions);
  const providers = [...(await loadProviders(providersOf(modules.definitions))), ...own.providers];
  const parts = { project, source, definitions: modules.definitions, providers, actions };
  const assembled = await assemble(parts);
  const { accounts, problems: accountProblems } = await resolveAccounts(
    kept === null ? project : withoutOwnProviders(project),
    source,
    own.providers,
    env,
  );
  const slack = await resolveSlackSocket({ project, source, env, accounts });
  const webhookSecrets = assembled.webhooks.flatMap(({ secret }) => secret.secretEnv ?? []);
  const { agents, problems: agentProblems } = await resolveAgents({
    ...{ project, source, webhookSecrets, env, dataFolder: located.dataFolder },
    accountDefaults: accountDefaults(own.providers).values(),
  });
  const { schedules, problems: scheduleProblems } = await resolveSchedules(project.schedules, source);
  const all = [
    ...problems,
    ...modules.problems,
    ...own.problems,
    ...assembled.problems,
    ...accountProblems,
    ...slack.problems,
    ...agentProblems,
    ...scheduleProblems,
    ...ownerProblems(project.owners, source, {
      actions: actions.map(({ name }) => name),
      repositories: Object.keys(project.repositories),
    }),
  ];
  if (all.length > 0) throw new ConfigError(all.toSorted(byPlace));

  const places = { env, dataFolder: located.dataFolder, createMissing };
  const unlocked = await Promise.all(assembled.webhooks.map((entry) => unlock(entry, places)));
  const files = [located.projectFile ?? [], modules.definitions.map((it) => it.source.file)].flat();
  const list = project.claudeTasks.list ?? defaultClaudeList(located.projectFile, env);
  return {
    project: { ...project, claudeTasks: { ...project.claudeTasks, list } },
    accounts,
    slackSocket: slack.socket,
    agents,
    repositories: await resolveRepositories(project.repositories, source),
    schedules,
    ownProviders: own.providers,
    fixed: unlocked.map(({ webhook }) => webhook),
    fixedNotices: [
      ...assembled.notices,
      ...unlocked.flatMap(({ notice }) => notice ?? []),
      ...unlocked.flatMap(({ webhook }) => secretNotices(webhook)),
    ],
    files: [...new Set(files)],
    source,
    modules: {
      files: { ...fileHash, ...modules.hashes },
      definitions: modules.definitions.map(keptDefinition),
    },
    unloaded: modules.unloaded,
  };
}

/** Credentials of providers that are code of the project mean nothing where that code was not run. */
function withoutOwnProviders(project: ProjectConfig): ProjectConfig {
  const entries = Object.entries(project.credentials);
  const own = entries.filter(
    ([name]) => PROVIDER_NAMES.includes(name) || suggest(name, PROVIDER_NAMES) !== null,
  );
  return { ...project, credentials: Object.fromEntries(own) };
}

function keptDefinition({ definition, calledAt, provider, lacksProvider }: StaticDefinition): KeptDefinition {
  const hasOwnProvider = provider !== null || lacksProvider === true;
  return { definition, file: calledAt.file, line: calledAt.line, hasOwnProvider };
}

async function readOrDefault(projectFile: string | null): Promise<ReadProject> {
  if (projectFile !== null) return readProject(projectFile);
  const source = { file: 'built-in webhooks', position: () => ({}) };
  return { project: defaultProject(), source, problems: [] };
}

interface Unlocked {
  readonly webhook: Webhook;
  readonly notice: string | null;
}

async function unlock({ webhook, secret }: AssembledWebhook, places: SecretPlaces): Promise<Unlocked> {
  const found = await resolveSecret(secret, places);
  const { name, endpoint, enabled } = webhook;
  const isLocked = enabled && !secret.optional && secret.secretEnv !== null && found.secrets.length === 0;
  const notice =
    `webhook ${name}: ${found.secretSource}, so every delivery to ${endpoint} is refused (401). ` +
    `Set ${secret.secretEnv}, or remove secretEnv to use a generated secret.`;
  return { webhook: { ...webhook, ...found }, notice: isLocked ? notice : null };
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** Every secret that a configuration holds, so that output can leave them out. */
export function* secretsIn(
  { webhooks }: Snapshot,
  { accounts: { byProvider }, slackSocket }: Pick<FixedConfiguration, 'accounts' | 'slackSocket'>,
): Iterable<string> {
  for (const webhook of webhooks) {
    for (const { value } of webhook.secrets) yield value.reveal();
    for (const { options } of allCommands(webhook)) yield* passwordsIn(options.urls);
  }
  for (const { token } of byProvider.values()) yield* tokensIn(token.reveal());
  if (slackSocket?.token != null) yield slackSocket.token.reveal();
}

/** A shorter part of a URL would be taken out of texts that have nothing to do with it. */
const SHORTEST_PART = 16;

/** Of a URL that is the secret itself, what an answer or a redirect can repeat of it counts, too. */
function* tokensIn(token: string): Iterable<string> {
  yield token;
  const url = /^https:/.test(token) ? URL.parse(token) : null;
  if (url === null) return;
  const signature = url.searchParams.get('sig') ?? '';
  const parts = [url.href, url.pathname + url.search, signature, encodeURIComponent(signature)];
  yield* parts.filter(({ length }) => length >= SHORTEST_PART);
}

/** The passwords of URLs that something is forwarded to. */
function* passwordsIn(urls: JsonValue | undefined): Iterable<string> {
  if (!Array.isArray(urls)) return;
  for (const url of urls) {
    const password = URL.parse(String(url))?.password ?? '';
    if (password !== '') yield* [password, decodeURIComponent(password)];
  }
}

/** The webhooks in force, frozen: a reload makes a new snapshot and swaps it in as a whole. */
export function createSnapshot(webhooks: readonly Webhook[]): Snapshot {
  const frozen = Object.freeze(webhooks.map((webhook) => deepFreeze(webhook)));
  return Object.freeze({
    webhooks: frozen,
    byEndpoint: new Map(frozen.map((webhook) => [webhook.endpoint, webhook])),
    byName: new Map(frozen.map((webhook) => [webhook.name, webhook])),
    byWebhookId: new Map(
      frozen.flatMap((webhook) =>
        webhook.origin.kind === 'dynamic' ? [[webhook.origin.webhookId, webhook] as const] : [],
      ),
    ),
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
