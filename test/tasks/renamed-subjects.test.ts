import { describe, expect, onTestFinished, test } from 'vitest';
import { changeTask } from '../../src/tasks/transition.ts';
import type { JsonObject, TaskEvent } from '../../src/types.ts';
import { dbText, record } from '../config/dynamic/support.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { startProviderApis } from '../support/provider-apis.ts';

type Change = (payload: JsonObject) => JsonObject;

/** Merges objects at any depth. */
function merged(payload: JsonObject, change: JsonObject): JsonObject {
  const entries = Object.entries(change).map(([key, value]) => {
    const before = payload[key];
    const isBoth = [before, value].every(
      (each) => typeof each === 'object' && each !== null && !Array.isArray(each),
    );
    return [key, isBoth ? merged(before as JsonObject, value as JsonObject) : value];
  });
  return { ...payload, ...Object.fromEntries(entries) };
}

const withChange =
  (change: JsonObject): Change =>
  (payload) =>
    merged(payload, change);

/** Providers without a webhook of their own. */
const webhooksWith = (action: string) =>
  ['gitea', 'bitbucket', 'linear'].map((name, index) =>
    record(index + 1, {
      name,
      provider: name,
      endpoint: `/webhooks/${name}/wh-${String(index + 1).padStart(16, '0')}`,
      secrets: [{ value: 's3cret' }],
      default_command: 'analyze',
      commands: [{ id: 'cmd-analyze', name: 'analyze', action, template: 'Go' }],
    }),
  );

/** The same subject before and after a rename, as the comments on it name it. */
const RENAMES: readonly (readonly [string, string, string, JsonObject, JsonObject, readonly string[]])[] = [
  [
    'GitHub: the repository is renamed',
    'github',
    'issue_comment.created',
    {
      issue: { number: 42 },
      repository: { id: 7, full_name: 'o/old', html_url: 'https://github.com/o/old' },
    },
    {
      issue: { number: 42 },
      repository: { id: 7, full_name: 'o/new', html_url: 'https://github.com/o/new' },
    },
    ['github:o/old#42', 'github:o/new#42'],
  ],
  [
    'GitHub: the repository is transferred to another owner',
    'github',
    'pull_request_review_comment.created',
    { pull_request: { number: 3 }, repository: { id: 7, full_name: 'ada/web' } },
    { pull_request: { number: 3 }, repository: { id: 7, full_name: 'acme/web' } },
    ['github:ada/web#3', 'github:acme/web#3'],
  ],
  [
    'GitLab: the project is moved to another group',
    'gitlab',
    'note.create',
    {
      merge_request: { id: 99, iid: 4 },
      project: { id: 5, path_with_namespace: 'a/web', web_url: 'https://gitlab.com/a/web' },
    },
    {
      merge_request: { id: 99, iid: 4 },
      project: { id: 5, path_with_namespace: 'b/web', web_url: 'https://gitlab.com/b/web' },
    },
    ['gitlab:a/web!4', 'gitlab:b/web!4'],
  ],
  [
    'Gitea: the repository is renamed',
    'gitea',
    'issue_comment.created',
    {
      issue: { number: 8 },
      repository: { id: 3, full_name: 'a/old', html_url: 'https://git.example.com/a/old' },
    },
    {
      issue: { number: 8 },
      repository: { id: 3, full_name: 'a/new', html_url: 'https://git.example.com/a/new' },
    },
    ['gitea:git.example.com/a/old#8', 'gitea:git.example.com/a/new#8'],
  ],
  [
    'Bitbucket: the repository is renamed',
    'bitbucket',
    'pullrequest:comment_created',
    { pullrequest: { id: 8 }, repository: { uuid: '{1}', full_name: 'acme/old' } },
    { pullrequest: { id: 8 }, repository: { uuid: '{1}', full_name: 'acme/new' } },
    ['bitbucket:acme/old!8', 'bitbucket:acme/new!8'],
  ],
  [
    'Jira: the issue is moved to another project',
    'jira',
    'comment_created',
    { issue: { id: '10013', key: 'PUMP-1' } },
    { issue: { id: '10013', key: 'OPS-7' } },
    ['jira:PUMP-1', 'jira:OPS-7'],
  ],
  [
    'Linear: the issue is moved to another team',
    'linear',
    'Comment.create',
    { url: null, data: { issue: { id: 'i-1', url: 'https://linear.app/acme/issue/PUMP-1/x' } } },
    { url: null, data: { issue: { id: 'i-1', url: 'https://linear.app/acme/issue/OPS-7/x' } } },
    ['linear:acme/PUMP-1', 'linear:acme/OPS-7'],
  ],
];

/** Subjects that are copied, and the event that tells of it. */
const COPIES: typeof RENAMES = [
  [
    'GitLab: the issue is moved to another project',
    'gitlab',
    'note.create',
    {
      merge_request: null,
      issue: { id: 92, iid: 7 },
      project: { id: 5, path_with_namespace: 'a/web', web_url: 'https://gitlab.com/a/web' },
    },
    {
      merge_request: null,
      issue: { id: 301, iid: 1 },
      project: { id: 6, path_with_namespace: 'a/ops', web_url: 'https://gitlab.com/a/ops' },
    },
    ['gitlab:a/web#7', 'gitlab:a/ops#1'],
  ],
  [
    'GitHub: the issue is transferred to another repository',
    'github',
    'issue_comment.created',
    { issue: { number: 42 }, repository: { id: 1, full_name: 'o/old' } },
    { issue: { number: 9 }, repository: { id: 2, full_name: 'o/new' } },
    ['github:o/old#42', 'github:o/new#9'],
  ],
];
const MOVES: Readonly<Record<string, readonly [type: string, change: JsonObject]>> = {
  gitlab: [
    'issue.open',
    {
      object_attributes: { action: 'update', id: 92, iid: 7, moved_to_id: 301 },
      project: { id: 5, path_with_namespace: 'a/web', web_url: 'https://gitlab.com/a/web' },
    },
  ],
  github: [
    'issues.opened',
    {
      issue: { number: 9 },
      repository: { id: 2, full_name: 'o/new' },
      changes: { old_issue: { number: 42 }, old_repository: { id: 1, full_name: 'o/old' } },
    },
  ],
};

const idsOf = (engine: TestEngine) =>
  engine.context.store
    .tasks({ limit: 100 })
    .map(({ flowId, conversationId }) => `${flowId} ${conversationId}`);

describe('C1: a renamed or moved subject keeps its flow', () => {
  test.each(RENAMES)(
    '%s: one flow, one conversation, and stop ends the task',
    async (_, provider, type, before, after, ids) => {
      const engine = await startEngine({ db: dbText(webhooksWith('create_task')) });
      const { store } = engine.context;
      const first = await engine.deliver(provider, type, withChange(before));
      const second = await engine.deliver(provider, type, withChange(after));
      expect([first, second].map(({ delivery }) => delivery.externalId)).toEqual(ids);
      expect(first.tasks).toHaveLength(1);
      expect(second.tasks).toHaveLength(1);
      expect(new Set(idsOf(engine)).size).toBe(1);

      const [flow] = store.flows({ limit: 10 });
      expect(store.flows({ limit: 10 })).toHaveLength(1);
      expect(flow?.externalId).toBe(ids[0]);
      expect(store.flows({ externalId: ids[1] ?? '' })).toEqual([flow]);

      const stop = await engine.deliver(provider, type, withChange(after), '@agent stop');
      expect(stop.delivery).toMatchObject({ status: 'processed' });
      expect(store.tasks({ status: 'cancelled' })).toHaveLength(2);
    },
  );

  test('another repository that takes the name of a renamed one has a flow of its own', async () => {
    const engine = await startEngine();
    const on = (id: number, name: string) =>
      engine.deliver(
        'github',
        'issue_comment.created',
        withChange({ issue: { number: 1 }, repository: { id, full_name: name } }),
      );
    const [old] = (await on(1, 'o/web')).tasks;
    const [renamed] = (await on(1, 'o/site')).tasks;
    const [other] = (await on(2, 'o/web')).tasks;
    const [again] = (await on(2, 'o/web')).tasks;
    expect(renamed?.flowId).toBe(old?.flowId);
    expect(other?.flowId).not.toBe(old?.flowId);
    expect(again?.flowId).toBe(other?.flowId);
  });
});

/** How each provider is posted to, by the path of its API, before and after. */
const PATHS: Readonly<Record<string, readonly [before: string, after: string]>> = {
  'GitHub: the repository is renamed': ['/repos/o/old/issues/42/', '/repos/o/new/issues/'],
  'GitHub: the repository is transferred to another owner': ['/repos/ada/web/', '/repos/acme/web/'],
  // GitLab's API knows the project by its number.
  'GitLab: the project is moved to another group': [
    '/projects/5/merge_requests/4/',
    '/projects/5/merge_requests/4/',
  ],
  'GitLab: the issue is moved to another project': ['/projects/5/issues/7/', '/projects/6/issues/1/'],
  'GitHub: the issue is transferred to another repository': [
    '/repos/o/old/issues/42/',
    '/repos/o/new/issues/',
  ],
  'Linear: the issue is moved to another team': ['/graphql', '/graphql'],
  'Gitea: the repository is renamed': ['/repos/a/old/issues/8/', '/repos/a/new/issues/'],
  'Bitbucket: the repository is renamed': [
    '/repositories/acme/old/pullrequests/8/',
    '/repositories/acme/new/pullrequests/8/',
  ],
  'Jira: the issue is moved to another project': ['/issue/PUMP-1/', '/issue/OPS-7/'],
};
const TOKENS = {
  GITHUB_TOKEN: 't',
  GITLAB_TOKEN: 't',
  GITEA_TOKEN: 't',
  BITBUCKET_TOKEN: 't',
  JIRA_API_TOKEN: 't',
  LINEAR_API_KEY: 't',
};

describe('C1: a question that is asked before a rename', () => {
  test.each([...RENAMES, ...COPIES])(
    '%s: the reply under the new name answers it, and posts go to the new place',
    async (name, provider, type, before, after, ids) => {
      const apis = await startProviderApis();
      onTestFinished(() => apis.close());
      const credentials = Object.keys(TOKENS).map((key) => {
        const of = key.replace(/_(?:API_)?(?:TOKEN|KEY)$/, '').toLowerCase();
        return `${of}: { tokenEnv: ${key}, baseUrl: '${apis.url}' }`;
      });
      const asks = ['github', 'gitlab', 'jira'].map(
        (of) =>
          `${of}: { defaultCommand: analyze, commands: [{ name: analyze, action: ask, template: Which branch? }] }`,
      );
      const yaml = `credentials: { ${credentials.join(', ')} }\nwebhooks: { ${asks.join(', ')} }`;
      const engine = await startEngine({ yaml, db: dbText(webhooksWith('ask')), env: TOKENS });
      const { store } = engine.context;
      const [old = '', present = ''] = PATHS[name] ?? [];
      const paths = () => apis.requests.filter(({ method }) => method !== 'GET').map(({ path }) => path);

      const [task] = (await engine.deliver(provider, type, withChange(before))).tasks;
      expect(store.task(task?.id ?? '')?.status).toBe('waiting_answer');
      await eventually('the question', () => paths().some((path) => path.includes(old)));
      const [move, change] = COPIES.some(([copy]) => copy === name) ? (MOVES[provider] ?? []) : [];
      if (move !== undefined && change !== undefined)
        await engine.deliver(provider, move, withChange(change));
      const answer = await engine.deliver(provider, type, withChange(after), 'main, please');
      expect(answer.delivery.externalId).toBe(ids[1]);
      expect(answer.delivery.reason).toContain(`answers ${task?.id}`);
      expect(store.task(task?.id ?? '')?.status).toBe('queued');
      expect(store.flows({ limit: 10 })).toHaveLength(1);

      const asked = paths().length;
      const step = (event: TaskEvent) =>
        changeTask(engine.context, task?.id ?? '', event, { actor: 'cli', result: 'Mended.' }, 'the folder');
      await step('start');
      await step('complete');
      engine.outbox.wake();
      await eventually('the result', () => apis.posts.some(({ text }) => text.includes('Mended.')));
      for (const path of paths().slice(asked)) expect(path).toContain(present);
    },
  );
});

describe('C1: an issue that is transferred', () => {
  const OLD = { id: 1, full_name: 'o/old', html_url: 'https://github.com/o/old' };
  const NEW = { id: 2, full_name: 'o/new', html_url: 'https://github.com/o/new' };
  const comment = { issue: { number: 9 }, repository: NEW };

  test.each([
    [
      'A4: opened in the new repository',
      'issues.opened',
      { issue: { number: 9 }, repository: NEW, changes: { old_issue: { number: 42 }, old_repository: OLD } },
    ],
    [
      'transferred from the old repository',
      'issues.labeled',
      {
        action: 'transferred',
        issue: { number: 42 },
        repository: OLD,
        changes: { new_issue: { number: 9 }, new_repository: NEW },
      },
    ],
  ])('%s: runs nothing, and its flow goes on', async (_, type, moved) => {
    const engine = await startEngine();
    const first = await engine.deliver(
      'github',
      'issues.opened',
      withChange({ issue: { number: 42 }, repository: OLD }),
    );
    const move = await engine.deliver('github', type, withChange(moved));
    expect(move.delivery.status).toBe('ignored');
    expect(move.tasks).toEqual([]);
    const later = await engine.deliver('github', 'issue_comment.created', withChange(comment));
    expect(later.tasks[0]?.flowId).toBe(first.tasks[0]?.flowId);
    expect(engine.context.store.flows()).toHaveLength(1);
  });

  test('A4: the delivery tells that the text was moved', async () => {
    const engine = await startEngine();
    const change = { changes: { old_issue: { number: 42 }, old_repository: OLD } };
    const { delivery } = await engine.deliver('github', 'issues.opened', withChange(change));
    expect(delivery.reason).toContain('octocat moved the text here');
  });
});

test('C1: a Jira issue whose flow is older than stable ids is found by its former key', async () => {
  const engine = await startEngine();
  const { store } = engine.context;
  const bare = { self: 'https://acme.atlassian.net/rest/api/2/issue/x', id: null, key: 'PUMP-1' };
  const [first] = (await engine.deliver('jira', 'comment_created', withChange({ issue: bare }))).tasks;
  const changelog = { items: [{ field: 'Key', fromString: 'PUMP-1', toString: 'OPS-7' }] };
  await engine.deliver(
    'jira',
    'jira:issue_updated',
    withChange({ issue: { id: '10013', key: 'OPS-7' }, changelog }),
  );
  const [later] = (
    await engine.deliver('jira', 'comment_created', withChange({ issue: { id: '10013', key: 'OPS-7' } }))
  ).tasks;
  expect(later?.flowId).toBe(first?.flowId);
  expect(store.flows()).toHaveLength(1);
});

test('C1: an unverified delivery adds no names', async () => {
  const engine = await startEngine({ insecure: ['github'] });
  const on = (name: string) =>
    engine.deliver(
      'github',
      'issues.opened',
      withChange({ issue: { number: 1 }, repository: { id: 7, full_name: name } }),
    );
  await on('o/old');
  expect(engine.context.store.aliases(['github:github.com/repository/7#1'])).toEqual([]);
});
