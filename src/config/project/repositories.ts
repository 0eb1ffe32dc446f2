import { resolve } from 'node:path';

/** `repositories:` of webhooks.yml: repositories, Jira projects and Linear teams, and where they are checked out. */
export interface Repositories {
  /** Whether the repository or project of an external id (`github:acme/web#4`, `jira:PROJ-1`) is named. */
  has(externalId: string): boolean;
  /** The absolute path of its checkout; null when it is not named. */
  folderOf(externalId: string): string | null;
  /** The line of webhooks.yml that would name it; null for what belongs to no repository or project. */
  lineFor(externalId: string): string | null;
  /** Whether any is named. */
  readonly isEmpty: boolean;
}

/** Keys of the same repository that say more come first: `github:git.example.com/acme/web`, without provider, without host. */
function keysOf(externalId: string): readonly string[] {
  const [, provider = '', rest = ''] = /^(\w+):(.+)$/.exec(externalId) ?? [];
  const project = /^(?:[^/]+\/)?([A-Za-z][A-Za-z0-9_]+)-\d+$/.exec(rest)?.[1]?.toLowerCase();
  if (provider === 'jira' || provider === 'linear') {
    return project === undefined ? [] : [`${provider}:${project}`, project];
  }
  const path = /^[\w.:-]+(?:\/[\w.-]+)+(?=[#!@$&])/.exec(rest)?.[0]?.toLowerCase();
  if (path === undefined) return [];
  const withoutHost = path.replace(/^[^/]*[.:][^/]*\/(?=.*\/)/, '');
  return [`${provider}:${path}`, path, withoutHost];
}

/** `projectFolder`: what relative paths start at. */
export function openRepositories(
  entries: Readonly<Record<string, string>>,
  projectFolder: string,
): Repositories {
  const folders = new Map(
    Object.entries(entries).map(([name, path]) => [name.toLowerCase(), resolve(projectFolder, path)]),
  );
  const folderOf = (externalId: string) =>
    keysOf(externalId)
      .map((key) => folders.get(key))
      .find((folder) => folder !== undefined) ?? null;
  return {
    has: (externalId) => folderOf(externalId) !== null,
    folderOf,
    lineFor(externalId) {
      const [, key] = keysOf(externalId);
      return key === undefined ? null : `repositories: { ${key}: … }`;
    },
    isEmpty: folders.size === 0,
  };
}
