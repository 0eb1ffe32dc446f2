/** `npm run test:agents`: 200 tasks over 20 conversations with limits 4 and 1, the server killed three times. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openReader } from '../../src/store/local/index.ts';
import { installCounted, MANY_YAML, manyTasks, violations } from '../agents/many.ts';

const TASKS = 200;
const CONVERSATIONS = 20;
const KILLS_AT = [50, 100, 150];

const root = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-agents-')));
const project = join(root, 'project');
mkdirSync(project);
writeFileSync(join(project, 'webhooks.yml'), MANY_YAML);
installCounted({ project });
const env = { PATH: process.env.PATH, HOME: root, HOOKCTL_HOME: join(root, 'data') };
const cli = join(import.meta.dirname, '../../scripts/dev.js');

interface Server {
  readonly url: string;
  kill(): Promise<void>;
}

async function serve(): Promise<Server> {
  const args = [cli, 'serve', '--json', '--port', '0', '--management-port', '0'];
  const child = spawn(process.execPath, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  for (;;) {
    const line = output.split('\n').find((text) => text.includes('"type":"ready"'));
    if (line !== undefined) {
      const { management_url: url } = JSON.parse(line) as { management_url: string };
      const kill = async () => {
        child.kill('SIGKILL');
        await ended;
      };
      return { url, kill };
    }
    await delay(20);
  }
}

function look<T>(ask: (store: NonNullable<ReturnType<typeof openReader>>) => T): T {
  const reader = openReader({ path: join(root, 'data/hookctl.db') });
  if (reader === null) throw new Error('nothing is stored');
  try {
    return ask(reader);
  } finally {
    reader.close();
  }
}

const done = () => look((store) => store.countsByTaskStatus()).completed ?? 0;

async function until(what: string, isSo: () => boolean, patienceMs = 120_000): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !isSo(); await delay(20)) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
  }
}

const begun = Date.now();
let server = await serve();
const token = readFileSync(join(root, 'data/token'), 'utf8').trim();
for (const body of manyTasks(TASKS, CONVERSATIONS)) {
  const answer = await fetch(`${server.url}/api/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
}
let slowest = 0;
let interrupted = 0;
for (const count of KILLS_AT) {
  await until(`${count} tasks to be done`, () => done() >= count);
  await server.kill();
  const left = look((store) => store.openRuns()).filter(({ state }) => state === 'running');
  server = await serve();
  const ready = Date.now();
  await until('runs to be interrupted', () =>
    left.every(({ id }) => look((store) => store.run(id))?.state === 'interrupted'),
  );
  slowest = Math.max(slowest, Date.now() - ready);
  interrupted += left.length;
}
await until('all to be done', () => done() === TASKS);
await server.kill();
const wrong = violations({ project });
console.log(
  `${TASKS} tasks over ${CONVERSATIONS} conversations, ${KILLS_AT.length} kills, ${interrupted} runs interrupted (seen at most ${slowest} ms after the start), ${((Date.now() - begun) / 1000).toFixed(1)} s`,
);
for (const line of wrong) console.log(`wrong: ${line}`);
rmSync(root, { recursive: true, force: true });
if (wrong.length > 0 || slowest > 2_000) process.exitCode = 1;
