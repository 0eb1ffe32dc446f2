import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { figure, type Line } from '../bench.ts';
import { makeUser, serve, TASK_COMMAND, type User } from '../hookctl.ts';
import { payloadFile, SECRET } from '../load.ts';
import { openConnection } from '../programs/connection.ts';
import { post, signer } from '../programs/signed.ts';
import { median, percentile } from '../statistics.ts';

const LIST = 'bench';
const PATIENCE_MS = 10_000;

/** From one webhook's first byte to its task files, with nothing else to do. */
export const single: Line = {
  name: 'single',

  async measure(bench) {
    const user = makeUser(bench, 'single', `claudeTasks: { list: ${LIST} }\n${TASK_COMMAND}`);
    const server = await serve(bench, user);
    const origin = new URL(server.origin);
    const connection = await openConnection(origin);
    const sign = signer(payloadFile(bench), SECRET);
    const times: number[] = [];
    const [warm, count] = bench.quick ? [20, 100] : [50, 400];
    for (let sent = 0; sent < warm + count; sent++) {
      const request = post(origin, '/webhooks/github', sign());
      const before = files(user);
      const begin = performance.now();
      const status = await connection.send(request);
      if (status !== 202) throw new Error(`hookctl answered ${status}`);
      await until(() => {
        const now = files(user);
        return now.entries > before.entries && now.records > before.records;
      });
      if (sent >= warm) times.push(performance.now() - begin);
    }
    connection.close();
    await server.stop();
    bench.say(`single: median ${median(times).toFixed(1)} ms, p95 ${percentile(times, 0.95).toFixed(1)} ms`);
    const what = 'webhook to both task files, one at a time';
    return {
      figures: [
        figure({ what, against: 'its median', unit: 'ms', must: { atMost: 7 } }, times),
        {
          ...figure({ what, against: 'its 95th percentile', unit: 'ms', must: { atMost: 15 } }, times),
          value: percentile(times, 0.95),
        },
      ],
    };
  },
};

/** How many of each: entries of the list, records beside it. */
function files({ claude }: User): { readonly entries: number; readonly records: number } {
  const tasks = join(claude, 'tasks');
  const count = (folder: string, name: RegExp) =>
    existsSync(folder) ? readdirSync(folder).filter((each) => name.test(each)).length : 0;
  return {
    entries: count(join(tasks, LIST), /^\d+\.json$/),
    records: count(tasks, /^claude-task-.*\.json$/),
  };
}

/** Looks again and again, on the core where the server is not. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`no task files after ${PATIENCE_MS} ms`);
    await setImmediate();
  }
}
