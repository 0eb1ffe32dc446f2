import { createHmac, randomUUID } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Task } from '../../src/types.ts';
import { git } from '../agents/repository.ts';
import { ADA, accepted, type CodeHost, type HostedPull, startCodeHost } from '../support/code-host.ts';
import { eventually } from '../support/eventually.ts';
import type { Payload } from '../support/github.ts';
import { type ProviderApis, startProviderApis } from '../support/provider-apis.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { type ServeHere, serveHere } from '../support/serve-here.ts';
import { readStore } from '../support/server.ts';
import { buttonsOf, postInteraction, pressOf, type SlackWeb, startSlackWeb } from '../support/slack-web.ts';

/** Jira, GitHub and a bare repository, with every hookctl that gets their events. */
export interface World {
  readonly apis: ProviderApis;
  readonly slack: SlackWeb;
  readonly host: CodeHost;
  readonly remote: string;
  readonly urls: string[];
}

/** hookctl with a checkout of the repository. */
export interface Instance extends World {
  readonly sandbox: Sandbox;
  readonly served: Pick<ServeHere, 'url'>;
  /** Oldest first. */
  readonly tasks: () => readonly Task[];
}

const COMMANDS = `
    defaultCommand: analyze
    targetAgent: coder
    commands:
      - { name: analyze, template: 'Analyze: {{@argument}}' }
      - { name: plan, template: 'Plan: {{@argument}}' }
      - { name: fix, template: 'Fix: {{@argument}}', requiresApproval: true }`;

const yaml = (host: string, jira: string, slack: string) => `
notify: { use: slack, channel: C0TEAM, on: [approval] }
credentials:
  slack: { baseUrl: '${slack}' }
  github: { baseUrl: '${host}', privateNetwork: true }
  jira: { baseUrl: '${jira}', user: ada@example.com, privateNetwork: true }
repositories: { acme/web: ./web, PROJ: ./web }
agents:
  coder:
    use: command
    program: ./chain-agent
    workspace: worktree
    rerunOnCrash: true
    session: { capture: '/session id: (\\S+)/', resume: ['{{session}}'] }
webhooks:
  slack: { allow: { users: [U0BOB] } }
  jira:${COMMANDS}
  github:${COMMANDS}
    tellMerged: true
    allow: { users: ['${ADA.id}'] }
    repair: { checks: [ci], attempts: 2, notify: '@ada' }
`;

/** Ends with the test. */
export async function startWorld(): Promise<World> {
  const apis = await startProviderApis();
  onTestFinished(apis.close);
  const slack = await startSlackWeb();
  onTestFinished(slack.close);
  const root = mkdtempSync(join(tmpdir(), 'hookctl-world-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const remote = join(root, 'acme/web.git');
  mkdirSync(remote, { recursive: true });
  git(remote, 'init', '-q', '--bare', '-b', 'main');
  const first = join(root, 'first');
  git(root, 'clone', '-q', remote, first);
  writeFileSync(join(first, 'README'), 'one\n');
  git(first, 'add', '.');
  git(first, 'commit', '-qm', 'One');
  git(first, 'push', '-q', 'origin', 'HEAD:main');
  const urls: string[] = [];
  const host = await startCodeHost({ repository: remote, hooks: () => urls, others: apis.url });
  onTestFinished(host.close);
  return { apis, slack, host, remote, urls };
}

export async function startInstance(
  world: World,
  serve: (sandbox: Sandbox) => Promise<Pick<ServeHere, 'url'>> = serveHere,
): Promise<Instance> {
  const { host, apis, slack, remote, urls } = world;
  const sandbox = await sandboxForTest({ env: TOKENS });
  git(sandbox.project, 'clone', '-q', remote, 'web');
  const web = join(sandbox.project, 'web');
  git(web, 'config', 'user.name', 'T');
  git(web, 'config', 'user.email', 't@example.com');
  const agent = join(sandbox.project, 'chain-agent');
  copyFileSync(join(import.meta.dirname, '../agents/fixtures/chain-agent.js'), agent);
  chmodSync(agent, 0o755);
  writeFileSync(join(sandbox.home, 'host'), host.url);
  await sandbox.write('webhooks.yml', yaml(host.url, apis.url, slack.apiUrl));
  const served = await serve(sandbox);
  urls.push(served.url);
  return {
    ...{ ...world, sandbox, served },
    tasks: () => readStore(sandbox, (store) => store.tasks({ limit: 50 })).toReversed(),
  };
}

const TOKENS = {
  GITHUB_TOKEN: 'token-of-github',
  JIRA_API_TOKEN: 'token-of-jira',
  JIRA_WEBHOOK_SECRET: 'j',
  SLACK_BOT_TOKEN: 'xoxb-0',
  SLACK_SIGNING_SECRET: 'slack-signing-secret',
};

const ACCOUNT = { accountId: '5b10ac8d82e05b22cc7d4ef5', displayName: 'Ada', accountType: 'atlassian' };
let comments = 0;

/** A comment of Ada on PROJ-123. */
async function onTicket({ served }: Pick<Instance, 'served'>, text: string): Promise<void> {
  comments += 1;
  const now = new Date().toISOString();
  const body = JSON.stringify({
    ...{ timestamp: Date.now(), webhookEvent: 'comment_created' },
    comment: {
      ...{
        id: String(comments),
        author: ACCOUNT,
        updateAuthor: ACCOUNT,
        body: text,
        created: now,
        updated: now,
      },
      self: `https://acme.atlassian.net/rest/api/2/issue/10123/comment/${comments}`,
    },
    issue: {
      ...{ id: '10123', key: 'PROJ-123', self: 'https://acme.atlassian.net/rest/api/2/issue/10123' },
      fields: {
        summary: 'Login fails',
        project: { id: '10000', key: 'PROJ', name: 'Project' },
        ...{ creator: ACCOUNT, reporter: ACCOUNT, created: now, updated: now },
      },
    },
  });
  const signature = createHmac('sha256', 'j').update(body).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-atlassian-webhook-identifier': randomUUID(),
    'x-hub-signature': `sha256=${signature}`,
  };
  const answer = await accepted(() =>
    fetch(`${served.url}/webhooks/jira`, { method: 'POST', headers, body }),
  );
  expect(answer.ok).toBe(true);
}

/** A review comment of Ada on the pull request. */
async function onPull({ host }: Pick<World, 'host'>, pull: HostedPull, text: string): Promise<void> {
  comments += 1;
  const now = new Date().toISOString();
  const payload: Payload = {
    ...{ action: 'created', sender: ADA, pull_request: host.pullPayload(pull) },
    comment: {
      ...{ id: comments, user: ADA, author_association: 'OWNER', body: text, path: 'changes', line: 1 },
      ...{ created_at: now, updated_at: now, commit_id: host.headOf(pull.branch) },
      html_url: `https://github.com/acme/web/pull/${pull.number}#discussion_r${comments}`,
    },
  };
  await host.send('pull_request_review_comment', payload);
}

/** The end of a workflow run on the head of the pull request. */
async function ci({ host }: Pick<World, 'host'>, pull: HostedPull, conclusion: string): Promise<void> {
  const sha = host.headOf(pull.branch);
  const payload = host.pullPayload(pull);
  await host.send('workflow_run', {
    action: 'completed',
    workflow_run: {
      ...{ id: 30_433_642, name: 'ci', path: '.github/workflows/ci.yml', run_attempt: 1, event: 'push' },
      ...{ head_sha: sha, head_branch: pull.branch, conclusion, status: 'completed' },
      head_repository: { id: 1_296_269 },
      html_url: 'https://github.com/acme/web/actions/runs/30433642',
      pull_requests: [{ number: pull.number, head: payload.head ?? null, base: payload.base ?? null }],
    },
    workflow: { id: 1, name: 'ci', path: '.github/workflows/ci.yml' },
  });
}

export const PATIENCE_MS = 60_000;

/** The newest task, once there are so many and it is done. */
function done({ tasks }: Pick<Instance, 'tasks'>, count: number): Promise<Task> {
  return eventually(
    `${count} tasks to be done`,
    () => {
      const all = tasks();
      const failed = all.find(({ status }) => status === 'failed');
      if (failed !== undefined) throw new Error(`${failed.title}: ${failed.error}`);
      const last = all.at(-1);
      return all.length === count && last?.status === 'completed' ? last : null;
    },
    PATIENCE_MS,
  );
}

/** What a run of the agent did. */
export interface AgentRecord {
  readonly did: string;
  readonly session: string;
  readonly isResumed: boolean;
  readonly branch: string;
  readonly folder: string;
}

/** The runs of the agent of an instance, in their order. */
export function agentRuns({ sandbox }: Pick<Instance, 'sandbox'>): readonly AgentRecord[] {
  const file = join(sandbox.home, 'agent-runs');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AgentRecord);
}

/** Ada, Bob, the agent and the build go the whole way. `after`: called after each step that they take. */
export async function walk(
  chain: Instance,
  after: () => Promise<void> = async () => undefined,
): Promise<{ readonly pull: HostedPull; readonly waiting: Task }> {
  const { host } = chain;
  await onTicket(chain, '@agent analyze the login');
  await after();
  await done(chain, 1);
  await onTicket(chain, '@agent plan the login');
  await after();
  await done(chain, 2);
  await onTicket(chain, '@agent fix the login');
  await after();
  const waiting = await eventually(
    'the task that waits',
    () => chain.tasks().find(({ status }) => status === 'waiting_approval') ?? null,
    PATIENCE_MS,
  );
  await approve(chain, waiting);
  await after();
  await done(chain, 3);
  const [pull] = host.pulls;
  if (pull === undefined) throw new Error('no pull request');
  expect(pull.branch).toMatch(/^hookctl-proj-123-analyze-/);
  await onPull(chain, pull, '@agent analyze Rename it');
  await after();
  await done(chain, 4);
  host.log = 'one\n##[error]expected 2 to be 3\n';
  await ci(chain, pull, 'failure');
  await ci(chain, pull, 'failure');
  await after();
  await done(chain, 5);
  await ci(chain, pull, 'success');
  pull.state = 'closed';
  await host.send('pull_request', {
    ...{ action: 'closed', number: pull.number, sender: ADA, pull_request: host.pullPayload(pull) },
  });
  await after();
  return { pull, waiting };
}

/** Bob presses Approve below the post of the task in Slack, twice. */
async function approve({ slack, served }: Instance, { id }: Task): Promise<void> {
  const post = await eventually(
    'the post in Slack',
    () => slack.messages.find((each) => Object.hasOwn(buttonsOf(each), 'Approve')) ?? null,
    PATIENCE_MS,
  );
  expect(post.text).toContain(id);
  const click = pressOf(post, 'Approve', { user: 'U0BOB' });
  for (let times = 0; times < 2; times += 1)
    await accepted(() => postInteraction(served.url, click, { secret: 'slack-signing-secret' }));
}

/** What a post says: the mark of hookctl and the name of a session are before it. */
export function said(text: string): string | undefined {
  return text.split('\n').find((line) => /It is|Merged/.test(line));
}
