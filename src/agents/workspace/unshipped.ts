import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Git, tryGit } from './git.ts';
import type { Workspace } from './record.ts';

/** Files of a git folder that are there while an operation is not finished. */
const UNFINISHED: Readonly<Record<string, string>> = {
  'rebase-merge': 'a rebase',
  'rebase-apply': 'a rebase',
  MERGE_HEAD: 'a merge',
  CHERRY_PICK_HEAD: 'a cherry-pick',
  REVERT_HEAD: 'a revert',
  BISECT_LOG: 'a bisect',
};

/**
 * Work in a checkout that would be lost with it, or that no remote has, in words; empty when there is none. What is
 * ignored does not count. `git` runs in the agent's sandbox where it has one: a checkout's own configuration names
 * programs that git starts.
 */
export async function unshippedWork(git: Git, workspace: Workspace): Promise<readonly string[]> {
  const { path, use, base } = workspace;
  if (!(await isThere(path))) return [];
  const found = [
    ...(await uncommitted(git, path)),
    ...(await unfinished(git, path)),
    ...(await unpushed(git, path, { base, branches: use === 'clone' ? ['--branches'] : [] })),
  ];
  if (
    use === 'clone' &&
    (await tryGit(git, path, 'rev-parse', '--verify', '--quiet', 'refs/stash')) !== null
  ) {
    found.push('stashed changes');
  }
  for (const folder of await submodules(git, path)) {
    const inside = [
      ...(await uncommitted(git, folder)),
      ...(await unpushed(git, folder, { base: null, branches: [] })),
    ];
    found.push(...inside.map((text) => `${text} of the submodule ${folder.slice(path.length + 1)}`));
  }
  return found;
}

async function uncommitted(git: Git, path: string): Promise<readonly string[]> {
  const status = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames'];
  const changed = namesOf(await git(path, ...status));
  // Of these files `status` reports no change.
  const flagged = (await git(path, 'ls-files', '-v', '-z'))
    .split('\0')
    .filter((line) => /^[a-zS] /.test(line));
  for (const line of flagged) {
    const name = line.slice(2);
    if (!(await isThere(join(path, name)))) continue;
    const [now, known] = await Promise.all([
      tryGit(git, path, 'hash-object', '--', name),
      tryGit(git, path, 'rev-parse', `:${name}`),
    ]);
    if (now !== known) changed.push(name);
  }
  return changed.length === 0 ? [] : [counted(changed.length, 'uncommitted file')];
}

function namesOf(status: string): string[] {
  return status.split('\0').filter((line) => line !== '');
}

async function unfinished(git: Git, path: string): Promise<readonly string[]> {
  const folder = (await git(path, 'rev-parse', '--absolute-git-dir')).trim();
  const found = await Promise.all(
    Object.entries(UNFINISHED).map(async ([name, what]) =>
      (await isThere(join(folder, name))) ? [what] : [],
    ),
  );
  return found.flat().map((what) => `${what} that is not finished`);
}

/** Commits that no remote has, as far as the last fetch knows; then the remote itself is asked whether it has the last one. */
async function unpushed(
  git: Git,
  path: string,
  { base, branches }: { readonly base: string | null; readonly branches: readonly string[] },
): Promise<readonly string[]> {
  const head = await tryGit(git, path, 'rev-parse', '--verify', '--quiet', 'HEAD');
  if (head === null) return [];
  const known = base === null ? [] : [`^${base}`];
  const own = ['HEAD', ...branches, ...known];
  const count = Number(await git(path, 'rev-list', '--count', ...own, '--not', '--remotes'));
  if (count === 0) return [];
  const remote = await tryGit(git, path, 'ls-remote', 'origin');
  if (remote?.includes(head)) return [];
  const name = (await tryGit(git, path, 'symbolic-ref', '--short', '--quiet', 'HEAD')) ?? 'a detached HEAD';
  return [`${counted(count, 'commit')} of ${name} that no remote has`];
}

async function submodules(git: Git, path: string): Promise<readonly string[]> {
  const staged = (await git(path, 'ls-files', '-s', '-z')).split('\0');
  const folders = staged.flatMap((line) => {
    const name = /^160000 [0-9a-f]+ \d\t(.*)$/s.exec(line)?.[1];
    return name === undefined ? [] : [join(path, name)];
  });
  const found = await Promise.all(
    folders.map(async (folder) => ((await isThere(join(folder, '.git'))) ? [folder] : [])),
  );
  return found.flat();
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
