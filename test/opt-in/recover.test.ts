/**
 * `npm run test:recover`: 500 deliveries at a loopback GitHub while the server is killed and stopped at random, so that its
 * ingress is down for random spans, and the pages of GitHub's log shift while they are read. Each has one task afterwards.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { catchUp } from '../../src/store/local/catch-up.ts';
import { openReader } from '../../src/store/local/index.ts';
import { databasePath } from '../../src/store/local/sqlite.ts';
import { connectedProject, type Project } from '../recover/serve-support.ts';
import { cli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment } from '../support/github.ts';
import { type Seeded, seededForTest } from '../support/seeded.ts';
import { type Server, startServe } from '../support/server.ts';

const DELIVERIES = 500;
const SENDERS = 8;
const PAGE = 20;
const YAML = `recover: { every: 5s }
webhooks: { github: { commands: [{ name: analyze }] } }
`;

const results = { passed: 0, failed: 0 };
afterAll(() => console.log(`${results.passed} passed, ${results.failed} failed, 0 skipped`));

/** Serves now and then, until all is sent: killed, or asked to stop, after a random while. Returns how often it ended. */
async function servedNowAndThen(project: Project, isOver: () => boolean, seed: Seeded): Promise<number> {
  for (let ends = 0; ; ends += 1) {
    const server = await startServe(project.sandbox, '--port', String(project.port));
    const until = Date.now() + 500 + seed.below(2_500);
    while (!isOver() && Date.now() < until) await delay(20);
    await server.stop(seed.below(2) === 0 ? 'SIGKILL' : 'SIGTERM');
    if (isOver()) return ends;
    await delay(seed.below(1_500));
  }
}

async function sendAll({ log, hook }: Project): Promise<void> {
  let issue = 0;
  const lane = async () => {
    while (issue < DELIVERIES) {
      issue += 1;
      await log.send(hook, 'issue_comment', comment('@agent analyze it', { issue }));
      await delay(200);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, lane));
}

/** How many tasks each delivery has, by the number of its issue; and how many were fetched. */
function tasksOf({ sandbox: { dataFolder } }: Project) {
  const path = databasePath(dataFolder);
  catchUp(path);
  const reader = openReader({ path });
  if (reader === null) throw new Error('nothing was stored');
  try {
    const tasks = reader.tasks({ limit: 5_000 });
    const byIssue = Map.groupBy(tasks, ({ externalId }) => externalId);
    return {
      issues: byIssue.size,
      twice: [...byIssue].filter(([, all]) => all.length > 1).map(([issue]) => issue),
      fetched: tasks.filter(({ trust }) => trust === 'fetched').length,
      pending: reader.pending(null, 1).length,
    };
  } finally {
    reader.close();
  }
}

async function recovered(project: Project): Promise<void> {
  const { code, stderr, stdout } = await cli(project.sandbox, 'recover', '--since', '1h');
  if (code !== 0) throw new Error(`recover ended with ${code}: ${stderr}${stdout}`);
}

async function round(name: string, project: Project, finish: (project: Project) => Promise<Server | null>) {
  const seed = seededForTest();
  let isSent = false;
  const sending = sendAll(project).finally(() => {
    isSent = true;
  });
  const ends = await servedNowAndThen(project, () => isSent, seed);
  await sending;
  const lost = new Set(project.log.attempts.filter(({ status }) => status !== 'OK').map(({ guid }) => guid));
  const server = await finish(project);
  await project.log.idle();
  if (server !== null) onTestFinished(async () => void (await server.stop('SIGKILL')));
  await eventually('the queue to be empty', () => tasksOf(project).pending === 0, 60_000);
  const found = tasksOf(project);
  console.log(
    `${name}: ${DELIVERIES} sent, ${lost.size} failed at first, ${ends + 1} ends, ${project.log.redelivered.length} sent again; ${found.issues} have a task, ${found.twice.length} twice, ${found.fetched} fetched`,
  );
  const isRight = found.issues === DELIVERIES && found.twice.length === 0;
  results[isRight ? 'passed' : 'failed'] += 1;
  expect(found).toMatchObject({ issues: DELIVERIES, twice: [] });
  expect(lost.size).toBeGreaterThan(0);
  return found;
}

test.each(['cursor', 'page'] as const)(
  'a repository, sent again while the server runs, pages by %s: each delivery has one task',
  async (paging) => {
    const project = await connectedProject(YAML, { paging, pageSize: PAGE });
    await round(`repository, pages by ${paging}`, project, async () => {
      const server = await startServe(project.sandbox, '--port', String(project.port));
      await recovered(project);
      return server;
    });
  },
);

test('a GitHub App, sent again while the server runs: each delivery has one task', async () => {
  const project = await connectedProject(YAML, { isApp: true, pageSize: PAGE });
  await round('App', project, async () => {
    const server = await startServe(project.sandbox, '--port', String(project.port));
    await recovered(project);
    return server;
  });
});

test('a repository, fetched without a server: each delivery has one task, and a redelivery makes none', async () => {
  const project = await connectedProject(YAML, { pageSize: PAGE });
  const found = await round('repository, fetched', project, async () => {
    await recovered(project);
    return null;
  });
  expect(found.fetched).toBeGreaterThan(0);
  const server = await startServe(project.sandbox, '--port', String(project.port));
  for (const { guid, event, payload } of project.log.attempts.slice(0, 50))
    await project.log.send(project.hook, event, payload, guid);
  await server.stop();
  expect(tasksOf(project)).toMatchObject({ issues: DELIVERIES, twice: [] });
});
