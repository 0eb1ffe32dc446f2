import { realpathSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Configuration } from './index.ts';
import { contentHash, type KeptModules, type UnloadedFile, unloadedFiles } from './modules/kept-modules.ts';
import { staticFiles } from './modules/static.ts';

/** Editors replace a file by removing it first: what is gone for less than this, in ms, is not reported as removed. */
const REPLACED_WITHIN_MS = 250;

interface SourceLooks {
  /** The project's files that are not as they were loaded. */
  look(): Promise<readonly UnloadedFile[]>;
}

/**
 * Compares webhooks.yml and the modules that `static:` names with what was loaded. By their content and the paths that
 * links lead to: a watch sees neither a module that is new nor a folder link on the path that is pointed elsewhere.
 */
export function sourceLooks({
  source,
  project,
  modules,
}: Pick<Configuration, 'source' | 'project' | 'modules'>): SourceLooks {
  const known = new Map<string, { readonly stamp: string; readonly hash: string | null }>();
  const hasProject = modules.files[source.file] !== undefined;

  async function current(): Promise<KeptModules['files']> {
    if (!hasProject) return {};
    const named = await staticFiles(source, project.static).catch(() => []);
    const files = new Set([...named, ...Object.keys(modules.files)]);
    return Object.fromEntries(
      [...files].flatMap((file) => {
        const hash = hashOf(file);
        return hash === null ? [] : [[file, hash]];
      }),
    );
  }

  /** Read again only when the file is another one, or was written. */
  function hashOf(file: string): string | null {
    const stamp = stampOf(file);
    const last = known.get(file);
    if (last?.stamp === stamp) return last.hash;
    const hash = contentHash(file);
    known.set(file, { stamp, hash });
    return hash;
  }

  return {
    async look() {
      const found = unloadedFiles(modules.files, await current());
      if (found.every(({ state }) => state !== 'removed')) return found;
      await delay(REPLACED_WITHIN_MS);
      return unloadedFiles(modules.files, await current());
    },
  };
}

function stampOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${realpathSync(file)} ${dev} ${ino} ${size} ${mtimeNs}`;
  } catch {
    return 'absent';
  }
}
