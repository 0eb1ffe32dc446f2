import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Line } from '../bench.ts';
import { makeUser, SLOW_COMMAND, serve, TASK_COMMAND } from '../hookctl.ts';
import { load } from '../load.ts';
import { median, percentile } from '../statistics.ts';

const BACKLOG = 10_000;
const PER_SECOND = 50;

/** Answers while much is to be done: a server that was killed with a backlog takes it up again. */
export const latency: Line = {
  name: 'latency',

  async measure(bench) {
    const rounds: number[] = [];
    let note = '';
    for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
      const user = makeUser(bench, `latency-${round}`, SLOW_COMMAND);
      const slow = await serve(bench, user);
      await load(bench, { origin: slow.origin, requests: BACKLOG });
      await slow.stop('SIGKILL');
      writeFileSync(join(user.project, 'webhooks.yml'), TASK_COMMAND);
      const server = await serve(bench, user);
      const depth = async () =>
        (await server.get<{ server: { queue_depth: number } }>('/api/status')).server.queue_depth;
      const before = await depth();
      const latencies: number[] = [];
      let left = before;
      // As long as there is a backlog that is more than what comes in, in slices.
      while (left > PER_SECOND && latencies.length < 1_000) {
        const slice = await load(bench, {
          origin: server.origin,
          requests: PER_SECOND,
          perSecond: PER_SECOND,
        });
        left = await depth();
        if (left > PER_SECOND || latencies.length === 0) latencies.push(...slice.latencies);
      }
      await server.stop();
      rounds.push(percentile(latencies, 0.99));
      note = `${before.toLocaleString('en-US')} were waiting, ${latencies.length} answers, median ${median(latencies).toFixed(1)} ms`;
      bench.say(`latency, round ${round}: p99 ${rounds.at(-1)?.toFixed(1)} ms; ${note}`);
    }
    return [
      {
        what: `ack at ${PER_SECOND} requests/s while a backlog of ${BACKLOG.toLocaleString('en-US')} is worked off`,
        against: 'its 99th percentile',
        unit: 'ms',
        value: median(rounds),
        rounds,
        must: { atMost: 50 },
        note,
      },
    ];
  },
};
