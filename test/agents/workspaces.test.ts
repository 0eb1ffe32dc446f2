import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changeTask } from '../../src/tasks/transition.ts';
import { apisForFile } from '../outbox/support.ts';
import { onIssue } from '../support/engine.ts';
import { git, repository } from './repository.ts';
import { type AgentEngine, dumpsIn, startAgents } from './support.ts';

const apis = apisForFile();

const yaml = (workspace: string, more = '') => `agents:
  brain: { use: command, program: ./sh-agent, cwd: code, concurrency: 4, workspace: ${workspace} }
${more}`;

async function start(
  workspace: string,
  { more = '', prepare = (_: string): void => {} } = {},
): Promise<AgentEngine> {
  return startAgents({
    yaml: yaml(workspace, more),
    prepare(folder) {
      repository(folder);
      prepare(folder);
    },
  });
}

const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list[0] as T;
};

test('each conversation works in a worktree of its own, and its later runs find it as it was', async () => {
  const engine = await start('worktree');
  const first = await engine.ended((await engine.task('A\nsh: echo a > a', { externalId: 'x:1' })).id);
  const other = await engine.ended((await engine.task('B\nsh: ls', { externalId: 'x:2' })).id);
  const again = await engine.ended((await engine.task('C\nsh: cat a', { externalId: 'x:1' })).id);
  expect(first.state).toBe('completed');
  expect(again.folder).toBe(first.folder);
  expect(other.folder).not.toBe(first.folder);
  expect(readFileSync(join(first.folder ?? '', 'a'), 'utf8')).toBe('a\n');
  expect(existsSync(join(engine.folder, 'code', 'a'))).toBe(false);
  const branch = git(first.folder ?? '', 'branch', '--show-current');
  expect(branch).toMatch(/^hookctl-1-a-[0-9a-f]{8}$/);
  expect(engine.context.store.task(again.taskId)?.result).toBe(
    'a\nDone.\n\nNot shipped, on this machine alone: 1 uncommitted file.',
  );
});

test('setup runs once and teardown before the removal; neither sees secrets of hookctl', async () => {
  const engine = await start('{ use: worktree, setup: [[./step, setup]], teardown: [[./step, teardown]] }', {
    prepare(folder) {
      const code = join(folder, 'code');
      const step = `#!/bin/sh\n{ echo "$1 $HOOKCTL_BRANCH"; env | grep SECRET || true; } >> ${folder}/steps\n`;
      writeFileSync(join(code, 'step'), step, { mode: 0o755 });
      git(code, 'add', '.');
      git(code, 'commit', '-qm', 'Step');
    },
  });
  for (const name of ['A', 'B'])
    await engine.ended((await engine.task(`${name}\nsh: true`, { externalId: 'x:1' })).id);
  const { id, branch } = only(engine.workspaces.list());
  const steps = join(engine.folder, 'steps');
  expect(readFileSync(steps, 'utf8')).toBe(`setup ${branch}\n`);
  await engine.workspaces.remove(id, false);
  expect(readFileSync(steps, 'utf8')).toBe(`setup ${branch}\nteardown ${branch}\n`);
  expect(engine.workspaces.list()).toEqual([]);
  expect(git(join(engine.folder, 'code'), 'worktree', 'list').split('\n')).toHaveLength(1);
  // Its branch had no commit of its own.
  expect(git(join(engine.folder, 'code'), 'branch', '--list', branch)).toBe('');
});

test('a setup that fails fails the run with its last words, and runs again with the next one', async () => {
  const engine = await start('{ use: worktree, setup: [[sh, -c, "echo no such package; exit 3"]] }');
  const task = await engine.task('A\nsh: true');
  expect((await engine.ended(task.id)).state).toBe('failed');
  expect(engine.context.store.task(task.id)?.error).toBe(
    'the setup of the workspace failed: sh ended with status 3: no such package',
  );
  expect(only(engine.workspaces.list()).state).toBe('setup');
});

for (const [use, name, script, said] of [
  ['worktree', 'an untracked file', 'echo x > new', '1 uncommitted file'],
  [
    'clone',
    'a file where the configuration hides untracked ones',
    'git config status.showUntrackedFiles no; echo x > new',
    '1 uncommitted file',
  ],
  [
    'worktree',
    'a change behind skip-worktree',
    'git update-index --skip-worktree README; echo x > README',
    '1 uncommitted file',
  ],
  [
    'clone',
    'a commit',
    'echo x > new; git add new; git commit -qm New',
    /^1 commit of hookctl-\S+ that no remote has$/,
  ],
  [
    'worktree',
    'a detached commit',
    'git checkout -q --detach; git commit -q --allow-empty -m New',
    '1 commit of a detached HEAD that no remote has',
  ],
  ['worktree', 'an unfinished bisect', 'git bisect start -q', 'a bisect that is not finished'],
  ['clone', 'a stash', 'echo x > README; git stash -q', 'stashed changes'],
] as const) {
  test(`${use}: ${name} keeps the workspace until a removal is forced`, async () => {
    const engine = await start(use);
    await engine.ended((await engine.task(`A\nsh: ${script}`)).id);
    const { id, path, unshipped } = only(engine.workspaces.list());
    expect(only(unshipped)).toEqual(typeof said === 'string' ? said : expect.stringMatching(said));
    await expect(engine.workspaces.remove(id, false)).rejects.toMatchObject({ code: 'unshipped' });
    expect((await engine.workspaces.prune(true)).kept.map((each) => each.id)).toEqual([id]);
    expect(existsSync(path)).toBe(true);
    await engine.workspaces.remove(id, true);
    expect(existsSync(path)).toBe(false);
  });
}

test('a clone shares no configuration with its repository, which has its commits after each run', async () => {
  const engine = await start('clone');
  const code = join(engine.folder, 'code');
  const { folder } = await engine.ended(
    (
      await engine.task(
        'A\nsh: git config core.hooksPath evil; echo x > new; git add new; git commit -qm New',
      )
    ).id,
  );
  const { branch } = only(engine.workspaces.list());
  expect(git(code, 'log', '-1', '--format=%s', branch)).toBe('New');
  expect(git(code, 'config', '--list')).not.toContain('hookspath');
  expect(folder).not.toBe(code);
});

test('pushed work is shipped: the workspace goes when its flow has ended, and comes back on its branch', async () => {
  const engine = await start('{ use: worktree, base: origin/main, keepFor: 1s }', {
    prepare(folder) {
      git(folder, 'init', '-q', '--bare', 'remote');
      const code = join(folder, 'code');
      git(code, 'remote', 'add', 'origin', join(folder, 'remote'));
      git(code, 'push', '-q', 'origin', 'main');
      // The base is the remote's branch, not the one that is checked out.
      git(code, 'checkout', '-q', '-b', 'private');
      git(code, 'commit', '-q', '--allow-empty', '-m', 'Private');
    },
  });
  const task = await engine.task(
    'A\nsh: echo x > new; git add new; git commit -qm New; git push -q origin HEAD',
    { externalId: 'x:1' },
  );
  const run = await engine.ended(task.id);
  expect(engine.context.store.task(task.id)?.result).toBe('Done.');
  const { branch } = only(engine.workspaces.list());
  expect((await engine.workspaces.prune(true)).removed).toHaveLength(1);
  expect(existsSync(run.folder ?? '')).toBe(false);
  const next = await engine.task('B\nsh: git log --format=%s', { externalId: 'x:1' });
  const second = await engine.ended(next.id);
  expect(second.folder).toBe(run.folder);
  expect(only(engine.workspaces.list()).branch).toBe(branch);
  expect(engine.context.store.task(next.id)?.result).toBe('New\nOne\nDone.');
});

test('a workspace of a flow with an open task is not removed', async () => {
  const engine = await start('worktree');
  await engine.ended((await engine.task('A\nsh: true', { externalId: 'x:1' })).id);
  await engine.task('B', { externalId: 'x:1', agent: 'somebody' });
  const { id } = only(engine.workspaces.list());
  await expect(engine.workspaces.remove(id, true)).rejects.toMatchObject({ code: 'in_use' });
  expect(await engine.workspaces.prune(true)).toEqual({ removed: [], kept: [] });
});

test('beyond the bound a task waits and says why, until a workspace can go', async () => {
  const engine = await start('worktree', { more: 'workspaces: { count: 1 }\n' });
  await engine.ended((await engine.task('A\nsh: echo x > new', { externalId: 'x:1' })).id);
  const next = await engine.task('B\nsh: true', { externalId: 'x:2' });
  const { store } = engine.context;
  await expect
    .poll(() => store.runsOfTask(next.id)[0]?.reason)
    .toBe('workspaces take 1 of 1, 0.0 GB of 20.0 GB: hookctl workspace list');
  rmSync(join(only(engine.workspaces.list()).path, 'new'));
  expect((await engine.ended(next.id)).state).toBe('completed');
  expect(only(engine.workspaces.list()).flowId).toBe(next.flowId);
});

test('a repository with submodules: their work counts, too', async () => {
  const engine = await start(
    '{ use: worktree, setup: [[git, -c, protocol.file.allow=always, submodule, -q, update, --init]] }',
    {
      prepare(folder) {
        const [code, part] = [join(folder, 'code'), join(folder, 'part')];
        git(folder, 'clone', '-q', code, part);
        git(code, 'submodule', '-q', 'add', part, 'part');
        git(code, 'commit', '-qm', 'Part');
      },
    },
  );
  await engine.ended((await engine.task('A\nsh: echo x > part/new')).id);
  const { id, unshipped, path } = only(engine.workspaces.list());
  expect(unshipped).toEqual(['1 uncommitted file', '1 uncommitted file of the submodule part']);
  rmSync(join(path, 'part/new'));
  await engine.workspaces.remove(id, false);
  expect(existsSync(path)).toBe(false);
});

test('files of Git LFS that cannot be fetched are left as pointers, and that is said', async () => {
  const engine = await start('worktree', {
    prepare(folder) {
      const code = join(folder, 'code');
      writeFileSync(join(code, 'large.bin'), 'version https://git-lfs.github.com/spec/v1\n');
      git(code, 'add', '.');
      appendFileSync(join(code, '.gitattributes'), '*.bin filter=lfs\n');
      git(code, 'add', '.');
      git(code, 'commit', '-qm', 'Large');
      git(code, 'config', 'filter.lfs.required', 'true');
      git(code, 'config', 'filter.lfs.clean', 'cat');
      git(code, 'config', 'filter.lfs.smudge', '[ -n "$GIT_LFS_SKIP_SMUDGE" ] && cat');
    },
  });
  const run = await engine.ended((await engine.task('A\nsh: true')).id);
  expect(run.state).toBe('completed');
  expect(readFileSync(join(run.folder ?? '', 'large.bin'), 'utf8')).toContain('git-lfs');
  expect(readFileSync(run.logPath ?? '', 'utf8')).toContain('the checkout has their pointers');
});

test('two hookctl over one repository: each conversation of both has a worktree and a branch of its own', async () => {
  const first = await start('worktree');
  const code = join(first.folder, 'code');
  const second = await startAgents({
    yaml: yaml('worktree').replace('cwd: code', `cwd: ${code}`),
    prepare: repository,
  });
  const engines = [first, second];
  const made = await Promise.all(
    engines.flatMap((engine) =>
      Array.from({ length: 5 }, async (_, index) => {
        // The same issue in both.
        const { id } = await engine.task('Fix it\nsh: echo x > new; git add new; git commit -qm New', {
          externalId: `github:o/r#${index}`,
        });
        return engine.ended(id);
      }),
    ),
  );
  expect(made.map(({ state }) => state)).toEqual(made.map(() => 'completed'));
  expect(new Set(made.map(({ folder }) => folder)).size).toBe(10);
  const branches = engines.flatMap(({ workspaces }) => workspaces.list().map(({ branch }) => branch));
  expect(new Set(branches).size).toBe(10);
  for (const branch of branches) expect(git(code, 'log', '-1', '--format=%s', branch)).toBe('New');
  expect(git(code, 'status', '--porcelain')).toBe('');
  expect(git(code, 'fsck', '--no-dangling')).toBe('');
});

test('a branch that is checked out elsewhere fails the run, which leaves nothing behind', async () => {
  const engine = await start('worktree', {
    prepare: (folder) => writeFileSync(join(folder, 'elsewhere'), ''),
  });
  const first = await engine.task('A\nsh: true', { externalId: 'x:1' });
  await engine.ended(first.id);
  const { id, branch, path } = only(engine.workspaces.list());
  await engine.workspaces.remove(id, true);
  const code = join(engine.folder, 'code');
  git(code, 'worktree', 'add', '-q', '-b', branch, join(engine.folder, 'mine'));
  const next = await engine.task('B\nsh: true', { externalId: 'x:1' });
  expect((await engine.ended(next.id)).state).toBe('failed');
  expect(engine.context.store.task(next.id)?.error).toContain('is already checked out at');
  expect(existsSync(path)).toBe(false);
  expect(engine.workspaces.list()).toEqual([]);
  expect(dumpsIn(engine.folder)).toEqual([]);
});

test('an agent that completes its task by its own tools: a comment says what is not shipped', async () => {
  const engine = await startAgents({
    yaml: `agents: { planning: { use: command, program: ./sh-agent, cwd: code, workspace: worktree } }
credentials: { github: { tokenEnv: TOKEN, baseUrl: "${apis().url}" } }\n`,
    env: { TOKEN: 't' },
    prepare(folder) {
      repository(folder);
      const slow = `#!/bin/sh\ncat > /dev/null\necho x > new\nwhile [ ! -f ${folder}/go ]; do sleep 0.05; done\n`;
      writeFileSync(join(folder, 'sh-agent'), slow);
    },
  });
  const { tasks } = await engine.deliver('github', 'issue_comment.created', onIssue(713));
  const id = tasks[0]?.id ?? '';
  await expect.poll(() => engine.context.store.runsOfTask(id)[0]?.pid ?? null).not.toBeNull();
  await changeTask(engine.context, id, 'complete', { actor: 'mcp', result: 'All done.' }, engine.folder);
  writeFileSync(join(engine.folder, 'go'), '');
  await engine.ended(id);
  const said = () => apis().posts.map(({ text }) => text);
  await expect
    .poll(() => said().some((text) => text.includes('on this machine alone: 1 uncommitted file')))
    .toBe(true);
});
