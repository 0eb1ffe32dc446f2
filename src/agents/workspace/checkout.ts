import { createHash } from 'node:crypto';
import { rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { failure } from '../../errors.ts';
import type { Environment } from '../../lib/process/subprocess.ts';
import type { Task } from '../../types.ts';
import { createGit, type Git, tryGit } from './git.ts';
import type { Workspace } from './record.ts';

/** A step of making a checkout that went another way than asked for, for the run's log. */
type Note = (text: string) => void;

/**
 * The branch of a conversation, and where it starts: the one it had before; that of the pull request which the task is about, where it
 * is not here yet; otherwise a new name of `[a-z0-9-]`, from what the flow is about and the task's title. Its last letters are the
 * conversation's, so that no two share one.
 */
export async function startOf(
  git: Git,
  repository: string,
  { externalId, title, conversationId }: Task,
  { base: wanted, note }: { readonly base: string | undefined; readonly note: Note },
): Promise<Pick<Workspace, 'branch' | 'base' | 'pullBranch'>> {
  const key = createHash('sha256').update(conversationId).digest('hex').slice(0, 8);
  const refs = ['--format=%(refname:short)', '--count=1', `refs/heads/hookctl-*-${key}`];
  const earlier = (await git(repository, 'for-each-ref', ...refs)).trim();
  const pull = earlier === '' ? await pullBranch(git, repository, externalId) : null;
  const base = pull?.commit ?? (await baseCommit(git, repository, wanted, note));
  if (earlier !== '') return { branch: earlier, base };
  const about = slug(externalId.split(/[#/:!]/).at(-1) ?? '', 16);
  const own = ['hookctl', about, slug(title, 24), key].filter((part) => part !== '').join('-');
  if (pull === null) return { branch: own, base };
  // A local branch of that name may be somebody's work, or be checked out.
  const taken = await tryGit(git, repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${pull.name}`);
  return { branch: taken === null ? pull.name : own, base, pullBranch: pull.name };
}

/** Where hosts keep the heads of pull requests, by the provider and mark of an external id. */
const PULL_REFS: Readonly<Record<string, string>> = {
  'github#': 'pull',
  'gitea#': 'pull',
  'gitlab!': 'merge-requests',
};

/**
 * The branch of the pull request that an external id names, fetched. Null for an issue, for a fork's pull request, and where the remote
 * is of another repository.
 */
async function pullBranch(
  git: Git,
  repository: string,
  externalId: string,
): Promise<{ readonly name: string; readonly commit: string } | null> {
  const [, provider, path = '', mark, number] =
    /^(\w+):(?:[^/]*[.:][^/]*\/)?([\w.-]+(?:\/[\w.-]+)+)([#!])(\d+)$/.exec(externalId) ?? [];
  const place = PULL_REFS[`${provider}${mark}`];
  const url = await tryGit(git, repository, 'config', '--get', 'remote.origin.url');
  const isOwn =
    url
      ?.toLowerCase()
      .replace(/(?:\.git)?\/*$/, '')
      .endsWith(`/${path}`) ||
    url
      ?.toLowerCase()
      .replace(/(?:\.git)?\/*$/, '')
      .endsWith(`:${path}`);
  if (place === undefined || isOwn !== true) return null;
  const head = `refs/${place}/${number}/head`;
  const listed = (await tryGit(git, repository, 'ls-remote', 'origin', head, 'refs/heads/*')) ?? '';
  const refs = listed.split('\n').map((line) => line.split('\t'));
  const sha = refs.find(([, ref]) => ref === head)?.[0];
  const branches = refs.flatMap(([at, ref = '']) =>
    at === sha && ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : [],
  );
  const [name = ''] = branches;
  if (branches.length !== 1 || !/^[\w][\w./-]{0,200}$/.test(name)) return null;
  const fetched = await tryGit(
    ...([git, repository, 'fetch', '--quiet', '--no-tags', 'origin'] as const),
    `+refs/heads/${name}:refs/remotes/origin/${name}`,
  );
  const commit = await tryGit(
    git,
    repository,
    'rev-parse',
    '--verify',
    '--quiet',
    `refs/remotes/origin/${name}`,
  );
  return fetched === null || commit === null ? null : { name, commit };
}

function slug(text: string, most: number): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  return plain.slice(0, most).replace(/^-+|-+$/g, '');
}

/** The top folder of the repository around a folder. Throws `no_repository`. */
export async function repositoryOf(git: Git, folder: string): Promise<string> {
  const top = await tryGit(git, folder, 'rev-parse', '--show-toplevel');
  if (top !== null && top !== '') return top;
  throw failure('no_repository', `${folder} is in no git repository`, {
    fix: 'Point `cwd` of the agent at a checkout, or write workspace: shared.',
  });
}

/**
 * The commit where a new branch starts. A branch of a remote is fetched first; where that fails, the commit that was
 * fetched last is taken. Throws `no_base`.
 */
async function baseCommit(
  git: Git,
  repository: string,
  base: string | undefined,
  note: Note,
): Promise<string> {
  const [remote = '', ...rest] = base?.split('/') ?? [];
  const remotes = (await git(repository, 'remote')).split('\n');
  if (rest.length > 0 && remotes.includes(remote)) {
    await git(repository, 'fetch', '--quiet', '--no-tags', remote, rest.join('/')).catch((error: Error) =>
      note(`${base} could not be fetched, so the last known commit is used: ${error.message}`),
    );
  }
  const name = base ?? 'HEAD';
  const commit = await tryGit(git, repository, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`);
  if (commit !== null && commit !== '') return commit;
  throw failure('no_base', `${repository} has no commit ${name}`, {
    fix: base === undefined ? 'Commit something there first.' : 'Correct workspace.base of the agent.',
  });
}

/**
 * Makes the checkout of a record, on its branch: the branch as it is where it exists, otherwise a new one at the base.
 * What an earlier try left is removed first, and when it fails nothing is left.
 */
export async function makeCheckout(env: Environment, workspace: Workspace, note: Note): Promise<void> {
  const git = createGit(env);
  const { repository, path, branch } = workspace;
  await dropCheckout(git, workspace);
  const known = await tryGit(git, repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`);
  const make = workspace.use === 'worktree' ? addWorktree : cloneShared;
  try {
    await make(git, workspace, known);
  } catch (error) {
    // Git says that it could not write a file, and not why.
    const full = await diskFull(dirname(dirname(path)));
    await dropCheckout(git, workspace);
    if (full !== null || !/smudge|lfs/i.test(String(error))) {
      if (known === null) await tryGit(git, repository, 'branch', '-D', branch);
      throw full ?? error;
    }
    note('files of Git LFS could not be fetched: the checkout has their pointers');
    // The branch may have been made by the first try.
    const left = await tryGit(git, repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`);
    await make(createGit(env, { GIT_LFS_SKIP_SMUDGE: '1' }), workspace, left);
  }
  if (known !== null) note(`the branch ${branch} exists: work goes on there, in ${path}`);
}

/** Below this the disk counts as full, in bytes. */
const NO_ROOM = 8 * 1024 * 1024;

async function diskFull(folder: string): Promise<Error | null> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize > NO_ROOM) return null;
  return failure('disk_full', `there is no room for a checkout in ${folder}: its disk is full`, {
    fix: 'Make room there (hookctl workspace prune), or name another folder: workspaces.folder.',
  });
}

async function addWorktree(git: Git, { repository, path, branch, base }: Workspace, known: string | null) {
  const how = known === null ? ['--no-track', '-b', branch, path, base] : [path, branch];
  await git(repository, 'worktree', 'add', ...how);
}

/** Shares the objects of the repository and nothing else: configuration, hooks and branches are its own. */
async function cloneShared(git: Git, workspace: Workspace, known: string | null): Promise<void> {
  const { id, repository, path, branch, base } = workspace;
  await git(repository, 'update-ref', `refs/hookctl/${id}`, base);
  await git(repository, 'clone', '--quiet', '--shared', '--no-checkout', repository, path);
  const origin = await tryGit(git, repository, 'config', '--get', 'remote.origin.url');
  for (const name of ['user.name', 'user.email']) {
    const value = await tryGit(git, repository, 'config', '--get', name);
    if (value !== null) await git(path, 'config', name, value);
  }
  await git(path, 'checkout', '--quiet', '--no-track', '-B', branch, known ?? base);
  // Its remote is the repository's: a push into the repository itself would pass for shipped.
  if (origin === null) await git(path, 'remote', 'remove', 'origin');
  else await git(path, 'remote', 'set-url', 'origin', withoutPassword(origin));
}

/** A token in an address is the user's: an agent's checkout does not get it. */
function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1');
}

/** Brings the branch of a clone into the repository that it was made from. False when there is nothing to bring. */
export async function fetchBranch(git: Git, workspace: Workspace): Promise<boolean> {
  const { use, repository, path, branch, base } = workspace;
  if (use !== 'clone') return false;
  const head = await tryGit(git, path, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`);
  if (head === null || head === base) return false;
  const refs = `+refs/heads/${branch}:refs/heads/${branch}`;
  await git(repository, 'fetch', '--quiet', '--no-tags', '--no-write-fetch-head', path, refs);
  return true;
}

/** Removes the checkout, and its branch where that has no commit of its own. Whatever is missing already is no failure. */
export async function dropCheckout(git: Git, workspace: Workspace): Promise<void> {
  const { id, use, repository, path, branch, base } = workspace;
  if (use === 'worktree') await tryGit(git, repository, 'worktree', 'remove', '--force', '--force', path);
  await rm(path, { recursive: true, force: true });
  await tryGit(git, repository, 'worktree', 'prune');
  if (use === 'clone') await tryGit(git, repository, 'update-ref', '-d', `refs/hookctl/${id}`);
  if ((await tryGit(git, repository, 'rev-list', '--count', branch, `^${base}`)) === '0') {
    await tryGit(git, repository, 'branch', '-D', branch);
  }
}
