/**
 * `npm run test:postgres:machines`: three servers of one database take deliveries at once while servers are killed (`kill -9`) and
 * PostgreSQL is restarted at once, as after a crash. Then nothing that was acknowledged is lost, each delivery has made one task, tasks
 * of a thread were made in the order in which its deliveries were sent, and agents never worked twice at once on one conversation.
 * Arguments: `--deliveries 3000 --flows 60 --kills 8 --restarts 2`, which are the defaults. Needs `initdb`.
 * Ends with `N passed, N failed, N skipped`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { comment, signedPost } from '../support/github.ts';
import { postgresPrograms, startPostgres } from '../support/postgres.ts';
import { SECRET } from '../support/secret.ts';
import { counts, must, step } from './steps.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const option = (value: string) => ({ type: 'string', default: value }) as const;
const { values } = parseArgs({
  options: {
    deliveries: option('3000'),
    flows: option('60'),
    kills: option('8'),
    restarts: option('2'),
    agents: option('60'),
  },
});
const wanted = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
const { deliveries = 0, flows = 0, kills = 0, restarts = 0, agents = 0 } = wanted;
const MACHINES = 3;

/** Notes its begin and its end in a file of all machines. */
const AGENT = `
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
const note = (what) => appendFileSync(process.argv[2], \`\${what} \${process.env.HOOKCTL_CONVERSATION_ID} \${process.pid} \${Date.now()}\\n\`);
note('begin');
await delay(300);
note('end');
console.log('done');
`;

interface Machine {
  readonly ingress: string;
  /** Asks its management API. */
  readonly call: <T>(method: string, path: string, body?: object) => Promise<T>;
  readonly kill: () => Promise<void>;
  readonly end: () => Promise<void>;
}

function startMachine(folder: string, url: string, port: number): Machine {
  const yml = `
ingress: { port: ${port} }
management: { port: ${port + 100} }
claudeTasks: { enabled: false }
runs: { concurrency: 4 }
agents:
  worker: { use: command, program: ${process.execPath}, args: [${join(folder, '../agent.mjs')}, ${join(folder, '../runs.log')}], rerunOnCrash: true }
webhooks:
  github:
    commands:
      - { name: analyze, targetAgent: idle, template: 'Number {{@argument}}' }
      - { name: work, targetAgent: worker, template: 'Number {{@argument}}' }
`;
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'webhooks.yml'), yml);
  const env = {
    ...{ PATH: process.env.PATH, HOME: folder, GITHUB_WEBHOOK_SECRET: SECRET, HOOKCTL_STORE: url },
    NODE_COMPILE_CACHE: join(folder, '../compiled'),
  };
  let child: ChildProcess | null = null;
  let isEnding = false;
  const said: string[] = [];
  function start(): void {
    child = spawn(process.execPath, [join(ROOT, 'bin/hookctl.js'), 'serve'], { cwd: folder, env });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => said.push(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
    // As a supervisor would.
    child.on('exit', (code) => {
      writeFileSync(join(folder, 'said.log'), said.join(''));
      if (code !== null && !isEnding) console.log(`a server ended with ${code}: ${said.slice(-5).join('')}`);
      if (!isEnding) setTimeout(start, 300);
    });
  }
  start();
  return {
    ingress: `http://127.0.0.1:${port}`,
    async call(method, path, body) {
      const token = readFileSync(join(folder, '.hookctl/token'), 'utf8').trim();
      const answer = await fetch(`http://127.0.0.1:${port + 100}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return JSON.parse(await answer.text());
    },
    async kill() {
      const killed = child;
      killed?.kill('SIGKILL');
      if (killed !== null && killed.exitCode === null && killed.signalCode === null)
        await once(killed, 'exit');
    },
    async end() {
      isEnding = true;
      const ending = child;
      ending?.kill('SIGTERM');
      if (ending !== null && ending.exitCode === null && ending.signalCode === null)
        await once(ending, 'exit');
    },
  };
}

interface Sent {
  readonly flow: number;
  readonly text: string;
  readonly id: string;
}

/** Sends to one machine after the other until one of them has it. */
async function send(machines: readonly Machine[], { flow, text, id }: Sent, first: number): Promise<string> {
  const body = JSON.stringify(comment(text, { issue: flow + 1 }));
  for (let turn = first; ; turn += 1) {
    const machine = machines[turn % machines.length] as Machine;
    try {
      const answer = await signedPost(machine.ingress, body, { deliveryId: id });
      if (answer.status === 202 || answer.status === 200) return answer.text;
      if (answer.status !== 503) throw new Error(`${answer.status} ${answer.text}`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await delay(100);
  }
}

async function run(): Promise<void> {
  const server = await startPostgres();
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-machines-'));
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, 'agent.mjs'), AGENT);
  const first = 20_000 + randomInt(10_000);
  const machines = Array.from({ length: MACHINES }, (_, index) =>
    startMachine(join(folder, `machine-${index}`), server.url, first + index),
  );
  const query = async <Row extends object>(text: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: server.url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query('set search_path to hookctl');
      return (await client.query(text)).rows as Row[];
    } finally {
      await client.end();
    }
  };
  let isDone = false;
  const sent: Sent[] = [];
  try {
    for (const machine of machines)
      await untilAsync('a machine', async () => (await fetch(`${machine.ingress}/healthz`)).ok);

    await step('the same delivery, posted to all at once, makes one task', async () => {
      const body = comment('@agent analyze once', { issue: 999_999 });
      const id = randomUUID();
      const answers = await Promise.all(
        machines.map(({ ingress }) => signedPost(ingress, JSON.stringify(body), { deliveryId: id })),
      );
      must(answers.filter(({ status }) => status === 202).length === 1, answers.map((a) => a.text).join());
      must(
        answers.filter(({ status }) => status === 200).length === MACHINES - 1,
        'the others are no duplicates',
      );
      const tasks = () => query<{ n: string }>("select count(*) as n from tasks where prompt like '%once%'");
      await untilAsync('its task', async () => Number((await tasks())[0]?.n) > 0);
      await delay(1_000);
      must(Number((await tasks())[0]?.n) === 1, 'it made several tasks');
    });

    await step('a webhook that one machine makes or disables is so on all within a second', async () => {
      const [one] = machines;
      const made = await one?.call<{ webhook_id: string; endpoint: string }>('POST', '/api/webhooks', {
        ...{ provider: 'github', name: 'shared', secret: SECRET },
      });
      const statuses = async () => {
        const body = JSON.stringify(comment('nothing', { issue: 1 }));
        const path = made?.endpoint ?? '';
        return Promise.all(
          machines.map(async ({ ingress }) => (await signedPost(ingress, body, { path })).status),
        );
      };
      for (const [what, isSo] of [
        ['made', (status: number) => status < 300],
        ['disabled', (status: number) => status >= 400],
      ] as const) {
        if (what === 'disabled') await one?.call('POST', `/api/webhooks/${made?.webhook_id}/disable`);
        const since = performance.now();
        await untilAsync(what, async () => (await statuses()).every(isSo), 10_000);
        const ms = Math.round(performance.now() - since);
        console.log(`      ${what} on all after ${ms} ms`);
        must(ms < 1_000, `${what} after ${ms} ms`);
      }
    });

    const begun = performance.now();
    const perFlow = Math.ceil(deliveries / flows);
    const flowsSent = Array.from({ length: flows }, async (_, flow) => {
      for (let number = 0; number < perFlow; number += 1) {
        const command = flow < agents && number < 3 ? 'work' : 'analyze';
        const each = { flow, text: `@agent ${command} f${flow}n${number}.`, id: randomUUID() };
        await send(machines, each, randomInt(MACHINES));
        sent.push(each);
      }
    });
    const trouble = (async () => {
      const troubles = [...Array(kills).fill('kill'), ...Array(restarts).fill('restart')].toSorted(
        () => Math.random() - 0.5,
      );
      for (const what of troubles) {
        await delay(2_000 + Math.random() * 2_000);
        if (what === 'kill') await machines[randomInt(MACHINES)]?.kill();
        else {
          await server.stop('immediate');
          await delay(1_000);
          await server.start();
        }
        console.log(`      ${what} after ${sent.length} acknowledged`);
      }
    })();
    await Promise.all([...flowsSent, trouble]);
    console.log(`      ${sent.length} acknowledged in ${Math.round((performance.now() - begun) / 1000)} s`);
    const open = async () =>
      Number(
        (await query<{ n: string }>("select count(*) as n from deliveries where status = 'pending'"))[0]?.n,
      );
    const sentAt = performance.now();
    await step('everything is worked off', () => untilAsync('all', async () => (await open()) === 0));
    console.log(`      worked off ${Math.round((performance.now() - sentAt) / 1000)} s later`);

    const made = await query<{ prompt: string; at: string }>(
      `select tasks.prompt, max(task_transitions.id) as at from tasks
       join task_transitions on task_id = tasks.id and event = 'create' group by tasks.id, tasks.prompt order by at`,
    );
    const named = made.flatMap(({ prompt }) => /f\d+n\d+\b/.exec(prompt)?.[0] ?? []);
    await step('nothing that was acknowledged is lost', () => {
      const lost = sent.filter(({ text }) => !named.includes(nameOf(text)));
      must(lost.length === 0, `${lost.length} lost: ${lost.slice(0, 5).map(({ text }) => text)}`);
    });
    await step('each has made one task', () => {
      must(
        named.length === new Set(named).size,
        `${named.length} tasks of ${new Set(named).size} deliveries`,
      );
      must(named.length === sent.length, `${named.length} tasks of ${sent.length}`);
    });
    await step('the tasks of each thread were made in its order', () => {
      const last = new Map<string, number>();
      for (const name of named) {
        const [, flow = '', number = ''] = /f(\d+)n(\d+)/.exec(name) ?? [];
        must((last.get(flow) ?? -1) < Number(number), `${name} came after n${last.get(flow)}`);
        last.set(flow, Number(number));
      }
    });
    await step('agents have worked on their tasks, one at a time on a conversation', async () => {
      const left = () =>
        query<{ n: string }>(
          "select count(*) as n from tasks where agent = 'worker' and completed_at is null",
        );
      await untilAsync('the agents', async () => Number((await left())[0]?.n) === 0, 180_000);
      const failed = await query<{ error: string }>(
        "select error from tasks where agent = 'worker' and status <> 'completed'",
      );
      must(failed.length === 0, `${failed.length} failed: ${failed[0]?.error}`);
      const busy = new Map<string, string>();
      const together: string[] = [];
      for (const line of readFileSync(join(folder, 'runs.log'), 'utf8').trim().split('\n')) {
        const [what, conversation = '', pid = ''] = line.split(' ');
        if (what === 'end') {
          if (busy.get(conversation) === pid) busy.delete(conversation);
          continue;
        }
        // A run that was killed has no end.
        const other = busy.get(conversation);
        if (other !== undefined && isAlive(Number(other))) together.push(conversation);
        busy.set(conversation, pid);
      }
      must(together.length === 0, `two at once: ${together}`);
    });
    isDone = true;
  } finally {
    await Promise.all(machines.map((machine) => machine.end()));
    await server.remove();
    if (isDone && counts.failed === 0) rmSync(folder, { recursive: true, force: true });
    else console.log(`kept: ${folder}`);
  }
}

function nameOf(text: string): string {
  return /f\d+n\d+/.exec(text)?.[0] ?? '';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilAsync(what: string, look: () => Promise<boolean>, patienceMs = 120_000): Promise<void> {
  for (const deadline = Date.now() + patienceMs; ; await delay(50)) {
    if (await look().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`${what} did not come`);
  }
}

if (postgresPrograms() === null) counts.skipped += 1;
else await run();
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;
