import { beforeAll, describe, expect, test } from 'vitest';
import type { ReplayedView } from '../../src/server/api/deliveries.ts';
import { type Ran, spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell } from '../support/in-process.ts';
import { type ProviderApis, startProviderApis } from '../support/provider-apis.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { readStore, type Server, serverForTest, settled, startServe } from '../support/server.ts';

const configuration = (baseUrl: string) => `
credentials: { github: { baseUrl: '${baseUrl}', privateNetwork: true } }
webhooks:
  github:
    commands:
      - { name: analyze, template: 'Look at it' }
      - { name: greet, action: comment, template: 'Hello' }
  jira: { enabled: false }
`;
const MANY = 260;

const linesOf = ({ stdout }: Pick<Ran, 'stdout'>) =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ReplayedView);

describe('replay of many', () => {
  let sandbox: Sandbox;
  let apis: ProviderApis;
  /** In the order in which they came. */
  const early: string[] = [];
  const late: string[] = [];
  let between: string;

  beforeAll(async () => {
    apis = await startProviderApis();
    sandbox = await sandboxForFile({
      files: { 'webhooks.yml': configuration(apis.url) },
      env: { GITHUB_TOKEN: 'token' },
    });
    const server = await startServe(sandbox);
    const post = async (ids: string[], text: string, issue: number) => {
      const { id } = await signedPost(server.url, comment(text, { issue }));
      ids.push(id);
      return settled(sandbox, id);
    };
    for (const issue of [1, 2, 3]) await post(early, '@agent analyze', issue);
    await post(early, 'no command here', 1);
    const { receivedAt } = await post(early, '@agent greet', 1);
    between = new Date(receivedAt + 1).toISOString();
    await eventually('a later millisecond', () => Date.now() > receivedAt + 1);
    await post(late, '@agent analyze', 4);
    await signedPost(server.url, '{');
    await signedPost(server.url, comment('@agent fix'), { secret: 'wrong' });
    expect(await server.stop()).toMatchObject({ code: 0 });
    return apis.close;
  });

  /** What filters select is the same with a server and without one. */
  async function replay(...args: readonly string[]): Promise<readonly ReplayedView[]> {
    const told = await tell(sandbox, 'replay', '--json', ...args);
    expect(told).toMatchObject({ code: 0 });
    return linesOf(told);
  }
  const sourcesOf = (views: readonly ReplayedView[]) => views.map(({ replay_of }) => replay_of);
  const stored = (id: string | null) => readStore(sandbox, (reader) => reader.delivery(id ?? ''));
  const idOf = (status: string) =>
    readStore(sandbox, (reader) => reader.deliveries({ limit: 200 })).find((it) => it.status === status)
      ?.id ?? '';

  test.each([
    ['what was received until a time', () => ['--until', between], () => early],
    ['what was received since', () => ['--since', between], () => late],
    [
      'all in a status, oldest first',
      () => ['--status', 'processed'],
      () => [...early.toSpliced(3, 1), ...late],
    ],
    ['all in one of two', () => ['--status', 'ignored', '--status', 'failed'], () => [early[3]]],
    ['all of a webhook', () => ['--webhook', 'github', '--since', '1h'], () => [...early, ...late]],
    [
      'what stands behind a delivery',
      () => ['--webhook', 'github', '--after', early[3] ?? ''],
      () => [early[4], ...late],
    ],
  ])('takes %s, and never what is a replay', async (_, filters, expected) => {
    const views = await replay(...filters());
    expect(sourcesOf(views)).toEqual(expected());
    for (const { delivery_id, replay_of, status } of views) {
      expect(stored(delivery_id)).toMatchObject({ replayOf: replay_of, status, replies: false });
    }
  });

  test('creates new tasks and posts replies only with --replies', async () => {
    const before = apis.posts.length;
    const silent = await replay('--webhook', 'github', '--until', between);
    expect(silent.map(({ task_ids }) => task_ids.length)).toEqual([1, 1, 1, 0, 0]);
    expect(apis.posts).toHaveLength(before);
    const server = await serverForTest(sandbox);
    await replay('--webhook', 'github', '--until', between, '--replies');
    await eventually('the comment', () => apis.posts.length === before + 1);
    await server.stop();
  });

  test('--dry-run only prints what each command would do', async () => {
    const count = () => readStore(sandbox, (reader) => reader.countsByWebhook());
    const before = count();
    const { code, stdout, stderr } = await tell(sandbox, 'replay', '--until', between, '--dry-run');
    expect([code, stdout.trim().split('\n')]).toEqual([0, expect.any(Array)]);
    expect(stdout).toMatch(new RegExp(`^${early[0]} +github +issue_comment.created +fires analyze$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${early[3]} +github +issue_comment.created +.*@agent`, 'm'));
    expect(stderr).toBe('5 would be replayed; nothing was done.\n');
    expect(count()).toEqual(before);
  });

  test('prints totals; one that cannot be replayed stops no other', async () => {
    const unparsed = idOf('unparsed');
    const { code, stdout, stderr } = await tell(
      sandbox,
      ...['replay', '--status', 'processed', '--status', 'unparsed'],
    );
    expect([code, stdout]).toEqual([1, 'replayed 6: 5 processed, 1 refused\n']);
    expect(stderr).toMatch(new RegExp(`^${unparsed} → refused: ${unparsed} can't be replayed: `));
  });

  test.each([
    [['replay'], /no deliveries to replay are given/],
    [['replay', 'dlv-1', '--since', '1h'], /exclude ids and files/],
    [['replay', '--since', 'yesterday'], /--since yesterday is not a time/],
    [['replay', '--status', 'rejected'], /must be one of processed, ignored, failed, unparsed/],
    [['replay', '--since', '1h', '--resign'], /belong to --to/],
    [['replay', '--since', '1h', '--to', 'localhost:3000'], /is not a URL/],
  ])('%j is a mistake', async (args, said) => {
    const { code, stderr } = await tell(sandbox, ...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
  });

  test('says that nothing matches', async () => {
    const { code, stdout, stderr } = await tell(sandbox, 'replay', '--webhook', 'jira');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^No deliveries match --webhook jira/);
  });
});

describe('a long replay', () => {
  let sandbox: Sandbox;
  let server: Server;

  beforeAll(async () => {
    sandbox = await sandboxForFile();
    server = await startServe(sandbox);
    for (let issue = 0; issue < MANY; issue += 20) {
      const posts = Array.from({ length: 20 }, (_, index) =>
        signedPost(server.url, comment('@agent analyze', { issue: issue + index })),
      );
      for (const { status } of await Promise.all(posts)) expect(status).toBe(202);
    }
    await eventually('all of them to be worked off', () =>
      readStore(sandbox, (reader) => reader.countsByWebhook()[0]?.byStatus.processed === MANY),
    );
    return async () => void (await server.stop('SIGKILL'));
  });

  test('stopped by Ctrl-C: prints how to continue; in the end each ran once', async () => {
    const running = spawnCli(sandbox, ['replay', '--webhook', 'github', '--status', 'processed', '--json']);
    await eventually('the first of them', () => running.stdout().includes('\n'));
    running.child.kill('SIGINT');
    const first = await running.ended;
    const done = linesOf(first);
    expect(done.length).toBeGreaterThan(0);
    expect([first.code, first.signal]).toEqual([done.length < MANY ? 1 : 0, null]);
    if (done.length === MANY) return;
    expect(first.stderr).toContain(`interrupted: ${done.length} of ${MANY} were replayed`);
    const goOn = /Continue with: hookctl (.+)$/m.exec(first.stderr)?.[1]?.split(' ') ?? [];
    const rest = linesOf(await tell(sandbox, ...goOn, '--json'));
    expect(new Set([...done, ...rest].map(({ replay_of }) => replay_of)).size).toBe(MANY);
    expect(done.length + rest.length).toBe(MANY);
    expect([...done, ...rest].every(({ status }) => status === 'processed')).toBe(true);
  });
});
