/**
 * A program for the kill test: takes the checks of one pull request that are named, works off what waits, and ends. `kill`: ends itself
 * before or after the n-th call of an operation of the store: `before holdDelivery 2`.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { actions } from '../../src/actions/index.ts';
import { loadConfiguration } from '../../src/config/index.ts';
import { openEngine } from '../../src/deliveries/engine.ts';
import { receive } from '../../src/deliveries/receive.ts';
import { createIds } from '../../src/lib/ids.ts';
import { secret } from '../../src/lib/redact/redact.ts';

const [folder = '', names = '', kill = ''] = process.argv.slice(2);
const located = { projectFile: join(folder, 'webhooks.yml'), dataFolder: join(folder, '.hookctl') };
const env = {
  PATH: process.env.PATH ?? '',
  CLAUDE_CONFIG_DIR: join(folder, 'claude'),
  GITHUB_WEBHOOK_SECRET: 'a',
};
const configuration = await loadConfiguration({ located, env, actions, createMissing: true });
const engine = await openEngine({
  configuration,
  snapshot: () => configuration.snapshot,
  insecure: new Set(),
  onResult: () => undefined,
  dataFolder: located.dataFolder,
  projectFolder: folder,
  env,
  home: folder,
  clock: { now: Date.now },
  ids: createIds(Date.now),
  redact: (text) => text,
});
const { context, queue } = engine;

const [when, operation = '', number = '0'] = kill.split(' ');
const store = context.store as unknown as Record<string, (...given: readonly unknown[]) => Promise<unknown>>;
const original = store[operation];
let calls = 0;
if (original !== undefined) {
  store[operation] = async (...given) => {
    calls += 1;
    if (when === 'before' && calls === Number(number)) process.kill(process.pid, 'SIGKILL');
    const result = await original(...given);
    if (when === 'after' && calls === Number(number)) process.kill(process.pid, 'SIGKILL');
    return result;
  };
}

queue.recover();
const webhook = context.snapshot().byName.get('github');
if (webhook === undefined) throw new Error('no github');
for (const name of names.split(',').filter((each) => each !== '')) {
  const payload = {
    action: 'completed',
    check_run: {
      name,
      head_sha: 'a'.repeat(40),
      conclusion: 'failure',
      app: { slug: 'circleci' },
      pull_requests: [{ number: 57, base: { repo: { id: 7 } } }],
    },
    repository: { id: 7, full_name: 'o/r', html_url: 'https://github.com/o/r', default_branch: 'main' },
    sender: { id: 5, login: 'ci[bot]', type: 'Bot' },
  };
  const signing = { type: 'check_run.completed', secret: secret('a'), deliveryId: name, now: new Date() };
  const request = webhook.provider.sign(Buffer.from(JSON.stringify(payload)), signing);
  const taken = await receive(context, webhook, { ...request, query: '' });
  if (taken.status !== 'pending') continue;
  void queue.push({ id: taken.deliveryId, externalId: taken.externalId, attempts: 0, nextAttemptAt: null });
}
while (queue.depth() > 0) await new Promise((resume) => setTimeout(resume, 20));
const tasks = context.store.tasks({ limit: 100 });
const deliveries = context.store.deliveries({ limit: 100 });
writeSync(
  1,
  JSON.stringify({
    prompts: tasks.map(({ prompt }) => prompt),
    statuses: deliveries.map(({ status }) => status),
  }),
);
await engine.close();
process.exit(0);
