/** `repositories:` of webhooks.yml: repositories, Jira projects and Linear teams that hookctl works for. */
export interface Repositories {
  /** Whether the repository or project of an external id (`github:acme/web#4`, `jira:PROJ-1`) is named. */
  has(externalId: string): boolean;
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

export function openRepositories(entries: Readonly<Record<string, string>>): Repositories {
  const names = new Set(Object.keys(entries).map((name) => name.toLowerCase()));
  return { has: (externalId) => keysOf(externalId).some((key) => names.has(key)) };
}
