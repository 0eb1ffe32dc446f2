import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';

/** Where an agent works, with every link followed; or why it may not. */
type AgentFolder =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly message: string; readonly fix: string };

/**
 * The folder of an agent. A relative one has to lie in the project, also after all links are followed; any other one
 * has to be written as an absolute path, so that somebody meant it.
 */
export async function agentFolder(projectFolder: string, cwd: string): Promise<AgentFolder> {
  const written = resolve(projectFolder, cwd);
  const [path, project] = await Promise.all([realpath(written), realpath(projectFolder)]).catch(() => [
    null,
    null,
  ]);
  if (path === null || project === null || !(await stat(path)).isDirectory()) {
    return { ok: false, message: `there is no folder ${written}`, fix: 'Make it, or correct cwd.' };
  }
  if (isAbsolute(cwd) || isWithin(project, path)) return { ok: true, path };
  return {
    ok: false,
    message: `${cwd} leads out of the project, to ${path}`,
    fix: `If agents are to work there, write it as it is: cwd: ${path}`,
  };
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!isAbsolute(way) && way.split('/')[0] !== '..');
}
