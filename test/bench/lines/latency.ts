import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, figure, type Line } from '../bench.ts';
import { depthOf, makeUser, type Serving, SLOW_COMMAND, serve, TASK_COMMAND, type User } from '../hookctl.ts';
import { load } from '../load.ts';
import { measureProfile } from '../profile.ts';
import { median, percentile } from '../statistics.ts';

const PER_SECOND = 50;

/** Answers while much is to be done: a server that was killed with a backlog takes it up again. */
export const latency: Line = {
  name: 'latency',

  async measure(bench) {
    const many = bench.quick ? 3_000 : 10_000;
    const rounds: number[] = [];
    let note = '';
    for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
      const server = await serve(bench, await withBacklog(bench, `latency-${round}`, many));
      const before = await depthOf(server);
      const latencies = await answers(bench, server);
      await server.stop();
      rounds.push(percentile(latencies, 0.99));
      note = `${before.toLocaleString('en-US')} were waiting, ${latencies.length} answers, median ${median(latencies).toFixed(1)} ms`;
      bench.say(`latency, round ${round}: p99 ${rounds.at(-1)?.toFixed(1)} ms; ${note}`);
    }
    if (bench.profile) {
      const user = await withBacklog(bench, 'latency-profile', many);
      await measureProfile(bench, 'latency', user, (server) => answers(bench, server));
    }
    return {
      figures: [
        figure(
          {
            what: `ack at ${PER_SECOND} requests/s while a backlog of ${many.toLocaleString('en-US')} is worked off`,
            against: 'its 99th percentile',
            unit: 'ms',
            must: { atMost: 40 },
            note,
          },
          rounds,
        ),
      ],
    };
  },
};

/** A folder in which much is pending that will make tasks. */
async function withBacklog(bench: Bench, name: string, many: number): Promise<User> {
  const user = makeUser(bench, name, SLOW_COMMAND);
  const slow = await serve(bench, user);
  await load(bench, { origin: slow.origin, requests: many });
  await slow.stop('SIGKILL');
  writeFileSync(join(user.project, 'webhooks.yml'), TASK_COMMAND);
  return user;
}

/** How long each answer took for as long as there is a backlog that is more than what comes in; in slices. */
async function answers(bench: Bench, server: Serving): Promise<readonly number[]> {
  const latencies: number[] = [];
  let left = await depthOf(server);
  while (left > PER_SECOND && latencies.length < 1_000) {
    const { origin } = server;
    const slice = await load(bench, { origin, requests: PER_SECOND, perSecond: PER_SECOND });
    left = await depthOf(server);
    if (left > PER_SECOND || latencies.length === 0) latencies.push(...slice.latencies);
  }
  return latencies;
}
