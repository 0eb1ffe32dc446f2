import { readFile } from 'node:fs/promises';
import type { ConfigProblem } from '../../errors.ts';
import { withoutFaulty } from '../modules/prune.ts';
import { diagnosticsOf, type Source, toProblem } from '../problems.ts';
import { type ProjectConfig, projectSchema } from './schema.ts';
import { readYaml } from './yaml-source.ts';

/** webhooks.yml as read. With problems, `project` holds what is right, so that it can be checked further. */
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
  const faults = diagnosticsOf(projectSchema, result.error);
  return {
    project: projectSchema.safeParse(withoutFaulty(written, faults)).data ?? defaultProject(),
    source,
    problems: faults.map((fault) => toProblem(source, fault)),
  };
}
