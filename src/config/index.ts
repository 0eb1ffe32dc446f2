import { ConfigError, type ConfigProblem } from '../errors.ts';
import type { Snapshot, Webhook } from '../types.ts';
import { type AssembledWebhook, assemble } from './assemble.ts';
import type { Located } from './locate.ts';
import { defaultProject, type ReadProject, readProject } from './project.ts';
import type { ProjectConfig } from './project-schema.ts';
import type { Known } from './resolve.ts';
import { resolveSecret, type SecretPlaces } from './secrets.ts';
import { createSnapshot } from './snapshot.ts';
import { loadStatic } from './static.ts';

export interface LoadOptions extends Known {
  readonly located: Located;
  readonly env: SecretPlaces['env'];
  /** False for commands that only look: no secret is generated, nothing is written. */
  readonly createMissing: boolean;
}

/** Everything that the project says, validated. */
export interface Configuration {
  readonly project: ProjectConfig;
  readonly snapshot: Snapshot;
  /** What the user should know although it is no mistake: replaced webhooks, variables that are not set. */
  readonly notices: readonly string[];
}

/**
 * webhooks.yml, the static modules it names and the built-in webhooks → one frozen snapshot. Throws ConfigError with
 * every problem of all files at once.
 */
export async function loadConfiguration(options: LoadOptions): Promise<Configuration> {
  const { located, env, createMissing, providers, actions } = options;
  const { project, source, problems } = await readOrDefault(located.projectFile);
  const modules =
    located.projectFile === null
      ? { definitions: [], problems: [] }
      : await loadStatic(source, project.static);
  const parts = { project, source, definitions: modules.definitions, providers, actions };
  const assembled = assemble(parts);
  const all = [...problems, ...modules.problems, ...assembled.problems];
  if (all.length > 0) throw new ConfigError(all.toSorted(byPlace));

  const places = { env, dataFolder: located.dataFolder, createMissing };
  const unlocked = await Promise.all(assembled.webhooks.map((entry) => unlock(entry, places)));
  return {
    project,
    snapshot: createSnapshot(unlocked.map(({ webhook }) => webhook)),
    notices: [...assembled.notices, ...unlocked.flatMap(({ notice }) => notice ?? [])],
  };
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

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
