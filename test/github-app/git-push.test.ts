import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { writeApp } from '../../src/github-app/record.ts';
import { eventually } from '../support/eventually.ts';
import { bareRepository, type GitServer, startGitServer } from '../support/git-server.ts';
import { comment, signedPost } from '../support/github.ts';
import { type LoopbackGithub, startGithub } from '../support/github-app.ts';
import { createSandbox } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';
import { readStore } from '../support/server.ts';

let github: LoopbackGithub;
let server: GitServer;
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hookctl-git-'));
  github = await startGithub();
  server = await startGitServer(folder, (password, repository) =>
    github.issued.some(
      ({ token, repositories, permissions, expiresAt }) =>
        token === password &&
        repositories.includes(repository.split('/')[1] ?? '') &&
        permissions.contents === 'write' &&
        expiresAt > Date.now(),
    ),
  );
});
afterAll(async () => {
  await Promise.all([github.close(), server.close()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  github.issued.length = 0;
  server.seen.length = 0;
  github.installed = ['acme/api', 'acme/other'];
});

/** What an agent does; its environment and the command lines that it sees are kept beside it. */
const PUSH = (repository: string) => `#!/bin/sh
cat > /dev/null
env > environment
rm -rf work && git clone -q "${repository}" work 2>&1 || exit 3
cd work
git config user.name agent && git config user.email agent@example.com
date +%s%N > file && git add file && git commit -qm change
git push origin HEAD:main 2>&1 || exit 4
cat .git/config
echo pushed
`;

/** A run of an agent that pushes to a repository, for a task of acme/api. */
async function pushTo(repository: string, github_: string) {
  const sandbox = await createSandbox({
    files: {
      'webhooks.yml': `webhooks: { github: { commands: [{ name: analyze, targetAgent: pusher }] } }\nagents: { pusher: { use: command, program: ./push.sh, github: ${github_} } }`,
      'push.sh': PUSH(`${server.url}/${repository}.git`),
    },
    env: { HOME: folder },
  });
  await chmod(join(sandbox.project, 'push.sh'), 0o755);
  await writeApp(sandbox.dataFolder, github.app({ webUrl: server.url }));
  const served = await serveHere(sandbox);
  const payload = comment('@agent analyze push it');
  Object.assign(payload.repository as object, { full_name: 'acme/api' });
  await signedPost(served.url, payload);
  const run = await eventually(
    'the run to end',
    () =>
      readStore(sandbox, (store) => {
        const [task] = store.tasks({ limit: 1 });
        return task === undefined
          ? null
          : (store.runsOfTask(task.id).find(({ endedAt }) => endedAt !== null) ?? null);
      }),
    30_000,
  );
  const task = readStore(sandbox, (store) => store.task(run.taskId));
  const log = readFileSync(run.logPath ?? '', 'utf8');
  await served.stop();
  return { run, task, log, environment: readFileSync(join(sandbox.project, 'environment'), 'utf8'), served };
}

const heads = (name: string) =>
  execFileSync('git', ['log', '--oneline', 'main'], { cwd: join(folder, `${name}.git`) }).toString();

test.each(['short', 'long'] as const)(
  'git push of an agent: a fresh token of the App, %s shape, and nowhere to be read',
  async (shape) => {
    github.shape = shape;
    bareRepository(folder, 'acme/api');
    onTestFinished(() => rmSync(join(folder, 'acme'), { recursive: true, force: true }));
    const { task, log, environment, served } = await pushTo('acme/api', 'true');
    expect(task).toMatchObject({ status: 'completed', result: expect.stringContaining('pushed') });
    expect(heads('acme/api')).toContain('change');
    const tokens = github.issued.filter(({ permissions }) => permissions.contents === 'write');
    expect(tokens).toMatchObject([{ repositories: ['api'], permissions: { contents: 'write' } }]);
    const [{ token = '' } = {}] = tokens;
    expect(server.seen).toContain(`x-access-token:${token}`);
    for (const shown of [environment, log, task?.result, served.stdout(), served.stderr()])
      expect(shown).not.toContain(token);
    expect(environment).toContain('GIT_CONFIG_COUNT=3');
    expect(log).toContain('git gets a token for acme/api');
  },
);

test('git push of an agent: no token for another repository, unless its settings name it', async () => {
  bareRepository(folder, 'acme/other');
  onTestFinished(() => rmSync(join(folder, 'acme'), { recursive: true, force: true }));
  const refused = await pushTo('acme/other', 'true');
  expect(refused.task).toMatchObject({ status: 'failed' });
  expect(refused.log).toContain('the agent gets no token for acme/other');
  const named = await pushTo('acme/other', '{ repositories: [Acme/Other] }');
  expect(named.task).toMatchObject({ status: 'completed' });
  const none = await pushTo('acme/other', 'false');
  expect(none.environment).not.toContain('GIT_CONFIG_COUNT');
  expect(none.task).toMatchObject({ status: 'failed' });
});
