import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createIds } from '../../src/lib/ids.ts';
import { secret } from '../../src/lib/redact/redact.ts';
import type { Task } from '../../src/types.ts';
import { tokenOf } from '../lib/tokens.ts';
import { apisForFile } from '../outbox/support.ts';
import { spawnCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { ask } from '../support/management.ts';
import { providerNamed } from '../support/providers.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest, settled, startHumanServe } from '../support/server.ts';

const TOKEN = tokenOf('ghp_{w36}');
/** So much of it is a leak as well: titles and reasons are cut. */
const PART = TOKEN.slice(0, 12);
const WORDS = `deploy with ${TOKEN} now`;
const SLACK_SECRET = 'secret-of-slack';
const apis = apisForFile();

const yamlFor = (url: string) => `
agents: { planning: { use: command, program: cat }, failing: { use: command, program: ./fail } }
credentials:
  github: { tokenEnv: GITHUB_TOKEN, baseUrl: '${url}' }
  slack: { tokenEnv: SLACK_BOT_TOKEN, baseUrl: '${url}/api' }
webhooks:
  github:
    defaultCommand: analyze
    commands:
      - { name: analyze, targetAgent: planning, template: '{{@argument}} {{@event.title}} {{@sender.name}}' }
      - { name: break, targetAgent: failing, template: '{{@argument}}' }
      - { name: say, action: comment, template: 'Seen {{@argument}} of {{@sender.name}}' }
      - { name: question, action: ask, template: 'Sure about {{@argument}}?' }
      - { name: mark, action: react }
      - { name: tag, action: label, options: { labels: [seen] } }
      - { name: program, action: run, options: { program: ./fail } }
  slack:
    defaultCommand: say
    commands:
      - { name: say, action: comment, template: 'Seen {{@argument}}' }
      - { name: answer, action: respond, template: 'Seen {{@argument}}' }
`;

test('F7: a token in a payload or in what an agent says leaves hookctl neither whole nor cut', async () => {
  const { url } = apis();
  const sandbox = await sandboxForTest({
    files: { 'webhooks.yml': yamlFor(url), fail: '#!/bin/sh\ncat >&2\nexit 1\n' },
    env: { GITHUB_TOKEN: 'a-token', SLACK_BOT_TOKEN: 'b-token', SLACK_SIGNING_SECRET: SLACK_SECRET },
  });
  chmodSync(join(sandbox.project, 'fail'), 0o755);
  const log = join(sandbox.root, 'serve.log');
  const server = await serverForTest(sandbox, '--log-file', log);
  const left: (readonly [where: string, text: string])[] = [];

  const user = { id: 21031067, login: TOKEN, type: 'User' };
  const ids: string[] = [];
  for (const name of [
    'analyze',
    'break',
    'say',
    'question',
    'mark',
    'tag',
    'program',
    'unknown-command',
    'help',
  ]) {
    const payload = comment(`@agent ${name} ${WORDS}`, { title: WORDS, user, issue: ids.length + 1 });
    const answer = await signedPost(server.url, payload);
    left.push([`answer to ${name}`, answer.text]);
    ids.push(answer.id);
  }
  const stranger = comment(`@agent analyze ${WORDS}`, {
    association: 'NONE',
    user: { ...user, id: 3 },
    issue: 20,
  });
  ids.push((await signedPost(server.url, stranger)).id);
  const slack = providerNamed('slack');
  const next = createIds(() => Date.now());
  let number = 0;
  for (const type of ['app_mention', 'slash_command', 'message.im']) {
    const sample = slack?.samples.find((each) => each.type === type);
    if (slack === null || slack === undefined || sample === undefined) throw new Error('no sample');
    const now = new Date();
    const payload = sample.build({
      text: `@agent say ${WORDS}`,
      now,
      nextNumber: () => Date.now() + ++number,
    });
    const signed = slack.sign(Buffer.from(JSON.stringify(payload)), {
      ...{ type, secret: secret(SLACK_SECRET), deliveryId: next.next('dlv'), now },
    });
    const response = await fetch(`${server.url}/webhooks/slack`, {
      method: 'POST',
      headers: signed.headers,
      body: Buffer.from(signed.body),
    });
    left.push([`answer to ${type}`, await response.text()]);
  }
  for (const path of [`none-${TOKEN}`, `github?${TOKEN}`]) {
    const response = await fetch(`${server.url}/webhooks/${path}`, { method: 'POST', body: WORDS });
    left.push([`answer to a request that is refused`, await response.text()]);
  }
  for (const id of ids) await settled(sandbox, id);
  const tasks = await eventually(
    'the agents to end',
    () => {
      const all = readStore(sandbox, (reader) => reader.tasks());
      const open = (task: Task) => ['queued', 'running'].includes(task.status);
      return all.length >= 2 && !all.some(open) ? all : null;
    },
    30_000,
  );
  await eventually(
    'everything to be sent',
    () => readStore(sandbox, (reader) => reader.outbox({}).every(({ status }) => status !== 'waiting')),
    30_000,
  );
  const outbox = readStore(sandbox, (reader) => reader.outbox({}));
  // What else leaves: test/outbox/kinds.test.ts.
  expect(new Set(outbox.map(({ kind }) => kind))).toEqual(new Set(['comment', 'react', 'label']));
  expect(outbox.some(({ edits }) => edits !== null)).toBe(true);

  for (const { path, body } of apis().requests) left.push([`request ${path}`, `${path} ${body}`]);
  const deliveries = readStore(sandbox, (reader) => reader.deliveries({}));
  const paths = [
    ...['status', 'webhooks', 'deliveries', 'outbox', 'tasks', 'flows', 'conversations', 'audit', 'runs'],
    ...tasks.flatMap(({ id, flowId, conversationId }) => [
      `tasks/${id}`,
      `flows/${flowId}`,
      `conversations/${conversationId}`,
    ]),
    `tasks/${TOKEN}`,
  ].map((path) => `/api/${path}`);
  for (const path of [...paths, '/metrics', '/readyz'])
    left.push([`API ${path}`, (await ask(server, 'GET', path)).text]);
  const run = async (...args: readonly string[]) => {
    const { stdout, stderr } = await spawnCli(sandbox, args).ended;
    left.push([`hookctl ${args.join(' ')}`, stdout + stderr]);
  };
  for (const list of ['delivery', 'outbox', 'task']) {
    await run(list, 'list');
    await run(list, 'list', '--json');
  }
  await run('status');
  await run('task', 'show', TOKEN);
  await run('task', 'show', tasks[0]?.id ?? '');
  for (const { id } of deliveries.slice(-3)) {
    await run('explain', id);
    await run('replay', id, '--dry-run', '--json');
  }
  await server.stop();
  left.push(['stdout of serve', server.running.stdout()], ['stderr of serve', server.running.stderr()]);
  left.push(['the log file', readFileSync(log, 'utf8')]);

  const human = await startHumanServe(sandbox);
  const [, base = ''] = /^Ready on (http:\/\/[^\s,]+)/m.exec(human.stderr()) ?? [];
  await settled(
    sandbox,
    (await signedPost(base, comment(`@agent analyze ${WORDS}`, { title: WORDS, user }))).id,
  );
  await eventually('a line of the task', () => /<-- /.test(human.stderr()));
  left.push(['serve for people', human.stdout() + human.stderr()]);

  const files = readdirSync(sandbox.claudeFolder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(sandbox.claudeFolder, name))
    .filter((name) => statSync(name).isFile());
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) left.push([file, readFileSync(file, 'utf8')]);

  expect(left.filter(([, text]) => text.includes(PART)).map(([where]) => where)).toEqual([]);
  const redacted = left.filter(([, text]) => text.includes('[redacted]')).map(([where]) => where);
  expect(redacted.length).toBeGreaterThan(20);
}, 120_000);
