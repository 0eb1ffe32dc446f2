import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isJsonObject } from '../../lib/json.ts';
import type { JsonValue } from '../../types.ts';

/** Without a project, and where a folder's name has nothing that a list's name may have. */
const DEFAULT_LIST = 'hookctl';
const MAX_NAME = 64;
/** A list keeps its finished tasks only for a while, so that it has some tens of entries. */
const MAX_ENTRIES = 200;

/**
 * The name of Claude's list of a project: that of its folder, with a hash of the path behind it where another project's
 * tasks are in the list of that name, so that two projects never write one list.
 */
export function defaultClaudeList(
  projectFile: string | null,
  env: Readonly<Record<string, string | undefined>>,
): string {
  if (projectFile === null) return DEFAULT_LIST;
  const project = dirname(projectFile);
  const name = basename(project)
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, MAX_NAME);
  if (name === '') return DEFAULT_LIST;
  const configDir = env.CLAUDE_CONFIG_DIR || join(env.HOME || homedir(), '.claude');
  const owner = ownerOf(join(configDir, 'tasks', name));
  if (owner === null || owner === project) return name;
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 6);
  return `${name.slice(0, MAX_NAME - 7)}-${hash}`;
}

/** The project whose tasks a list holds; null when no entry names one. */
function ownerOf(folder: string): string | null {
  try {
    for (const file of readdirSync(folder)
      .filter((it) => /^\d+\.json$/.test(it))
      .slice(0, MAX_ENTRIES)) {
      const entry = JSON.parse(readFileSync(join(folder, file), 'utf8')) as JsonValue;
      const metadata = isJsonObject(entry) ? entry.metadata : null;
      if (isJsonObject(metadata ?? null)) {
        const { project } = metadata as { readonly project?: JsonValue };
        if (typeof project === 'string') return project;
      }
    }
  } catch {
    // No list, or an entry that is being written: the name is free as far as can be told.
  }
  return null;
}
