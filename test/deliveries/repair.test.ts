import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { DispatchResult } from '../../src/deliveries/context.ts';
import { receive } from '../../src/deliveries/receive.ts';
import { closeServer, listen } from '../../src/lib/http/listen.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import { checkResultIn } from '../../src/providers/ci/result.ts';
import type { JsonObject, JsonValue, WebhookEvent } from '../../src/types.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { providerNamed } from '../support/providers.ts';

/** A pull request of the loopback GitHub. */
interface Pull {
  readonly number: number;
  head: string;
  readonly branch?: string;
  readonly fork?: boolean;
}

interface Github {
  readonly url: string;
  readonly pulls: Map<number, Pull>;
  /** Texts of comments. */
  readonly comments: string[];
  readonly paths: string[];
  log: string;
}

const REPOSITORY = 1296269;

/** GitHub's API as far as repairs ask it; ends with the test. */
async function githubForTest(): Promise<Github> {
  const github: Github = { url: '', pulls: new Map(), comments: [], paths: [], log: '' };
  const pullJson = ({ number, head, branch = `hookctl/fix-${number}`, fork = false }: Pull) => ({
    number,
    state: 'open',
    head: { sha: head, ref: branch, repo: { id: fork ? 5 : REPOSITORY } },
    base: { ref: 'main', repo: { id: REPOSITORY } },
  });
  const answer = (path: string): JsonValue | undefined => {
    const pull = /\/pulls\/(\d+)$/.exec(path)?.[1];
    const sha = /\/commits\/([0-9a-f]+)\/pulls$/.exec(path)?.[1];
    if (pull !== undefined) {
      const found = github.pulls.get(Number(pull));
      return found === undefined ? undefined : pullJson(found);
    }
    if (sha !== undefined) return [...github.pulls.values()].filter(({ head }) => head === sha).map(pullJson);
    if (path.includes('/jobs?')) {
      const steps = [{ name: 'Run tests', conclusion: 'failure' }];
      return { jobs: [{ id: 9, name: 'test', conclusion: 'failure', steps }] };
    }
    return path.includes('/comments?') ? [] : undefined;
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    github.paths.push(path);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'POST') {
        github.comments.push((JSON.parse(body) as { body: string }).body);
        return response.writeHead(201).end(JSON.stringify({ id: github.comments.length }));
      }
      if (path.endsWith('/logs')) return response.writeHead(302, { location: `${github.url}/raw` }).end();
      if (path === '/raw') {
        if (request.headers.authorization !== undefined)
          github.paths.push('the token went to the log’s host');
        return response.writeHead(200).end(github.log);
      }
      const found = answer(path);
      response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found ?? {}));
    });
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => closeServer(server));
  return Object.assign(github, { url: `http://127.0.0.1:${port}` });
}

async function engineFor({ url }: Github, bounds = ''): Promise<TestEngine> {
  return startEngine({
    yaml: `
credentials: { github: { baseUrl: '${url}' } }
webhooks:
  github:
    repair: { checks: ['ci*'], notify: '@octo-org/ci'${bounds} }
`,
    env: { GITHUB_TOKEN: 'ghp_0123456789abcdefghij0123456789abcdefgh' },
  });
}

/** Delivers a payload as GitHub would; null where it is a duplicate. */
async function deliver(
  { context, queue }: TestEngine,
  type: string,
  payload: JsonObject,
): Promise<DispatchResult | string> {
  const provider = providerNamed('github');
  const webhook = context.snapshot().byName.get('github');
  if (provider === null || webhook === undefined) throw new Error('no github');
  const signing = { type, secret: secret('a'), deliveryId: randomUUID(), now: new Date() };
  const request = provider.sign(Buffer.from(JSON.stringify(payload)), signing);
  const { deliveryId: id, externalId, status } = await receive(context, webhook, { ...request, query: '' });
  if (status !== 'pending') return status;
  return (await queue.push({ id, externalId, attempts: 0, nextAttemptAt: null })) ?? 'closed';
}

const COMMON: JsonObject = {
  repository: {
    id: REPOSITORY,
    full_name: 'octo-org/octo-repo',
    html_url: 'https://github.com/octo-org/octo-repo',
    default_branch: 'main',
  },
  sender: { id: 5, login: 'ci[bot]', type: 'Bot' },
};

interface Check {
  readonly sha: string;
  readonly pull?: number | null;
  readonly name?: string;
  readonly conclusion?: string;
  readonly branch?: string | null;
  readonly summary?: string;
  readonly id?: number;
}

function checkRun(check: Check): JsonObject {
  const {
    sha,
    pull = 57,
    name = 'ci',
    conclusion = 'failure',
    branch = 'hookctl/fix-57',
    summary = 'one',
  } = check;
  const pulls =
    pull === null
      ? []
      : [{ number: pull, head: { sha, repo: { id: REPOSITORY } }, base: { repo: { id: REPOSITORY } } }];
  return {
    action: 'completed',
    check_run: {
      id: check.id ?? 1,
      name,
      head_sha: sha,
      conclusion,
      html_url: 'https://github.com/octo-org/octo-repo/runs/1',
      app: { slug: 'circleci' },
      output: { title: null, summary },
      pull_requests: pulls,
      check_suite: { head_branch: branch, pull_requests: pulls },
    },
    ...COMMON,
  };
}

const sha = (letter: string) => letter.repeat(40);

function repairsIn({ context }: TestEngine) {
  return context.store
    .tasks({ limit: 100 })
    .filter(({ sourceMetadata }) => sourceMetadata.repair !== undefined);
}

test('repair: 200 check events of 3 heads make one repair for each head, within the attempts', async () => {
  const github = await githubForTest();
  const engine = await engineFor(github, ', attempts: 3');
  const pull: Pull = { number: 57, head: sha('a') };
  github.pulls.set(57, pull);
  for (const letter of ['a', 'b', 'c']) {
    pull.head = sha(letter);
    const events = Array.from({ length: 67 }, (_, at) =>
      checkRun({
        sha: sha(letter),
        name: `ci-${at % 40}`,
        id: at,
        summary: `${letter} breaks the ${at % 40 === 0 ? letter : 'others'}`,
      }),
    );
    await Promise.all(events.map((event) => deliver(engine, 'check_run.completed', event)));
    expect(
      repairsIn(engine).filter(
        ({ sourceMetadata }) => (sourceMetadata.repair as JsonObject).sha === sha(letter),
      ),
    ).toHaveLength(1);
  }
  expect(repairsIn(engine)).toHaveLength(3);
  const flows = new Set(repairsIn(engine).map(({ flowId, conversationId }) => flowId + conversationId));
  expect(flows.size).toBe(1);
  expect(repairsIn(engine).every(({ status }) => status === 'queued')).toBe(true);
});

test('repair: attempts are capped, and one comment tags the person named', async () => {
  const github = await githubForTest();
  const engine = await engineFor(github);
  const pull: Pull = { number: 57, head: '' };
  github.pulls.set(57, pull);
  for (const letter of ['a', 'b', 'c', 'd', 'e']) {
    pull.head = sha(letter);
    await deliver(engine, 'check_run.completed', checkRun({ sha: sha(letter), summary: `cause ${letter}` }));
  }
  expect(repairsIn(engine)).toHaveLength(2);
  await expect.poll(() => github.comments.length).toBe(1);
  expect(github.comments[0]).toMatch(
    /^<!-- hookctl:out-\w+ -->\n@octo-org\/ci hookctl does not repair ci of c{12}: 2 repairs did not make it green/,
  );
});

test('repair: the same failure twice in a row ends it, whatever its numbers', async () => {
  const github = await githubForTest();
  const engine = await engineFor(github, ', attempts: 9');
  const pull: Pull = { number: 57, head: '' };
  github.pulls.set(57, pull);
  for (const [at, letter] of ['a', 'b', 'c'].entries()) {
    pull.head = sha(letter);
    github.log = `2026-11-30T10:0${at}:00.1234567Z setup\n2026-11-30T10:0${at}:01.1234567Z ##[error]login.test.ts failed in ${at}123 ms\nbye`;
    await deliver(engine, 'workflow_run.completed', workflowRun(sha(letter)));
  }
  expect(repairsIn(engine)).toHaveLength(1);
  const [task] = repairsIn(engine);
  expect(task?.prompt).toMatch(
    /<untrusted-[0-9a-f]{32} source="log"[^>]*>job test, step Run tests\nsetup\n##\[error\]login\.test\.ts failed/,
  );
  expect(github.paths).not.toContain('the token went to the log’s host');
  await expect.poll(() => github.comments.length).toBe(1);
  expect(github.comments[0]).toContain('the same failure came again');
});

function workflowRun(head: string, conclusion = 'failure', attempt = 1): JsonObject {
  return {
    action: 'completed',
    workflow_run: {
      id: 77,
      name: 'ci',
      path: '.github/workflows/ci.yml',
      run_attempt: attempt,
      head_sha: head,
      head_branch: 'hookctl/fix-57',
      head_repository: { id: REPOSITORY },
      conclusion,
      pull_requests: [],
    },
    ...COMMON,
  };
}

test.each<readonly [string, Check, Partial<Pull>]>([
  ['of a fork', { sha: sha('a'), pull: null, branch: null }, {}],
  ['of a fork’s pull request', { sha: sha('a') }, { fork: true, branch: 'hookctl/x' }],
  ['of the default branch', { sha: sha('a'), pull: null, branch: 'main' }, {}],
  ['of a branch of somebody else', { sha: sha('a'), branch: 'topic' }, { branch: 'topic' }],
  ['of an earlier commit', { sha: sha('a') }, { head: sha('b') }],
  ['of a check that is not named', { sha: sha('a'), name: 'lint' }, {}],
  ['that was cancelled', { sha: sha('a'), conclusion: 'cancelled' }, {}],
  ['without a pull request', { sha: sha('9'), pull: null, branch: 'hookctl/y' }, {}],
])('repair: nothing is repaired of a result %s', async (_, check, pull) => {
  const github = await githubForTest();
  const engine = await engineFor(github);
  github.pulls.set(57, { number: 57, head: sha('a'), ...pull });
  const result = await deliver(engine, 'check_run.completed', checkRun(check));
  expect(result).toMatchObject({ delivery: { status: 'ignored', reason: expect.stringMatching(/\w/) } });
  expect([repairsIn(engine), github.comments]).toEqual([[], []]);
});

test('repair: what needs a person is said once and not tried', async () => {
  const github = await githubForTest();
  const engine = await engineFor(github);
  github.pulls.set(57, { number: 57, head: sha('a') });
  for (const id of [1, 2]) {
    const waiting = checkRun({ sha: sha('a'), conclusion: 'action_required', summary: `${id}`, id });
    await deliver(engine, 'check_run.completed', waiting);
  }
  await expect.poll(() => github.comments.length).toBe(1);
  expect(repairsIn(engine)).toEqual([]);
});

test('repair: a green second attempt withdraws a repair that has not started', async () => {
  const github = await githubForTest();
  const engine = await engineFor(github);
  github.pulls.set(57, { number: 57, head: sha('a') });
  await deliver(engine, 'workflow_run.completed', workflowRun(sha('a')));
  expect(repairsIn(engine)).toMatchObject([{ status: 'queued' }]);
  await deliver(engine, 'workflow_run.completed', workflowRun(sha('a'), 'success', 2));
  expect(repairsIn(engine)).toMatchObject([{ status: 'cancelled' }]);
});

test('repair: two instances that repair one pull request both end', async () => {
  const github = await githubForTest();
  const engines = [await engineFor(github), await engineFor(github)];
  const pull: Pull = { number: 57, head: '' };
  github.pulls.set(57, pull);
  // Each repair pushes a commit that fails in another way.
  for (let at = 0; at < 12; at += 1) {
    pull.head = at.toString(16).repeat(40);
    for (const engine of engines)
      await deliver(
        engine,
        'check_run.completed',
        checkRun({ sha: pull.head, summary: `cause ${String.fromCharCode(97 + at)}` }),
      );
  }
  expect(engines.map((engine) => repairsIn(engine).length)).toEqual([2, 2]);
  await expect.poll(() => github.comments.length).toBe(2);
});

const event = (type: string, payload: JsonObject): WebhookEvent =>
  ({ type, payload }) as unknown as WebhookEvent;

test.each<readonly [string, string, string, JsonObject, object | null]>([
  [
    'GitHub',
    'check_run of Actions',
    'check_run.completed',
    { check_run: { app: { slug: 'github-actions' }, conclusion: 'failure', head_sha: 'a' } },
    null,
  ],
  ['GitHub', 'check_run that is asked for again', 'check_run.rerequested', checkRun({ sha: 'a' }), null],
  [
    'GitHub',
    'workflow_run without a conclusion',
    'workflow_run.completed',
    { workflow_run: { status: 'queued', conclusion: null, head_sha: 'a' } },
    null,
  ],
  [
    'GitHub',
    'startup_failure',
    'workflow_run.completed',
    workflowRun('a', 'startup_failure'),
    { verdict: 'infrastructure' },
  ],
  [
    'GitHub',
    'timed_out',
    'workflow_run.completed',
    workflowRun('a', 'timed_out'),
    { verdict: 'red', isFork: false },
  ],
  ['GitHub', 'stale', 'workflow_run.completed', workflowRun('a', 'stale'), { verdict: 'none' }],
  ['GitHub', 'a status that waits', 'status', { sha: 'a', state: 'pending', context: 'ci/x' }, null],
  [
    'GitHub',
    'a status',
    'status',
    {
      sha: 'a',
      state: 'failure',
      context: 'ci/x',
      branches: [{ name: 'main', commit: { sha: 'a' } }],
      ...COMMON,
    },
    { verdict: 'red', isDefaultBranch: true, source: 'status ci/x' },
  ],
  [
    'GitHub',
    'an error of a status',
    'status',
    { sha: 'a', state: 'error', context: 'ci/x' },
    { verdict: 'infrastructure' },
  ],
  [
    'GitHub',
    'a deployment',
    'deployment_status.created',
    { deployment: { sha: 'a', environment: 'prod' }, deployment_status: { state: 'failure' } },
    { verdict: 'infrastructure' },
  ],
  [
    'GitLab',
    'a pipeline',
    'pipeline',
    {
      object_attributes: { id: 1, sha: 'a', status: 'failed' },
      merge_request: { iid: 7, source_project_id: 1, target_project_id: 1 },
      builds: [
        { id: 4, name: 'test', status: 'failed', allow_failure: false, failure_reason: 'script_failure' },
      ],
    },
    { verdict: 'red', number: '7', isFork: false, names: ['pipeline', 'test'] },
  ],
  [
    'GitLab',
    'a pipeline of a fork',
    'pipeline',
    {
      object_attributes: { sha: 'a', status: 'failed' },
      merge_request: { iid: 7, source_project_id: 2, target_project_id: 1 },
    },
    { isFork: true },
  ],
  [
    'GitLab',
    'a runner that failed',
    'pipeline',
    {
      object_attributes: { sha: 'a', status: 'failed' },
      builds: [{ name: 'test', status: 'failed', failure_reason: 'runner_system_failure' }],
    },
    { verdict: 'infrastructure' },
  ],
  [
    'GitLab',
    'a pipeline that is canceled',
    'pipeline',
    { object_attributes: { sha: 'a', status: 'canceled' } },
    { verdict: 'none' },
  ],
  [
    'GitLab',
    'a pipeline that waits for a runner',
    'pipeline',
    { object_attributes: { sha: 'a', status: 'waiting_for_resource' } },
    null,
  ],
  [
    'Bitbucket',
    'a build',
    'repo:commit_status_updated',
    { commit_status: { key: 'k', state: 'FAILED', refname: 'topic', commit: { hash: 'a' } } },
    { verdict: 'red', branch: 'topic', source: 'build k' },
  ],
  [
    'Bitbucket',
    'a build that was stopped',
    'repo:commit_status_updated',
    { commit_status: { key: 'k', state: 'STOPPED', commit: { hash: 'a' } } },
    { verdict: 'none' },
  ],
  [
    'Bitbucket',
    'a build that runs',
    'repo:commit_status_created',
    { commit_status: { key: 'k', state: 'INPROGRESS', commit: { hash: 'a' } } },
    null,
  ],
])('results of checks: %s, %s', (provider, _, type, payload, expected) => {
  const result = checkResultIn(provider.toLowerCase(), event(type, payload));
  if (expected === null) expect(result).toBeNull();
  else expect(result).toMatchObject(expected);
});

/** A job hook of GitLab as its documentation has it. */
const JOB: JsonObject = {
  object_kind: 'build',
  ref: 'fix-1',
  tag: false,
  sha: '95d49d1efbd941908580e79d65e4b5ecaf4a8305',
  retries_count: 0,
  build_id: 1977,
  build_name: 'test',
  build_stage: 'test',
  build_status: 'failed',
  build_allow_failure: false,
  build_failure_reason: 'script_failure',
  pipeline_id: 2366,
  project_id: 380,
  commit: { id: 2366, sha: '95d49d1efbd941908580e79d65e4b5ecaf4a8305' },
  project: { id: 380, web_url: 'https://gitlab.example.com/acme/api', default_branch: 'main' },
};

test.each<readonly [string, JsonObject, object | null]>([
  ['failed by its script', {}, { verdict: 'red', names: ['test'], branch: 'fix-1', isDefaultBranch: false }],
  ['on the default branch', { ref: 'main' }, { isDefaultBranch: true }],
  ['that may fail', { build_allow_failure: true }, { verdict: 'none' }],
  ['that the runner lost', { build_failure_reason: 'runner_system_failure' }, { verdict: 'infrastructure' }],
  ['that waits', { build_status: 'pending' }, null],
  ['that is canceled', { build_status: 'canceled' }, { verdict: 'none' }],
  ['that is green', { build_status: 'success' }, { verdict: 'green', log: null }],
])('GitLab: a job %s', (_, changes, expected) => {
  const event = { type: 'build', payload: { ...JOB, ...changes } } as unknown as WebhookEvent;
  const result = checkResultIn('gitlab', event);
  if (expected === null) expect(result).toBeNull();
  else expect(result).toMatchObject({ sha: JOB.sha, source: 'job test', attempt: '1977', ...expected });
});
