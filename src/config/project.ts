import { readFile } from 'node:fs/promises';
import type { ConfigProblem } from '../errors.ts';
import { type Fault, faultsOf, type Source, toProblem } from './problems.ts';
import { type ProjectConfig, projectSchema } from './project-schema.ts';
import { readYaml } from './yaml-source.ts';

/** webhooks.yml as read. With problems, `project` holds the sections that are right, so that those can be checked. */
export interface ReadProject {
  readonly project: ProjectConfig;
  readonly source: Source;
  readonly problems: readonly ConfigProblem[];
}

/** The configuration of a folder without webhooks.yml. */
export function defaultProject(): ProjectConfig {
  return projectSchema.parse({});
}

/** Reads webhooks.yml. Mistakes are returned; a file that cannot be read at all is thrown. */
export async function readProject(file: string): Promise<ReadProject> {
  const { value, source, problems } = readYaml(file, await readFile(file, 'utf8'));
  if (problems.length > 0) return { project: defaultProject(), source, problems };
  // An empty file, or one with comments only, is a project without settings.
  const written = value ?? {};
  const result = projectSchema.safeParse(written);
  if (result.success) return { project: result.data, source, problems };
  const faults = faultsOf(projectSchema, result.error);
  return {
    project: projectSchema.safeParse(withoutFaulty(written, faults)).data ?? defaultProject(),
    source,
    problems: faults.map((fault) => toProblem(source, fault)),
  };
}

/** The sections without a fault; under `webhooks:` each entry stands for itself. */
function withoutFaulty(written: unknown, faults: readonly Fault[]): unknown {
  const faulty = new Set(
    faults.flatMap(({ path }) => [path.slice(0, 1).join('.'), path.slice(0, 2).join('.')]),
  );
  const keep = (entries: object, prefix: string) =>
    Object.fromEntries(Object.entries(entries).filter(([key]) => !faulty.has(prefix + key)));
  const { webhooks, ...rest } = written as { webhooks?: unknown };
  const isMap = typeof webhooks === 'object' && webhooks !== null && !Array.isArray(webhooks);
  return { ...keep(rest, ''), ...(isMap ? { webhooks: keep(webhooks, 'webhooks.') } : {}) };
}
