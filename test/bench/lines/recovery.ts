import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { type Bench, figure, type Line } from '../bench.ts';
import { depthOf, makeUser, type Serving, SLOW_COMMAND, serve, TASK_COMMAND, type User } from '../hookctl.ts';
import { load } from '../load.ts';

const RUNS = 4;
const PATIENCE_MS = 60_000;

/** Runs that a killed server left, taken back by the next start although much else is to be done. */
export const recovery: Line = {
  name: 'recovery',

  async measure(bench) {
    const many = bench.quick ? 2_000 : 10_000;
    const rounds: number[] = [];
    let note = '';
    for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
      const user = await withOrphans(bench, `recovery-${round}`, many);
      const server = await serve(bench, user);
      const ms = await untilTakenBack(server);
      rounds.push(ms);
      note = `${(await depthOf(server)).toLocaleString('en-US')} deliveries were still pending then`;
      bench.say(`recovery, round ${round}: ${ms.toFixed(0)} ms; ${note}`);
      await server.stop();
    }
    return {
      figures: [
        figure(
          {
            what: `${RUNS} runs of a killed server are taken back, with ${many.toLocaleString('en-US')} deliveries pending`,
            against: 'from the ready line of the next start',
            unit: 'ms',
            must: { atMost: 2_000 },
            note,
          },
          rounds,
        ),
      ],
    };
  },
};

/** A folder with a backlog and runs under way, whose server was killed. */
async function withOrphans(bench: Bench, name: string, many: number): Promise<User> {
  const agents =
    'agents: { brain: { use: command, program: ./agent, concurrency: 4 } }\nruns: { concurrency: 4 }\n';
  const user = makeUser(bench, name, SLOW_COMMAND + agents);
  const program = join(user.project, 'agent');
  writeFileSync(program, '#!/bin/sh\nexec sleep 60\n');
  chmodSync(program, 0o755);
  const slow = await serve(bench, user);
  for (let made = 0; made < RUNS; made++) {
    await post(user, slow, '/api/tasks', { prompt: `Task ${made}`, agent: 'brain' });
  }
  await until('the runs to begin', async () => (await running(slow)) === RUNS);
  await load(bench, { origin: slow.origin, requests: many });
  await slow.stop('SIGKILL');
  writeFileSync(join(user.project, 'webhooks.yml'), TASK_COMMAND + agents);
  return user;
}

async function running({ get }: Serving): Promise<number> {
  return (await get<{ items: unknown[] }>('/api/tasks?status=running&limit=200')).items.length;
}

async function untilTakenBack(server: Serving): Promise<number> {
  const begin = performance.now();
  await until('the runs to be taken back', async () => (await running(server)) === 0);
  return performance.now() - begin;
}

async function post({ data }: User, { ready }: Serving, path: string, body: object): Promise<void> {
  const token = readFileSync(join(data, 'token'), 'utf8').trim();
  const answer = await request(`${ready.management_url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await answer.body.dump();
  if (answer.statusCode !== 201) throw new Error(`${path} was answered ${answer.statusCode}`);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const begin = performance.now();
  while (!(await holds())) {
    if (performance.now() - begin > PATIENCE_MS) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
